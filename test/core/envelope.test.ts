import t from 'tap'
import { decodeEnvelope, type Envelope, encodeEnvelope, type Header, readPlace, seal } from '../../core/envelope.ts'

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
