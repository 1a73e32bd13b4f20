// Two uplinks at once: each has its own place in the spool, and the trouble of one is not the other's.

import { once } from 'node:events'
import { createServer } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { freePort } from '../../core/free-port.ts'
import { aedes } from '../brokers.ts'
import { Listener } from '../core/otlp/heard.ts'
import { type Random, seeded } from '../random.ts'
import {
  arrived,
  eventually,
  flowing,
  isDrained,
  type RoadCollector,
  startRoadCollector,
  startRoadEdge,
  verify,
} from './road.ts'
import { openWay } from './way.ts'
import { account, seriesName } from './witness.ts'

t.jobs = 2

interface Backend {
  readonly url: string
  /** Values it answered for, and how often. */
  readonly taken: ReadonlyMap<number, number>
  /** Values that it took while its answer got lost: those it may have twice. */
  readonly unanswered: ReadonlySet<number>
  readonly failures: number
  /** Whether it may fail. */
  moody: boolean
}

/** An OpenTelemetry backend that keeps no place in our streams, and fails half of the time. */
async function openBackend(t: Test, random: Random): Promise<Backend> {
  const taken = new Map<number, number>()
  const unanswered = new Set<number>()
  const made = { url: '', taken, unanswered, failures: 0, moody: true }
  const listener = new Listener()
  const take = (body: Buffer): readonly number[] => {
    const values = listener.decode(body).flatMap(({ series, value }) => (series.name === seriesName ? [value] : []))
    for (const value of values) taken.set(value, (taken.get(value) ?? 0) + 1)
    return values
  }
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const isMetrics = request.url === '/v1/metrics' && body.length > 0
    const mood = made.moody ? random.below(10) : 9
    if (mood < 5) made.failures++
    if (mood === 0) return void response.socket?.destroy()
    if (mood === 1) return void response.writeHead(503, { 'retry-after': '0' }).end()
    if (mood === 2) return void response.writeHead(429).end('too much')
    if (mood === 3) return void response.writeHead(500).end('out of order')
    const values = isMetrics ? take(gunzipSync(body)) : []
    if (mood > 4) return void response.writeHead(200).end()
    for (const value of values) unanswered.add(value)
    response.socket?.destroy()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const at = server.address()
  made.url = `http://127.0.0.1:${typeof at === 'object' ? at?.port : ''}`
  return made
}

const otlp = (url: string) => ({ type: 'otlp', url: url.replace(/\/$/, '') })
const mqtt = (brokers: readonly string[]) => ({ type: 'mqtt', brokers })

/** Until a value told now is in history, ms. */
async function latency(collector: RoadCollector, told: readonly number[]): Promise<number> {
  const { length } = told
  await eventually('the next is told', () => told.length > length)
  const begun = performance.now()
  const value = told.at(-1)!
  await eventually('it is in history', () => account([value], collector.running.history, 'north').lost.length === 0)
  return performance.now() - begun
}

t.test('a backend that fails half of the time gets everything, and does not slow MQTT to the collector', async t => {
  const random = seeded(t)
  const folder = t.testdir()
  const broker = await aedes(t)
  const backend = await openBackend(t, random)
  const collector = await startRoadCollector(t, { folder: `${folder}/collector`, brokers: [broker.url] })
  const edge = await startRoadEdge(t, {
    folder: `${folder}/north`,
    node: 'north',
    more: { uplinks: [mqtt([broker.url]), otlp(backend.url)] },
  })
  await flowing(collector, [edge])
  let worst = 0
  for (let n = 0; n < 30; n++) worst = Math.max(worst, await latency(collector, edge.witness.told))
  t.ok(worst < 4000, `the slowest of 30 over MQTT took ${Math.round(worst)} ms meanwhile`)
  await eventually('it has failed often', () => backend.failures > 5)
  backend.moody = false
  await arrived(collector, [edge])
  const { told } = edge.witness
  t.comment(`${backend.failures} failures, ${backend.unanswered.size} of ${told.length} values taken without an answer`)
  t.strictSame(told.filter(value => !backend.taken.has(value)).length, 0, 'the backend has all')
  const twice = [...backend.taken].filter(([value, n]) => n > 1 && !backend.unanswered.has(value))
  t.strictSame(twice.length, 0, 'twice only what it took without an answer')
  await verify(t, collector, [edge])
})

t.test('a broker that is gone does not slow OTLP to another collector; both end with everything once', async t => {
  const folder = t.testdir()
  const broker = await aedes(t)
  const way = await openWay(t, broker.port)
  const home = await startRoadCollector(t, { folder: `${folder}/home`, brokers: [broker.url] })
  const cloud = await startRoadCollector(t, { folder: `${folder}/cloud` })
  const edge = await startRoadEdge(t, {
    folder: `${folder}/north`,
    node: 'north',
    more: { uplinks: [mqtt([way.url]), otlp(cloud.running.url)] },
  })
  await flowing(home, [edge])
  await flowing(cloud, [edge])
  way.hold()
  let worst = 0
  const end = performance.now() + 4000
  while (performance.now() < end) worst = Math.max(worst, await latency(cloud, edge.witness.told))
  t.ok(worst < 4000, `the slowest over OTLP took ${Math.round(worst)} ms meanwhile`)
  t.ok(account(edge.witness.told, home.running.history, 'north').lost.length > 0, 'the other is behind')
  way.heal()
  await arrived(cloud, [edge])
  t.strictSame(account(edge.witness.told, cloud.running.history, 'north').doubled.length, 0)
  await verify(t, home, [edge])
})

t.test('an OTLP collector that is away for a while gets everything once, while MQTT goes on', async t => {
  const folder = t.testdir()
  const broker = await aedes(t)
  const listen = `127.0.0.1:${await freePort()}`
  const home = await startRoadCollector(t, { folder: `${folder}/home`, brokers: [broker.url] })
  const at = { folder: `${folder}/cloud`, more: { listen } }
  const cloud = await startRoadCollector(t, at)
  const edge = await startRoadEdge(t, {
    folder: `${folder}/north`,
    node: 'north',
    more: { uplinks: [mqtt([broker.url]), otlp(cloud.running.url)] },
  })
  await flowing(cloud, [edge])
  await cloud.stop()
  await flowing(home, [edge], 300)
  t.notOk(isDrained(edge), 'what the cloud has not is kept')
  await delay(500)
  const back = await startRoadCollector(t, at)
  await arrived(back, [edge])
  t.strictSame(account(edge.witness.told, back.running.history, 'north').doubled.length, 0)
  await verify(t, home, [edge])
})
