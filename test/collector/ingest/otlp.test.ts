import { gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import t from 'tap'
import { Busy } from '../../../collector/ingest/gate.ts'
import { Refused } from '../../../core/errors.ts'
import type { Attributes, Series } from '../../../core/model.ts'
import { decodeLogs } from '../../../core/otlp/decode.ts'
import { encodeLogs, metricsEncoder } from '../../../core/otlp/encode.ts'
import { Listener } from '../../core/otlp/heard.ts'
import { logsResponse, metricsResponse } from '../../core/otlp/official.ts'
import { openDoor } from './otlp-server.ts'

const time = 1_790_000_000_000
const series: Series = { name: 'm', unit: 's', kind: 'gauge', attributes: {} }
const json = { 'content-type': 'application/json' }

function metrics(resource: Attributes, count = 3): Buffer {
  const samples = Array.from({ length: count }, (_, n) => ({ series, time: time + n, value: n }))
  return Buffer.from(metricsEncoder(resource)(samples))
}

function logs(resource: Attributes): Uint8Array {
  const event = { name: 'door.open', severity: 'warning', body: { n: 1 }, attributes: {} } as const
  return encodeLogs(resource, [
    { ...event, time: time + 5 },
    { ...event, time },
  ])
}

const web = metrics({ 'host.name': 'web-1' })

t.test('metrics are taken, plain and compressed, as one parcel of the node they name', async t => {
  const door = await openDoor(t)
  const bodies = { identity: web, gzip: gzipSync(web), zstd: zstdCompressSync(web) }
  for (const [encoding, body] of Object.entries(bodies)) {
    const answer = await door.post('/v1/metrics', body, { 'content-encoding': encoding })
    t.match([answer.status, answer.headers.get('content-type'), answer.body.length], [200, 'application/x-protobuf', 0])
  }
  t.equal(door.parcels.length, 3)
  for (const { payload, ...parcel } of door.parcels) {
    const wanted = {
      node: 'web-1',
      encoding: 'otlp-metrics-zstd',
      samples: 3,
      events: 0,
      firstTime: time,
      lastTime: time + 2,
    }
    t.strictSame(parcel, wanted)
    t.strictSame(zstdDecompressSync(payload), web)
  }
  t.strictSame(door.refusals, [])
})

t.test('logs are taken as one parcel of the node they name', async t => {
  const door = await openDoor(t)
  const answer = await door.post('/v1/logs', logs({ 'host.name': 'web-1' }))
  t.equal(answer.status, 200)
  const [{ payload, ...parcel }] = door.parcels as [(typeof door.parcels)[0]]
  const wanted = {
    node: 'web-1',
    encoding: 'otlp-logs-zstd',
    samples: 0,
    events: 2,
    firstTime: time,
    lastTime: time + 5,
  }
  t.strictSame(parcel, wanted)
  t.equal(decodeLogs(zstdDecompressSync(payload))[1]!.event.name, 'door.open')
})

t.test('JSON is taken and answered in JSON', async t => {
  const door = await openDoor(t)
  const resource = { attributes: [{ key: 'host.name', value: { stringValue: 'web-1' } }] }
  const metric = { name: 'm', gauge: { dataPoints: [{ asInt: '5', timeUnixNano: `${time}000000` }] } }
  const body = Buffer.from(JSON.stringify({ resourceMetrics: [{ resource, scopeMetrics: [{ metrics: [metric] }] }] }))
  for (const headers of [json, { 'content-type': 'Application/JSON; charset=utf-8' }]) {
    const answer = await door.post('/v1/metrics', body, headers)
    t.match([answer.status, answer.headers.get('content-type'), String(answer.body)], [200, /^application\/json/, '{}'])
  }
  const [{ payload }] = door.parcels as [(typeof door.parcels)[0]]
  t.match(new Listener().decode(zstdDecompressSync(payload)), [{ time, value: 5 }])
  const record = { body: { stringValue: 'x' }, timeUnixNano: 7_000_000 }
  const log = JSON.stringify({ resourceLogs: [{ resource, scopeLogs: [{ logRecords: [record] }] }] })
  t.equal((await door.post('/v1/logs', gzipSync(log), { ...json, 'content-encoding': 'gzip' })).status, 200)
  t.match(door.parcels[2], { events: 1, firstTime: 7 })
})

t.test('a request of several nodes becomes a parcel for each, and what is left of it an empty answer', async t => {
  const door = await openDoor(t)
  const nodes = ['a', 'b', 'a', 'c'].map((name, n) => metrics({ 'host.name': name }, n + 1))
  t.equal((await door.post('/v1/metrics', Buffer.concat(nodes))).status, 200)
  t.strictSame(
    door.parcels.map(({ node, samples }) => [node, samples]),
    [
      ['a', 4],
      ['b', 2],
      ['c', 4],
    ],
  )
  t.equal(new Listener().decode(zstdDecompressSync(door.parcels[0]!.payload)).length, 4)
  t.equal((await door.post('/v1/metrics', Buffer.alloc(0))).status, 200)
  t.equal((await door.post('/v1/metrics', metrics({}, 0))).status, 200)
  t.equal(door.parcels.length, 3)
})

t.test('a node is named by the best attribute there is, made fit to be a name', async t => {
  const door = await openDoor(t)
  const cases: [Attributes, string][] = [
    [{ 'service.name': 's', 'service.instance.id': 'i', 'host.name': 'h' }, 'h'],
    [{ 'service.name': 's', 'service.instance.id': 'i' }, 'i'],
    [{ 'service.name': 's', 'host.name': '' }, 's'],
    [{ 'host.name': '///', 'service.name': 's' }, 's'],
    [{ 'host.name': 'Werk 3/Presse #1' }, 'Werk-3-Presse-1'],
    [{ 'host.name': '../../etc/passwd' }, 'etc-passwd'],
    [{ 'host.name': 42 }, '42'],
    [{ 'host.name': 'x'.repeat(100) }, 'x'.repeat(64)],
  ]
  for (const [resource] of cases) await door.post('/v1/metrics', metrics(resource))
  t.strictSame(
    door.parcels.map(p => p.node),
    cases.map(([, name]) => name),
  )
})

t.test('what names no node is rejected, in part or as a whole', async t => {
  const door = await openDoor(t)
  const mixed = Buffer.concat([web, metrics({ os: 'linux' }, 5)])
  const answer = await door.post('/v1/metrics', mixed)
  t.equal(answer.status, 200)
  const { partial_success: partial } = metricsResponse.decode(answer.body)
  t.match(partial, { rejected_data_points: '5', error_message: /host.name/ })
  t.match(await door.post('/v1/metrics', metrics({ os: 'linux' })), { status: 400 })
  const none = await door.post('/v1/logs', Buffer.concat([logs({ 'host.name': 'a' }), logs({})]))
  t.match(logsResponse.decode(none.body).partial_success, { rejected_log_records: '2' })
  t.strictSame(door.refusals, ['no-node', 'no-node', 'no-node'])
  t.equal(door.parcels.length, 2)
})

t.test('what the inbox refuses for one node is told, and taken for the others', async t => {
  const take = async ({ node }: { node: string }): Promise<void> => {
    if (node === 'bad') throw new Refused('bad: dated 2090')
  }
  const door = await openDoor(t, { take })
  const bad = metrics({ 'host.name': 'bad' }, 2)
  const answer = await door.post('/v1/metrics', Buffer.concat([web, bad]))
  const { partial_success: partial } = metricsResponse.decode(answer.body)
  t.match([answer.status, partial], [200, { rejected_data_points: '2', error_message: 'bad: dated 2090' }])
  t.match(await door.post('/v1/metrics', bad), { status: 400 })
  t.strictSame(door.refusals, ['refused', 'refused'])
})

t.test('when the inbox is busy or cannot commit, the client is told when to come again', async t => {
  for (const [error, status, seconds, refusal] of [
    [new Busy(2500), 429, '3', 'busy'],
    [new Error('disk full'), 503, '1', 'unavailable'],
    [new RangeError('a bug of ours'), 503, '1', 'unavailable'],
  ] as const) {
    const door = await openDoor(t, { take: ({ node }) => (node === 'bad' ? Promise.reject(error) : Promise.resolve()) })
    const answer = await door.post('/v1/metrics', Buffer.concat([web, metrics({ 'host.name': 'bad' })]))
    t.match([answer.status, answer.headers.get('retry-after')], [status, seconds])
    t.strictSame(door.refusals, [refusal])
  }
})

t.test('an answer of 200 comes after the commit', async t => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const reached = Promise.withResolvers<void>()
  const take = async (): Promise<void> => {
    reached.resolve()
    await promise
  }
  const door = await openDoor(t, { take })
  let answered = false
  const answer = door.post('/v1/metrics', web).then(a => {
    answered = true
    return a
  })
  await reached.promise
  for (let n = 0; n < 5; n++) await new Promise(setImmediate)
  t.notOk(answered)
  resolve()
  t.equal((await answer).status, 200)
})
