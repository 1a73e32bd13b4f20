import { gzipSync, zstdCompressSync } from 'node:zlib'
import t from 'tap'
import { type Encoding, type Header, seal } from '../../../core/envelope.ts'
import { Refused } from '../../../core/errors.ts'
import { metricsEncoder } from '../../../core/otlp/encode.ts'
import { type Receipt, readReceipt } from '../../../core/receipt.ts'
import { openDoor } from './otlp-server.ts'

const series = { name: 'm', unit: 's', kind: 'gauge', attributes: {} } as const
const time = 1_790_000_000_000
const payload = zstdCompressSync(metricsEncoder({ 'host.name': 'web-1' })([{ series, time, value: 1 }]))

/** Everything of an envelope but its encoding and payload. */
function fields(encoding: Encoding = 'otlp-metrics-zstd') {
  const place = {
    node: 'web-1',
    stream: 'k3f9.metrics.1',
    seq: 7,
    firstTime: time,
    lastTime: time,
    samples: 1,
    events: 0,
  }
  const header: Header = { ...place, encoding }
  return { ...place, previous: 6, crc: seal(header, payload) }
}

function headers(of: unknown, more: Record<string, string> = {}): Record<string, string> {
  const envelope = Buffer.from(JSON.stringify(of)).toString('base64url')
  return { 'fieldline-envelope': envelope, 'content-encoding': 'zstd', ...more }
}

t.test('an envelope is accepted whole and its receipt comes back', async t => {
  const door = await openDoor(t)
  const answer = await door.post('/v1/metrics', payload, headers(fields()))
  t.equal(answer.status, 200)
  t.strictSame(readReceipt(answer.headers.get('fieldline-receipt')!), { stream: 'k3f9.metrics.1', watermark: 7 })
  t.strictSame({ ...door.envelopes[0], payload: 0 }, { ...fields(), encoding: 'otlp-metrics-zstd', payload: 0 })
  t.strictSame(Buffer.from(door.envelopes[0]!.payload), payload)
  t.equal(door.parcels.length, 0)
  await door.post('/v1/logs', payload, headers(fields('otlp-logs-zstd')))
  t.equal(door.envelopes[1]!.encoding, 'otlp-logs-zstd')
})

t.test('there are no bases here: a wish to be kept as one is not heard', async t => {
  const door = await openDoor(t)
  for (const base of [fields().seq, 3]) {
    t.equal((await door.post('/v1/metrics', payload, headers({ ...fields(), base }))).status, 200)
    t.equal(door.envelopes.at(-1)!.base, undefined)
  }
})

t.test('an envelope whose seal or place is wrong is refused', async t => {
  const door = await openDoor(t)
  const good = fields()
  const wrongs: unknown[] = [
    { ...good, crc: good.crc ^ 1 },
    { ...good, crc: -1 },
    { ...good, crc: 2 ** 32 },
    { ...good, node: 'web-2' },
    { ...good, node: '../x' },
    { ...good, node: 1 },
    { ...good, seq: 0 },
    { ...good, seq: '7' },
    { ...good, seq: 7.5 },
    { ...good, previous: 7 },
    { ...good, samples: undefined },
    [],
    null,
  ]
  for (const wrong of wrongs) {
    const answer = await door.post('/v1/metrics', payload, headers(wrong))
    t.equal(answer.status, 400, JSON.stringify(wrong))
    t.notOk(answer.headers.get('fieldline-receipt'))
  }
  const damaged = Buffer.from(payload)
  damaged[9]! ^= 1
  t.equal((await door.post('/v1/metrics', damaged, headers(good))).status, 400, 'another payload')
  t.equal((await door.post('/v1/logs', payload, headers(good))).status, 400, 'another encoding')
  const text = { ...headers(good), 'fieldline-envelope': '%%%' }
  t.equal((await door.post('/v1/metrics', payload, text)).status, 400, 'no JSON')
  t.equal((await door.post('/v1/metrics', gzipSync(''), headers(good, { 'content-encoding': 'gzip' }))).status, 400)
  t.equal((await door.post('/v1/metrics', payload, headers(good, { 'content-type': 'application/json' }))).status, 400)
  t.equal(door.envelopes.length, 0)
  t.equal(door.refusals.length, wrongs.length + 5)
})

t.test('whatever the receipt says comes back, whatever characters it has', async t => {
  const receipts: Receipt[] = [
    { stream: 's', watermark: 7, refused: [{ seq: 7, reason: 'zu alt: 2090 – „Gerät“\n\r\u0000 😀' }] },
    { stream: 's', watermark: 3, resend: true },
  ]
  for (const receipt of receipts) {
    const door = await openDoor(t, { accept: async () => receipt })
    const answer = await door.post('/v1/metrics', payload, headers(fields()))
    t.equal(answer.status, 200)
    t.strictSame(readReceipt(answer.headers.get('fieldline-receipt')!), receipt)
  }
})

t.test('a receipt that asks to wait is answered 429 with Retry-After', async t => {
  const receipt = { stream: 's', watermark: 6, retry_after: 1200 }
  const door = await openDoor(t, { accept: async () => receipt })
  const answer = await door.post('/v1/metrics', payload, headers(fields()))
  t.match([answer.status, answer.headers.get('retry-after')], [429, '2'])
  t.strictSame(readReceipt(answer.headers.get('fieldline-receipt')!), receipt)
  t.strictSame(door.refusals, ['busy'])
})

t.test('without a commit there is no receipt', async t => {
  for (const [error, status] of [
    [new Error('disk full'), 503],
    [new Refused('no'), 400],
  ] as const) {
    const door = await openDoor(t, { accept: () => Promise.reject(error) })
    const answer = await door.post('/v1/metrics', payload, headers(fields()))
    t.equal(answer.status, status)
    t.notOk(answer.headers.get('fieldline-receipt'))
  }
})

t.test('every answer, also to a plain or a bad post, shows that envelopes are understood here', async t => {
  const door = await openDoor(t)
  t.equal((await door.post('/v1/metrics', Buffer.alloc(0), {})).headers.get('fieldline-receipt'), '')
  t.equal((await door.post('/v1/metrics', Buffer.from([255]), {})).headers.get('fieldline-receipt'), '')
})
