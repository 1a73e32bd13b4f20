import t from 'tap'
import {
  decodeEnvelope,
  type Envelope,
  encodeEnvelope,
  type Header,
  isAfterBase,
  readPlace,
  seal,
} from '../../core/envelope.ts'

const header: Header = {
  node: 'web-1',
  stream: 'k3f9.metrics.1',
  seq: 7,
  firstTime: 1_790_000_000_000,
  lastTime: 1_790_000_001_000,
  samples: 3,
  events: 0,
  encoding: 'otlp-metrics-zstd',
}
const payload = Buffer.from('not really OTLP')
const envelope: Envelope = { ...header, previous: 6, payload, crc: seal(header, payload) }

t.test('an envelope survives the wire', async t => {
  t.strictSame({ ...decodeEnvelope(encodeEnvelope(envelope)), payload: undefined }, { ...envelope, payload: undefined })
  t.strictSame(Buffer.from(decodeEnvelope(encodeEnvelope(envelope)).payload), payload)
})

t.test('every flipped bit is refused, except in `previous`, which the seal leaves open', async t => {
  const bytes = Buffer.from(encodeEnvelope(envelope))
  let accepted = 0
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = Buffer.from(bytes)
    damaged[bit >> 3]! ^= 1 << (bit & 7)
    try {
      const { previous: _, ...read } = decodeEnvelope(damaged)
      const { previous: __, ...wanted } = envelope
      t.strictSame({ ...read, payload: 0 }, { ...wanted, payload: 0 }, `bit ${bit} changed nothing under the seal`)
      accepted++
    } catch (error) {
      t.match(error, { name: 'Refused' })
    }
  }
  t.ok(accepted <= 24, `${accepted} flips accepted`)
})

t.test('an envelope after a base, and one that may become a base, survive the wire', async t => {
  const after = { ...header, base: 5 }
  for (const e of [
    { ...envelope, base: header.seq },
    { ...envelope, base: 5, crc: seal(after, payload) },
  ]) {
    t.strictSame({ ...decodeEnvelope(encodeEnvelope(e)), payload: 0 }, { ...e, payload: 0 })
    t.equal(isAfterBase(e), e.base === 5)
  }
  t.equal(isAfterBase(envelope), false)
})

t.test('a base that does not fit the encoding is refused, and so is one that is yet to come', async t => {
  const after = { ...envelope, base: 5, crc: seal({ ...header, base: 5 }, payload) }
  const wrong: readonly [string, Envelope][] = [
    ['whole, with the base of another', { ...envelope, base: 5 }],
    ['after itself', { ...after, base: header.seq }],
    ['after one to come', { ...after, base: header.seq + 1 }],
  ]
  for (const [name, e] of wrong) t.throws(() => decodeEnvelope(encodeEnvelope(e)), { name: 'Refused' }, name)
  const { base: _, ...without } = after
  const bytes = Buffer.from(encodeEnvelope(without))
  bytes[bytes.indexOf(Buffer.from([0x40, 1])) + 1] = 3
  t.throws(() => decodeEnvelope(bytes), { message: /encoding 3 with base 0/ })
})

t.test('an unknown encoding is refused with what is known', async t => {
  for (const code of [0, 4, 99]) {
    const bytes = Buffer.from(encodeEnvelope(envelope))
    bytes[bytes.indexOf(Buffer.from([0x40, 1])) + 1] = code
    t.throws(() => decodeEnvelope(bytes), { name: 'Refused', message: /encoding/ })
  }
})

t.test('every truncation is refused', async t => {
  const bytes = encodeEnvelope(envelope)
  for (let n = 0; n < bytes.length; n++) t.throws(() => decodeEnvelope(bytes.subarray(0, n)), { name: 'Refused' })
})

t.test('where damaged bytes say they belong can still be read, as far as they say', async t => {
  const bytes = Buffer.from(encodeEnvelope(envelope))
  bytes[bytes.length - 1]! ^= 1
  t.strictSame(readPlace(bytes), { node: 'web-1', stream: 'k3f9.metrics.1', seq: 7 })
  t.strictSame(readPlace(bytes.subarray(0, 40)), { node: 'web-1', stream: 'k3f9.metrics.1', seq: 7 })
  for (let n = 0; n < 25; n++) t.equal(readPlace(bytes.subarray(0, n)), undefined)
  t.equal(readPlace(Buffer.from('garbage')), undefined)
})
