// Bytes that are no good, through the real doors, beside a node that behaves. None of them harms it, and of each there is
// something left that a person can see: a finding, or a count at /metrics.

import { gzipSync, zstdCompressSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { type Envelope, encodeEnvelope, maxEnvelope } from '../../core/envelope.ts'
import { metricsEncoder } from '../../core/otlp/encode.ts'
import { shardOf } from '../../core/topics.ts'
import { mosquitto } from '../brokers.ts'
import { envelope } from '../collector/ingest/envelopes.ts'
import { eventually, flowing, type RoadCollector, startRoadCollector, startRoadEdge, verify } from './road.ts'
import { openVandal } from './vandal.ts'

const day = 86_400_000
const series = { name: 'm', unit: '1', kind: 'gauge', attributes: {} } as const

/** A collector and a node that behaves, over a real broker. */
async function road(t: Test) {
  const broker = await mosquitto(t)
  if (broker === undefined) return undefined
  const folder = t.testdir()
  const collector = await startRoadCollector(t, { folder: `${folder}/collector`, brokers: [broker.url] })
  const good = await startRoadEdge(t, { folder: `${folder}/good`, node: 'good', brokers: [broker.url] })
  await flowing(collector, [good])
  return { broker, collector, good }
}

function metricsAt(time: number, node = 'bad'): Buffer {
  return Buffer.from(metricsEncoder({ 'host.name': node })([{ series, time, value: 1 }]))
}

/** A sealed envelope of `bad`, dated now. */
function sealed(seq: number, payload: Uint8Array, more: Partial<Envelope> = {}): Envelope {
  const time = { firstTime: Date.now(), lastTime: Date.now() }
  return envelope(seq, { node: 'bad', stream: 'badspool01.metrics.1', samples: 1, ...time, payload, ...more })
}

const refused = (collector: RoadCollector, transport: string, reason: string): Promise<number> =>
  collector.metric('fieldline_messages_refused_total', `transport="${transport}",reason="${reason}"`)

t.test('over MQTT, messages that are no envelope of the node of their topic are counted by kind', async t => {
  const all = await road(t)
  if (all === undefined) return
  const { broker, collector, good } = all
  const vandal = await openVandal(t, broker.url)
  const whole = encodeEnvelope(sealed(1, zstdCompressSync(metricsAt(Date.now()))))
  const flipped = Buffer.from(whole)
  flipped[flipped.length - 3]! ^= 1
  for (const bytes of [Buffer.alloc(0), Buffer.from('garbage'), whole.subarray(0, whole.length - 9), flipped]) {
    await vandal.publish('bad', bytes)
  }
  await vandal.publish('bad', Buffer.alloc(maxEnvelope + 1))
  await vandal.publish('bad', encodeEnvelope(sealed(1, Buffer.from('x'), { node: 'good' })))
  await vandal.publishAt(`fieldline/v1/default/${(shardOf('default', 'bad') + 1) % 64}/bad/up`, whole)
  await vandal.publish('bad', Buffer.from('neither here nor there'), 'status')
  const wanted = { damaged: 4, 'too-large': 1, node: 1, topic: 1, status: 1 }
  const counted = async () => {
    const entries = Object.keys(wanted).map(async why => [why, await refused(collector, 'mqtt', why)] as const)
    return Object.fromEntries(await Promise.all(entries))
  }
  await eventually('the last one was seen', () =>
    vandal.receipts.some(r => r.refused?.some(x => /on a topic of bad/.test(x.reason))),
  )
  await flowing(collector, [good])
  t.strictSame(await counted(), wanted)
  t.strictSame(collector.running.history.find({ node: 'bad' }), [])
  await verify(t, collector, [good])
})

const bomb = Buffer.alloc(64 * 1024 ** 2)
const unreadable: readonly [string, () => Uint8Array][] = [
  ['bytes that are not compressed', () => metricsAt(Date.now())],
  ['gzip where zstd belongs', () => gzipSync(metricsAt(Date.now()))],
  ['zstd of what is no OTLP', () => zstdCompressSync(Buffer.from('not OTLP at all'))],
  ['zstd that breaks off', () => zstdCompressSync(Buffer.alloc(5000, 'abc')).subarray(0, 12)],
  ['a zstd bomb', () => zstdCompressSync(bomb)],
]

t.test(
  'over MQTT, sealed envelopes with a payload that cannot be read are set aside, and a finding says so',
  async t => {
    const all = await road(t)
    if (all === undefined) return
    const { broker, collector, good } = all
    const vandal = await openVandal(t, broker.url)
    for (const [n, [what, payload]] of unreadable.entries()) {
      const node = `bad-${n}`
      await vandal.send(sealed(1, payload(), { node }))
      await eventually(`a finding for ${what}`, () => collector.findings(node).length > 0)
      const [finding] = collector.findings(node)
      t.match(finding, { rule: 'unreadable-data', message: new RegExp(`^${node} sent what is not taken: `) }, what)
      t.comment(finding?.message)
    }
    t.equal(await collector.metric('fieldline_rows_unreadable_total'), unreadable.length)
    await verify(t, collector, [good])
  },
)

t.test('samples dated 1970 and 2090 are refused or left out, their sender is told, and a finding says so', async t => {
  const all = await road(t)
  if (all === undefined) return
  const { broker, collector, good } = all
  const vandal = await openVandal(t, broker.url)
  for (const year of [1970, 2090]) {
    const time = Date.UTC(year, 1, 1)
    const [declared, hidden] = [`declared-${year}`, `hidden-${year}`]
    const payload = zstdCompressSync(metricsAt(time))
    await vandal.send(sealed(1, payload, { node: declared, firstTime: time, lastTime: time }))
    await vandal.send(sealed(1, payload, { node: hidden, firstTime: Date.now() - day, lastTime: Date.now() }))
    await eventually('both have a finding', () => [declared, hidden].every(node => collector.findings(node).length > 0))
    t.match(collector.findings(declared), [{ rule: 'refused-data', message: new RegExp(`dated ${year}-02-01`) }])
    t.match(collector.findings(hidden), [{ rule: 'unbelievable-times', message: /is its clock set\?/ }])
    const words = `${declared}: dated ${year}-02-01`
    const isTold = () => vandal.receipts.some(r => r.refused?.some(x => x.seq === 1 && x.reason.startsWith(words)))
    await eventually('the sender is told why', isTold)
    t.strictSame(collector.running.history.find({ node: declared }).length, 0)
  }
  await verify(t, collector, [good])
})

t.test('over HTTP, each bad request gets a status and words, is counted, and takes nothing from anyone', async t => {
  const all = await road(t)
  if (all === undefined) return
  const { collector, good } = all
  const post = async (body: Uint8Array, headers: Record<string, string> = {}, path = '/v1/metrics') => {
    const type = { 'content-type': 'application/x-protobuf' }
    const url = new URL(path, collector.running.url)
    const answer = await fetch(url, { method: 'POST', body: Uint8Array.from(body), headers: { ...type, ...headers } })
    return { status: answer.status, words: (await answer.text()).replace(/[^\x20-\x7e]/g, '') }
  }
  const gzip = { 'content-encoding': 'gzip' }
  const zstd = { 'content-encoding': 'zstd' }
  const fine = metricsAt(Date.now())
  const place = Buffer.from(JSON.stringify({ node: 'good', stream: 's.metrics.1', seq: 1 })).toString('base64url')
  const cases: readonly [string, Promise<{ status: number; words: string }>, number, RegExp, string][] = [
    ['garbage', post(Buffer.from('garbage')), 400, /protobuf/, 'malformed'],
    ['truncated', post(fine.subarray(0, fine.length - 4)), 400, /./, 'malformed'],
    ['too long', post(Buffer.alloc(17 * 1024 ** 2)), 413, /more than/, 'too-large'],
    ['no gzip', post(fine, gzip), 400, /header/, 'malformed'],
    ['no zstd', post(fine, zstd), 400, /./, 'malformed'],
    ['a gzip bomb', post(gzipSync(bomb), gzip), 413, /once decompressed/, 'too-large'],
    ['a zstd bomb', post(zstdCompressSync(bomb), zstd), 413, /once decompressed/, 'too-large'],
    ['brotli', post(fine, { 'content-encoding': 'br' }), 415, /expected identity, gzip, zstd/, 'content-encoding'],
    ['a picture', post(fine, { 'content-type': 'image/png' }), 415, /expected/, 'content-type'],
    ['no node', post(metricsAt(Date.now(), '')), 400, /node|host\.name/, 'no-node'],
    ['dated 1970', post(metricsAt(1000)), 400, /1970/, 'refused'],
    ['dated 2090', post(metricsAt(Date.UTC(2090))), 400, /2090/, 'refused'],
    ['half an envelope', post(fine, { ...zstd, 'fieldline-envelope': place }), 400, /no whole number/, 'refused'],
  ]
  const wanted: Record<string, number> = {}
  for (const [what, answer, status, words, why] of cases) {
    t.match(await answer, { status, words }, what)
    wanted[why] = (wanted[why] ?? 0) + 1
  }
  for (const [why, n] of Object.entries(wanted)) t.equal(await refused(collector, 'otlp', why), n, `counted: ${why}`)
  await verify(t, collector, [good])
})
