// The network between the broker and one or both sides fails in every way it can.

import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { realHost } from '../../core/host.ts'
import { aedes, mosquitto, type TestBroker } from '../brokers.ts'
import { seeded } from '../random.ts'
import { arrived, eventually, flowing, type RoadEdge, startRoadCollector, startRoadEdge, verify } from './road.ts'
import { openWay, type Way } from './way.ts'
import { account, seriesName, Witness } from './witness.ts'

// These wait for time-outs most of the time.
t.jobs = 3

/** Two edges and a collector, one way to the broker for each side. */
async function roadOver(t: Test, broker: TestBroker) {
  const folder = t.testdir()
  const [up, down] = [await openWay(t, broker.port), await openWay(t, broker.port)]
  const collector = await startRoadCollector(t, { folder: `${folder}/collector`, brokers: [down.url] })
  const edges = await Promise.all(
    ['north', 'south'].map(node => startRoadEdge(t, { folder: `${folder}/${node}`, node, brokers: [up.url] })),
  )
  await flowing(collector, edges)
  return { up, down, collector, edges }
}

/** No trouble is open with anyone's uplink. */
function calm(edges: readonly RoadEdge[]): Promise<void> {
  return eventually('all is well', () => edges.every(({ said }) => said.at(-1)?.startsWith('warning') !== true))
}

const sides: readonly [string, (up: Way, down: Way) => Way[]][] = [
  ['the edges', up => [up]],
  ['the collector', (_, down) => [down]],
  ['both sides', (up, down) => [up, down]],
]

for (const [who, pick] of sides) {
  t.test(
    `a cable pulled between the broker and ${who} for six seconds costs nothing, and nothing is there twice`,
    async t => {
      const broker = await mosquitto(t)
      if (broker === undefined) return
      const { up, down, collector, edges } = await roadOver(t, broker)
      const ways = pick(up, down)
      for (const way of ways) way.hold()
      await delay(6000)
      for (const way of ways) way.heal()
      await verify(t, collector, edges)
    },
  )
}

t.test('connections reset at random moments, in a slow network, cost nothing', async t => {
  const random = seeded(t)
  const { up, down, collector, edges } = await roadOver(t, await aedes(t))
  for (let n = 0; n < 15; n++) {
    await delay(random() * 300)
    const way = random.pick([up, down])
    way.slow(random() * 40)
    way.reset()
  }
  for (const way of [up, down]) way.slow(0)
  await verify(t, collector, edges)
})

t.test('a network that refuses every connection is said once, and once that it works again', async t => {
  const { up, collector, edges } = await roadOver(t, await aedes(t))
  await calm(edges)
  const before = edges.map(({ said }) => said.length)
  up.cut()
  await eventually('it is said', () => edges.every(({ said }, n) => said.length > before[n]!))
  const held = edges.map(({ running }) => running.spool.stats().envelopes)
  t.ok(
    held.every(n => n > 0),
    `${held} envelopes wait in the spools`,
  )
  up.heal()
  await verify(t, collector, edges)
  for (const [n, edge] of edges.entries()) {
    const said = edge.said.slice(before[n])
    t.match(said, [/^warning uplink mqtt: nothing gets through: /, /^info uplink mqtt: works again after/])
    t.equal(said.length, 2)
  }
})

t.test('after a long outage fresh data is in history while the backlog still drains', async t => {
  const folder = t.testdir()
  const broker = await aedes(t)
  const way = await openWay(t, broker.port)
  let skipped = 0
  const rule = { type: 'threshold', metric: 'witness', where: { n: 0 }, above: -1 }
  const host = { ...realHost(), now: () => Date.now() + skipped, monotonic: () => performance.now() + skipped }
  const collector = await startRoadCollector(t, {
    folder: `${folder}/collector`,
    brokers: [broker.url],
    more: { limits: { samples_per_second: 10_000_000 }, detectors: [rule] },
  })
  const edge = await startRoadEdge(t, {
    folder: `${folder}/edge`,
    node: 'north',
    brokers: [way.url],
    witness: new Witness({ width: 2000, fat: true }),
    more: { backlog_rate: '400KiB' },
    seams: { host },
  })
  const { witness, running } = edge
  await flowing(collector, [edge])
  await calm([edge])
  way.cut()
  await eventually('the outage is felt', () => edge.said.at(-1)?.startsWith('warning') === true)
  // Half a MiB goes before the pump knows that the outage is over, and another may always gather.
  await eventually('there is a backlog', () => running.spool.stats().bytes > 2.5e6)
  witness.pause = 100
  skipped = 11_000
  way.heal()
  const fresh = witness.read
  const heal = host.now()
  const refs = collector.running.history.find({ node: 'north', name: seriesName, attributes: { n: 0 } })
  const newest = (): number =>
    Math.max(...refs.flatMap(ref => [...collector.running.history.range(ref, heal, 8e15).values]))
  await eventually('something fresh is there', () => newest() > fresh + 4000)
  const old = account(witness.told, collector.running.history, 'north').lost.filter(value => value < fresh).length
  t.ok(old > 0, `${old} samples of the backlog were still to come when the first fresh one was there`)
  await arrived(collector, [edge])
  const findings = collector.findings('north').map(({ rule, until }) => ({ rule, until }))
  t.strictSame(findings, [{ rule: 'threshold', until: undefined }], 'what lasted all the time is one finding')
  await verify(t, collector, [edge])
})
