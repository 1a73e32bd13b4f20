import { request as httpRequest } from 'node:http'
import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import protobuf from 'protobufjs'
import t from 'tap'
import { decompress } from '../../../collector/ingest/otlp-body.ts'
import type { Series } from '../../../core/model.ts'
import { metricsEncoder } from '../../../core/otlp/encode.ts'
import { seeded } from '../../random.ts'
import { openDoor } from './otlp-server.ts'

const series: Series = { name: 'm', unit: 's', kind: 'gauge', attributes: {} }
const web = Buffer.from(metricsEncoder({ 'host.name': 'web-1' })([{ series, time: 1_790_000_000_000, value: 1 }]))
const statusType = protobuf.Root.fromJSON({
  nested: { Status: { fields: { code: { type: 'int32', id: 1 }, message: { type: 'string', id: 2 } } } },
}).lookupType('Status')

/** google.rpc.Status as anyone reads it. */
function readStatus(body: Buffer): { code: number; message: string } {
  return statusType.toObject(statusType.decode(body)) as { code: number; message: string }
}

t.test('bytes that are no request are answered with a Status and counted', async t => {
  const door = await openDoor(t)
  const answer = await door.post('/v1/metrics', Buffer.from('not OTLP'))
  t.match([answer.status, answer.headers.get('content-type')], [400, 'application/x-protobuf'])
  t.match(readStatus(answer.body), { code: 3, message: /protobuf/ })
  const json = await door.post('/v1/logs', Buffer.from('{"resourceLogs":1}'), { 'content-type': 'application/json' })
  t.match([json.status, JSON.parse(String(json.body))], [400, { code: 3, message: /resourceLogs: expected a list/ }])
  t.strictSame(door.refusals, ['malformed', 'malformed'])
})

t.test('traces are answered 404 in the format asked', async t => {
  const door = await openDoor(t)
  const answer = await door.post('/v1/traces', web)
  t.match([answer.status, readStatus(answer.body)], [404, { code: 5, message: /no traces/ }])
  const json = await door.post('/v1/traces', Buffer.from('{}'), { 'content-type': 'application/json' })
  t.match([json.status, JSON.parse(String(json.body))], [404, { code: 5 }])
})

t.test('other content types and encodings are answered 415', async t => {
  const door = await openDoor(t)
  for (const type of ['text/plain', 'application/grpc', '', 'application', 'application/x-protobuf2', '__proto__']) {
    const answer = await door.post('/v1/metrics', web, { 'content-type': type })
    t.match([answer.status, answer.headers.get('content-type')], [415, /^application\/json/], type)
  }
  t.ok(door.refusals.every(refusal => refusal === 'content-type'))
  const answer = await door.post('/v1/metrics', web, { 'content-encoding': 'br' })
  t.match([answer.status, answer.headers.get('accept-encoding')], [415, /zstd/])
  t.equal(door.refusals.at(-1), 'content-encoding')
})

t.test('a request without a content type is answered 415', async t => {
  const door = await openDoor(t)
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const outgoing = httpRequest(`${door.url}/v1/metrics`, { method: 'POST' }, answer => {
      answer.resume()
      resolve(answer.statusCode)
    })
    outgoing.on('error', reject)
    outgoing.end(web)
  })
  t.equal(status, 415)
})

t.test('a body over 4 MiB is answered 413', async t => {
  const door = await openDoor(t)
  const answer = await door.post('/v1/metrics', Buffer.alloc(4 * 1024 ** 2 + 1))
  t.match([answer.status, readStatus(answer.body)], [413, { message: /4194304 bytes/ }])
  t.strictSame(door.refusals, ['too-large'])
})

t.test('decompression bombs are answered 413', async t => {
  const door = await openDoor(t)
  const zeros = Buffer.alloc(128 * 1024 ** 2)
  const frame = zstdCompressSync(zeros.subarray(0, 20 * 1024 ** 2 + 7))
  const bombs = [
    ['gzip', gzipSync(zeros)],
    ['zstd', zstdCompressSync(zeros)],
    ['zstd', Buffer.concat([frame, frame])],
  ] as const
  for (const [encoding, bomb] of bombs) {
    const answer = await door.post('/v1/metrics', bomb, { 'content-encoding': encoding })
    t.equal(answer.status, 413, encoding)
  }
  const spaces = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
  t.equal((await door.post('/v1/metrics', gzipSync(Buffer.alloc(9 * 1024 ** 2, ' ')), spaces)).status, 413)
  t.strictSame(door.refusals, Array(4).fill('too-large'))
})

