// Nodes that mean no harm and do some: two under one name, one that floods.

import t from 'tap'
import { aedes } from '../brokers.ts'
import { arrived, eventually, flowing, startRoadCollector, startRoadEdge, verify } from './road.ts'
import { account, Witness } from './witness.ts'

t.test('two daemons under one name: the finding names both spools, and the samples of both are kept', async t => {
  const folder = t.testdir()
  const broker = await aedes(t)
  const brokers = [broker.url]
  const collector = await startRoadCollector(t, { folder: `${folder}/collector`, brokers })
  const good = await startRoadEdge(t, { folder: `${folder}/good`, node: 'good', brokers })
  const twins = await Promise.all(
    ['one', 'two'].map(name => {
      const witness = new Witness({ fat: true })
      return startRoadEdge(t, { folder: `${folder}/${name}`, node: 'north', brokers, witness })
    }),
  )
  await eventually('a finding', () => collector.findings('north').length > 0)
  const spools = twins.map(({ running }) => running.spool.id)
  const [finding] = collector.findings('north')
  t.match(finding, { rule: 'name-conflict', severity: 'warning', message: /two daemons send under the name north/ })
  for (const id of spools) t.match(finding?.message, id)
  for (const edge of twins) edge.quiet()
  await arrived(collector, [])
  const told = (): number[] => twins.flatMap(({ witness }) => witness.told)
  const sum = () => account(told(), collector.running.history, 'north')
  await eventually('all is there', () => sum().lost.length === 0)
  t.equal(sum().doubled.length, 0)
  t.equal(collector.findings('good').length, 0)
  await verify(t, collector, [good])
})

t.test(
  'a node that floods is made to wait and is named; another node is as quick as before; nothing is lost',
  async t => {
    const folder = t.testdir()
    const broker = await aedes(t)
    const brokers = [broker.url]
    const limits = { samples_per_second: 10_000 }
    const collector = await startRoadCollector(t, { folder: `${folder}/collector`, brokers, more: { limits } })
    const good = await startRoadEdge(t, { folder: `${folder}/good`, node: 'good', brokers })
    await flowing(collector, [good])
    const slowest = async (probes: number): Promise<number> => {
      let worst = 0
      for (let n = 0; n < probes; n++) {
        const newest = good.witness.told.at(-1)!
        const begun = performance.now()
        await eventually(
          'the newest is there',
          () => account([newest], collector.running.history, 'good').lost.length === 0,
        )
        worst = Math.max(worst, performance.now() - begun)
      }
      return Math.round(worst)
    }
    const before = await slowest(20)
    const flood = await startRoadEdge(t, {
      folder: `${folder}/flood`,
      node: 'flood',
      brokers,
      witness: new Witness({ width: 2000, pause: 1 }),
    })
    await eventually('it is made to wait', () => collector.findings('flood').length > 0)
    t.match(collector.findings('flood'), [
      { rule: 'flood', message: /flood sends more than 10000 samples or .* is made to wait/ },
    ])
    const during = await slowest(20)
    flood.quiet()
    t.comment(`the other node's slowest of 20 until in history: ${before} ms before, ${during} ms during the flood`)
    t.ok(during < 4000, 'it does not wait with the flood')
    t.ok((await collector.metric('fieldline_envelopes_held_total')) > 0)
    t.ok(flood.running.spool.stats().envelopes > 0, 'what waits of the flood is in its own spool')
    t.equal(collector.findings('good').length, 0)
    t.comment(`${flood.witness.told.length} samples of the flood`)
    await verify(t, collector, [good, flood], 60_000)
  },
)
