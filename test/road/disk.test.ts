// Disks without room, at either end of the road.

import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { aedes } from '../brokers.ts'
import { arrived, eventually, flowing, isDrained, startRoadCollector, startRoadEdge, verify } from './road.ts'
import { smallDisk } from './small-disk.ts'
import { account, Witness } from './witness.ts'

t.test(
  'a collector without room gives no receipt and says so once; edges keep everything, and all is there once',
  async t => {
    const disk = smallDisk(t, 8)
    const folder = t.testdir()
    const broker = await aedes(t)
    const seams = disk.open && { open: disk.open }
    const collector = await startRoadCollector(t, {
      folder: disk.folder,
      brokers: [broker.url],
      ...(seams && { seams }),
    })
    const edges = await Promise.all(
      ['north', 'south'].map(node => startRoadEdge(t, { folder: `${folder}/${node}`, node, brokers: [broker.url] })),
    )
    await flowing(collector, edges)
    disk.fill()
    await eventually('it is said', () =>
      collector.said.some(s => /cannot commit .* nothing is taken until it can/.test(s)),
    )
    const committed = await collector.metric('fieldline_samples_committed_total')
    await delay(1500)
    t.equal(await collector.metric('fieldline_samples_committed_total'), committed, 'no receipt while it is full')
    t.ok((await collector.metric('fieldline_commits_failed_total')) > 0)
    t.notOk(edges.some(isDrained), 'the edges keep what is not committed')
    disk.empty()
    await verify(t, collector, edges)
    t.equal(collector.said.filter(s => /cannot commit/.test(s)).length, 1, 'the trouble is said once')
    t.equal(collector.said.filter(s => /inbox: works again/.test(s)).length, 1, 'and its end')
  },
)

t.test(
  'an edge without room tells its source no, goes on by itself, and loses nothing that it told was safe',
  async t => {
    const disk = smallDisk(t, 2)
    const broker = await aedes(t)
    const collector = await startRoadCollector(t, { folder: t.testdir(), brokers: [broker.url] })
    const edge = await startRoadEdge(t, {
      folder: disk.folder,
      node: 'north',
      brokers: [broker.url],
      witness: new Witness({ width: 500, fat: true }),
      ...(disk.open && { seams: { open: disk.open } }),
    })
    await flowing(collector, [edge])
    await broker.kill()
    disk.fill()
    await eventually('the source is told no', () => edge.witness.throws > 5)
    const throws = edge.witness.throws
    disk.empty()
    await aedes(t, broker.port)
    const told = edge.witness.told.length
    await eventually('it is told yes again', () => edge.witness.told.length > told + 1000)
    t.comment(`${throws} times it was told no`)
    await verify(t, collector, [edge])
    t.equal(edge.said.filter(s => s.startsWith('error spool: cannot store')).length, 1, 'said once')
    t.equal(edge.said.filter(s => s === 'info spool: can store again').length, 1, 'and its end')
  },
)

t.test('a polled source on a full disk keeps readings, and what it loses of them it counts in-band', async t => {
  const disk = smallDisk(t, 2)
  const broker = await aedes(t)
  const collector = await startRoadCollector(t, { folder: t.testdir(), brokers: [broker.url] })
  const width = 2000
  const witness = new Witness({ width, fat: true })
  const edge = await startRoadEdge(t, {
    folder: disk.folder,
    node: 'north',
    brokers: [broker.url],
    witness,
    source: witness.polled,
    ...(disk.open && { seams: { open: disk.open } }),
  })
  const { history } = collector.running
  const lost = (): number => {
    const [ref] = history.find({ node: 'north', name: 'fieldline.source.lost' })
    return ref === undefined ? 0 : history.range(ref, 0, Number.MAX_SAFE_INTEGER).values.at(-1)!
  }
  const readings = (): number => account([], history, 'north').stored / width
  await eventually('data flows', () => readings() > 0)
  await broker.kill()
  disk.fill()
  await eventually('it is said', () => edge.said.some(s => s.includes('cannot hand on readings, keeping them')))
  const full = witness.read
  await eventually('more is read than is kept', () => witness.read > full + 8 * width)
  disk.empty()
  await aedes(t, broker.port)
  await eventually('it goes on', () => edge.said.some(s => s.includes('hands on readings again')))
  await eventually('the loss is told', () => lost() > 0)
  await arrived(collector, [edge])
  // Each reading brings its duration and success along, some what was lost or skipped before; those are counted too.
  const [stored, given] = [readings(), Math.floor(lost() / (width + 2))]
  t.ok(given >= 1)
  t.equal(stored + given, witness.read / width, `${stored} readings in history, ${given} counted as lost`)
  t.equal(account([], history, 'north').doubled.length, 0)
})
