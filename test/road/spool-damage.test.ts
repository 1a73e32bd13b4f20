// A spool file damaged between two runs of an edge, and under a running one: it goes on by itself, what is missing at
// the far end was declared there, and the operator is told once.

import { join } from 'node:path'
import t, { type Test } from 'tap'
import { freePort } from '../../core/free-port.ts'
import { aedes, until } from '../brokers.ts'
import { seeded } from '../random.ts'
import { flip, harms, sizeOf } from './harm.ts'
import { eventually, isDrained, type RoadCollector, type RoadEdge, startRoadCollector, startRoadEdge } from './road.ts'
import { account, Witness } from './witness.ts'

t.jobs = 3

interface Declared {
  readonly samples: number
  readonly envelopes: number
  /** Damage of which the edge knows only that it may have cost something. */
  readonly unknown: boolean
}

function declared(collector: RoadCollector, node: string): Declared {
  const gaps = collector.events(node, 'fieldline.spool.gap').map(({ body }) => body as Record<string, number>)
  const sum = (key: string): number => gaps.reduce((n, gap) => n + gap[key]!, 0)
  return { samples: sum('samples'), envelopes: sum('envelopes'), unknown: gaps.some(gap => gap.envelopes === 0) }
}

/** What is not in history is at most what was declared to be lost, at the latest with the spool's next transaction. */
async function judge(
  t: Test,
  collector: RoadCollector,
  edge: RoadEdge,
  width: number,
  isKnown: boolean,
): Promise<void> {
  const { node, witness, said } = edge
  const { told, lost, doubled } = account(witness.told, collector.running.history, node)
  const isDeclared = (): boolean => {
    const { envelopes, unknown } = declared(collector, node)
    return lost.length <= envelopes * width || (unknown && !isKnown)
  }
  await until('what is missing was declared', isDeclared, 5000).catch(() => undefined)
  const { samples, envelopes, unknown } = declared(collector, node)
  const open = unknown ? ', and perhaps more' : ''
  t.comment(`${told} told, ${lost.length} not in history; declared: ${samples} samples, ${envelopes} envelopes${open}`)
  t.ok(isDeclared(), 'what is missing was declared')
  t.equal(doubled.length, 0, 'none twice')
  const sayings = said.filter(s => s.startsWith('error spool: the file was damaged')).length
  if (lost.length > 0) t.equal(sayings, 1, 'it was said once')
  else t.ok(sayings <= 1)
}

for (const [what, harm] of harms) {
  t.test(`a spool file ${what} between two runs: the edge goes on, and the collector hears what it cost`, async t => {
    const random = seeded(t)
    const width = 200
    const folder = t.testdir()
    const port = await freePort()
    const brokers = [`mqtt://127.0.0.1:${port}`]
    const witness = new Witness({ width, fat: true })
    const at = { folder: `${folder}/north`, node: 'north', brokers, witness }
    const first = await startRoadEdge(t, at)
    await eventually('there is a backlog', () => witness.told.length > 40 * width)
    await first.stop()
    harm(join(at.folder, 'spool.db'), random)
    await aedes(t, port)
    const collector = await startRoadCollector(t, { folder: `${folder}/collector`, brokers })
    const second = await startRoadEdge(t, at)
    const before = witness.told.length
    await eventually('the source is told yes', () => witness.told.length > before + 5 * width)
    second.quiet()
    await eventually('the spool is empty', () => isDrained(second))
    const fresh = witness.told.slice(before)
    await eventually('what was told after it is there', () => {
      return account(fresh, collector.running.history, 'north').lost.length === 0
    })
    await judge(t, collector, second, width, false)
  })
}

t.test('a spool file damaged under a running edge: it goes on, and declares exactly what is missing', async t => {
  const random = seeded(t)
  const width = 2000
  const folder = t.testdir()
  const port = await freePort()
  const brokers = [`mqtt://127.0.0.1:${port}`]
  const witness = new Witness({ width, fat: true })
  const edge = await startRoadEdge(t, { folder: `${folder}/north`, node: 'north', brokers, witness })
  const file = join(edge.folder, 'spool.db')
  await eventually('more is in the file than SQLite holds in memory', () => sizeOf(file) > 3 * 1024 ** 2)
  flip(file, random, 200)
  const before = witness.told.length
  await eventually('the source is told yes', () => witness.told.length > before + 5 * width)
  await aedes(t, port)
  const collector = await startRoadCollector(t, { folder: `${folder}/collector`, brokers })
  edge.quiet()
  await eventually('the spool is empty', () => isDrained(edge))
  await eventually('what was told after it is there', () => {
    return account(witness.told.slice(before), collector.running.history, 'north').lost.length === 0
  })
  await judge(t, collector, edge, width, true)
})
