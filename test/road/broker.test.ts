// The broker is only routing: it may vanish with all it holds, be replaced by another kind, or be hung.

import t, { type Test } from 'tap'
import { freePort } from '../../core/free-port.ts'
import { aedes, mosquitto, type TestBroker } from '../brokers.ts'
import { eventually, flowing, startRoadCollector, startRoadEdge, verify } from './road.ts'

// These wait for time-outs most of the time.
t.jobs = 3

async function roadOver(t: Test, brokers: readonly string[]) {
  const folder = t.testdir()
  const collector = await startRoadCollector(t, { folder: `${folder}/collector`, brokers })
  const edges = await Promise.all(
    ['north', 'south'].map(node => startRoadEdge(t, { folder: `${folder}/${node}`, node, brokers })),
  )
  await flowing(collector, edges)
  return { collector, edges }
}

type Kind = readonly [string, (t: Test, port: number) => Promise<TestBroker | undefined>]
const five: Kind = ['MQTT 5', (t, port) => mosquitto(t, [], port)]
const three: Kind = ['MQTT 3.1.1', (t, port) => aedes(t, port)]

const replacements: readonly (readonly [Kind, Kind])[] = [
  [five, five],
  [five, three],
  [three, five],
]
for (const [[was, before], [becomes, after]] of replacements) {
  t.test(
    `a broker of ${was} killed and replaced at its address by an empty one of ${becomes} costs nothing`,
    async t => {
      const port = await freePort()
      const first = await before(t, port)
      if (first === undefined) return
      const { collector, edges } = await roadOver(t, [first.url])
      await first.kill()
      if ((await after(t, port)) === undefined) return
      await flowing(collector, edges)
      await verify(t, collector, edges)
    },
  )
}

t.test('a broker that is killed: the next of the list carries on, nothing lost', async t => {
  const first = await mosquitto(t)
  if (first === undefined) return
  const second = await aedes(t)
  const { collector, edges } = await roadOver(t, [first.url, second.url])
  await first.kill()
  await flowing(collector, edges)
  await verify(t, collector, edges)
})

t.test('a broker that hangs: within ten seconds the next of the list carries on, nothing lost', async t => {
  const first = await mosquitto(t)
  if (first === undefined) return
  const second = await mosquitto(t)
  if (second === undefined) return
  const { collector, edges } = await roadOver(t, [first.url, second.url])
  first.hang()
  const begun = performance.now()
  await flowing(collector, edges)
  t.comment(`${Math.round(performance.now() - begun)} ms from the hang until data flows`)
  first.wake()
  await verify(t, collector, edges)
})

t.test('edges that find another broker of the list than the collector come to where it is', async t => {
  const first = await aedes(t)
  const second = await aedes(t)
  const folder = t.testdir()
  const collector = await startRoadCollector(t, { folder: `${folder}/collector`, brokers: [second.url] })
  const brokers = [first.url, second.url]
  const edge = await startRoadEdge(t, { folder: `${folder}/north`, node: 'north', brokers })
  await eventually('data flows', () => collector.running.history.find({ node: 'north' }).length > 0)
  await verify(t, collector, [edge])
})
