// Clocks that are stepped by an hour, forward and back, under running daemons.

import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { realHost } from '../../core/host.ts'
import { aedes, until } from '../brokers.ts'
import { arrived, eventually, flowing, type RoadCollector, startRoadCollector, startRoadEdge, verify } from './road.ts'
import { account, Witness } from './witness.ts'

t.jobs = 2

const hour = 3_600_000
/** The last one is back: what only the leap forward made last long must then be over. */
const steps = [-hour, 0, hour, 0]

function open(collector: RoadCollector): string[] {
  const findings = collector.running.view.findings({ open: true, limit: 100 })
  return findings.map(({ rule, subject, message }) => `${rule} ${subject.node}: ${message}`)
}

t.test(
  'an edge whose clock is stepped by an hour and back: all there once, no stall, no finding stays open',
  async t => {
    const folder = t.testdir()
    const broker = await aedes(t)
    let offset = 0
    const host = { ...realHost(), now: () => Date.now() + offset }
    const rules = [
      { type: 'silence', after: '5s' },
      { type: 'threshold', name: 'lasting', metric: 'witness', above: -1, for: '30m' },
    ]
    const at = { folder: `${folder}/collector`, brokers: [broker.url], more: { detectors: rules } }
    const collector = await startRoadCollector(t, at)
    const polled = new Witness()
    const seams = { host }
    const brokers = [broker.url]
    const edges = [
      await startRoadEdge(t, { folder: `${folder}/north`, node: 'north', brokers, seams }),
      await startRoadEdge(t, {
        folder: `${folder}/south`,
        node: 'south',
        brokers,
        seams,
        witness: polled,
        source: polled.polled,
      }),
    ]
    for (const step of steps) {
      await flowing(collector, edges, 12)
      offset = step
      const begun = performance.now()
      await flowing(collector, edges, 12)
      t.ok(performance.now() - begun < 10_000, `no stall after a step to ${step / hour} h`)
    }
    const all = collector.running.view.findings({ limit: 100 })
    t.ok(
      all.some(f => f.rule === 'lasting'),
      'the step forward did open findings',
    )
    // A series has to stay back for ten seconds.
    await until('no finding is open', () => open(collector).length === 0, 30_000).catch(() => undefined)
    t.strictSame(open(collector), [])
    await arrived(collector, edges)
    const { stored, doubled } = account([], collector.running.history, 'south')
    t.strictSame([stored, doubled.length], [polled.read, 0], 'what was polled is there once')
    await verify(t, collector, edges.slice(0, 1))
  },
)

t.test(
  'a collector whose clock is stepped by an hour and back: all there once, and silence is still found',
  async t => {
    const folder = t.testdir()
    const broker = await aedes(t)
    let offset = 0
    const collector = await startRoadCollector(t, {
      folder: `${folder}/collector`,
      brokers: [broker.url],
      more: { detectors: [{ type: 'silence', after: '30s' }] },
      seams: { now: () => Date.now() + offset },
    })
    const edges = await Promise.all(
      ['north', 'south'].map(node => startRoadEdge(t, { folder: `${folder}/${node}`, node, brokers: [broker.url] })),
    )
    // The collector looks once a second; a leap of more than 30 s between two looks would be one more step to it.
    const pass = async (seconds: number): Promise<void> => {
      for (let n = 0; n < seconds / 10; n++) {
        offset += 10_000
        await delay(600)
      }
    }
    for (const step of steps) {
      await flowing(collector, edges)
      offset = step
      const begun = performance.now()
      await flowing(collector, edges)
      await delay(1100)
      t.ok(performance.now() - begun < 10_000, `no stall after a step to ${step / hour} h`)
      t.strictSame(open(collector), [])
    }
    await pass(70)
    t.strictSame(open(collector), [], 'nothing is open after the time in which silence proves nothing')
    const [north, south] = edges as [(typeof edges)[0], (typeof edges)[0]]
    await north.stop()
    await pass(40)
    await eventually('its silence is found', () => open(collector).length > 0)
    t.match(open(collector), [/^silence north: nothing has come from it since/])
    const { witness } = north
    const back = await startRoadEdge(t, { folder: `${folder}/north`, node: 'north', brokers: [broker.url], witness })
    await eventually('it is over', () => open(collector).length === 0)
    await verify(t, collector, [back, south])
  },
)