t.test('a zstd frame that wants a huge window, or frames without end, are refused', async t => {
  const door = await openDoor(t)
  const wide = zstdCompressSync(Buffer.alloc(2 ** 25), { params: { [constants.ZSTD_c_windowLog]: 27 } })
  const empty = zstdCompressSync(Buffer.alloc(0))
  for (const [body, message] of [
    [wide, /too much memory/],
    [Buffer.concat(Array.from({ length: 100_000 }, () => empty)), /more than 100 zstd frames/],
  ] as const) {
    const answer = await door.post('/v1/metrics', body, { 'content-encoding': 'zstd' })
    t.match([answer.status, readStatus(answer.body)], [400, { message }])
  }
})

t.test('zstd frames of any size are read to the last', async t => {
  for (const size of [0, 1, 16_383, 16_384, 16_385, 65_536, 131_072, 200_000]) {
    const parts = [size, 5, size, 0, size].map((length, n) => Buffer.alloc(length, `${n}`))
    const body = Buffer.concat(parts.map(part => zstdCompressSync(part)))
    t.ok(decompress(body, 'zstd', 1024 ** 2).equals(Buffer.concat(parts)), `${size} bytes`)
  }
})

t.test('every frame of a zstd body counts', async t => {
  const door = await openDoor(t)
  const half = web.length >> 1
  const frames = [web.subarray(0, half), web.subarray(half)].map(part => zstdCompressSync(part))
  t.equal((await door.post('/v1/metrics', Buffer.concat(frames), { 'content-encoding': 'zstd' })).status, 200)
  t.equal(door.parcels[0]!.samples, 1)
  const tail = Buffer.concat([...frames, Buffer.from('garbage')])
  t.equal((await door.post('/v1/metrics', tail, { 'content-encoding': 'zstd' })).status, 400)
})

t.test('a body that is not what its encoding says, or cut off, is answered 400', async t => {
  const door = await openDoor(t)
  const gzip = gzipSync(web)
  const zstd = zstdCompressSync(web)
  for (const [encoding, body] of [
    ['gzip', web],
    ['zstd', web],
    ['gzip', gzip.subarray(0, -3)],
    ['zstd', zstd.subarray(0, -3)],
    ['zstd', Buffer.alloc(0)],
    ['identity', gzip],
  ] as const) {
    const answer = await door.post('/v1/metrics', body, { 'content-encoding': encoding })
    t.equal(answer.status, 400, `${encoding}, ${body.length} bytes`)
  }
})

t.test('a request for more nodes than a thousand is refused', async t => {
  const door = await openDoor(t)
  const samples = [{ series, time: 1, value: 1 }]
  const many = Array.from({ length: 1001 }, (_, n) => Buffer.from(metricsEncoder({ 'host.name': `n${n}` })(samples)))
  t.match(readStatus((await door.post('/v1/metrics', Buffer.concat(many))).body), { message: /1000 nodes/ })
})

t.test('damaged requests never bring the door down', async t => {
  const random = seeded(t)
  const door = await openDoor(t)
  const whole = { identity: web, gzip: gzipSync(web), zstd: zstdCompressSync(web) }
  for (let round = 0; round < 400; round++) {
    const encoding = random.pick(['identity', 'gzip', 'zstd'] as const)
    const body = Buffer.from(whole[encoding])
    for (let n = random.below(4); n >= 0; n--) body[random.below(body.length)] = random.below(256)
    const path = random.pick(['/v1/metrics', '/v1/logs'])
    const { status } = await door.post(path, body.subarray(0, 1 + random.below(body.length)), {
      'content-encoding': encoding,
    })
    if (status !== 200 && status !== 400 && status !== 413) t.fail(`answered ${status}`)
  }
  t.equal((await door.post('/v1/metrics', web)).status, 200)
})

t.test('more requests at once than there is room for are told to come again', async t => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const door = await openDoor(t, { take: () => promise })
  const answers = Array.from({ length: 80 }, () => door.post('/v1/metrics', web))
  const first = await Promise.race(answers)
  t.match([first.status, first.headers.get('retry-after')], [429, '1'])
  const deadline = Date.now() + 10_000
  while (door.refusals.length < 16 && Date.now() < deadline) await new Promise(setImmediate)
  resolve()
  const statuses = (await Promise.all(answers)).map(a => a.status)
  t.equal(statuses.filter(status => status === 200).length, 64)
  t.equal((await door.post('/v1/metrics', web)).status, 200)
})
