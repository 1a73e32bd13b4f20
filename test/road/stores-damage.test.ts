// The collector's files damaged between two runs, while edges go on: it starts again by itself and says so once, takes
// what comes, and stores nothing twice.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { History } from '../../collector/store/history.ts'
import { aedes, until } from '../brokers.ts'
import { seeded } from '../random.ts'
import { ended, startChild } from './child.ts'
import { harms, zero } from './harm.ts'
import { eventually, flowing, isDrained, startRoadCollector, startRoadEdge, verify } from './road.ts'
import { account, Witness } from './witness.ts'

t.jobs = 5

const width = 50

for (const [what, harm] of harms) {
  t.test(`a history ${what} between two runs: what still reads is kept, what comes is there once`, async t => {
    const random = seeded(t)
    const folder = t.testdir()
    const broker = await aedes(t)
    const brokers = [broker.url]
    const at = { folder: `${folder}/collector`, brokers }
    const first = await startRoadCollector(t, at)
    const witness = new Witness({ width, fat: true })
    const edge = await startRoadEdge(t, { folder: `${folder}/north`, node: 'north', brokers, witness })
    await flowing(first, [edge], 100 * width)
    await first.stop()
    const before = witness.told.length
    harm(join(at.folder, 'history.db'), random)
    const second = await startRoadCollector(t, at)
    await eventually('data flows', () => witness.told.length > before + 10 * width)
    edge.quiet()
    const fresh = () => account(witness.told.slice(before), second.running.history, 'north')
    await eventually('what was told since is there', () => fresh().lost.length === 0)
    const { told, lost, doubled } = account(witness.told, second.running.history, 'north')
    t.comment(`${told} told, ${lost.length} not in history`)
    t.equal(doubled.length, 0, 'none twice')
    const parts = second.said.filter(s => s.startsWith('error history: part of a chunk is damaged'))
    const said = second.said.filter(s => s.startsWith('critical history: the file was damaged'))
    const aside = readdirSync(at.folder).filter(name => /^history\.db\.corrupt-\w+$/.test(name))
    t.equal(said.length, aside.length, 'what is set aside is said once')
    t.ok(lost.length === 0 || said.length + parts.length > 0, 'what is lost is said')
  })
}

t.test(
  'a history damaged under a running collector is closed, salvaged and opened again, and nothing is twice',
  async t => {
    const broker = await aedes(t)
    const brokers = [broker.url]
    const folder = t.testdir()
    const at = { folder: `${folder}/collector`, brokers }
    const first = await startRoadCollector(t, at)
    const witness = new Witness({ width, fat: true })
    const edge = await startRoadEdge(t, { folder: `${folder}/north`, node: 'north', brokers, witness })
    await flowing(first, [edge], 100 * width)
    // What it folds when it ends is in the file.
    await first.stop()
    const collector = await startRoadCollector(t, at)
    await flowing(collector, [edge], 10 * width)
    const { history } = collector.running
    const { db } = history
    db.pragma('wal_checkpoint(TRUNCATE)')
    db.pragma('cache_size = 0')
    const root = db.prepare("SELECT rootpage FROM sqlite_master WHERE name = 'chunk_fresh'").pluck().get() as number
    zero(join(collector.folder, 'history.db'), (root - 1) * 8192, 8192)
    db.pragma('shrink_memory')
    t.throws(() => account([], history, 'north'), { code: 'SQLITE_CORRUPT' })
    await eventually('it is opened again', () => collector.running.history !== history)
    await flowing(collector, [edge], 10 * width)
    await verify(t, collector, [edge])
    const said = collector.said.filter(s => s.startsWith('critical'))
    t.match(said, [/the file is damaged; it is closed/, /the file was damaged .* was taken over/])
  },
)

/** The newest rows are in the log; the file itself has little when the crash comes early. */
const ofInbox = [
  { file: 'inbox.db', kinds: ['cut to nothing', 'without its first page', 'with fifty flipped bits'] },
  { file: 'inbox.db-wal', kinds: ['cut in half', 'cut to nothing', 'with a hole of zeros', 'with one flipped bit'] },
].flatMap(({ file, kinds }) =>
  harms.filter(([what]) => kinds.includes(what)).map(([what, harm]) => ({ file, what, harm })),
)

for (const { file, what, harm } of ofInbox) {
  t.test(`${file} ${what} after a crash: what is missing was counted, all else is there once`, async t => {
    const random = seeded(t)
    const folder = t.testdir()
    const broker = await aedes(t)
    const brokers = [broker.url]
    const home = `${folder}/collector`
    const child = await startChild(t, home, broker.url)
    const witness = new Witness({ width, fat: true })
    const edge = await startRoadEdge(t, { folder: `${folder}/north`, node: 'north', brokers, witness })
    await eventually('data flows', () => witness.told.length > 100 * width)
    child.kill('SIGKILL')
    await ended(child)
    harm(join(home, file), random)
    const collector = await startRoadCollector(t, { folder: home, brokers })
    await flowing(collector, [edge], 10 * width)
    edge.quiet()
    await edge.running.edge.flushed()
    await eventually('the spool is empty', () => isDrained(edge))
    const sum = () => account(witness.told, collector.running.history, 'north')
    const given = await collector.metric('fieldline_envelopes_lost_total')
    await until('what is missing was counted', () => sum().lost.length <= given * width, 3000).catch(() => undefined)
    const { told, lost, doubled } = sum()
    t.comment(`${told} told, ${lost.length} not in history, ${given} envelopes counted as lost`)
    t.ok(lost.length <= given * width, 'what is missing was counted')
    t.equal(doubled.length, 0, 'none twice')
    const said = collector.said.filter(s => /inbox: .* was damaged and is set aside/.test(s))
    t.ok(said.length <= 1, 'it is said at most once')
    if (file === 'inbox.db' && lost.length > 0) t.equal(said.length, 1, 'what is set aside is said')
  })
}

t.test(
  'a collector whose folder was lost takes up where the edges are: nothing is missing, and nothing is there twice',
  async t => {
    const folder = t.testdir()
    const broker = await aedes(t)
    const brokers = [broker.url]
    const first = await startRoadCollector(t, { folder: `${folder}/first`, brokers })
    const edge = await startRoadEdge(t, { folder: `${folder}/north`, node: 'north', brokers })
    await flowing(first, [edge])
    await first.stop()
    const second = await startRoadCollector(t, { folder: `${folder}/second`, brokers })
    await flowing(second, [edge])
    edge.quiet()
    await edge.running.edge.flushed()
    await eventually('the spool is empty', () => isDrained(edge))
    const past = new History({ folder: first.folder, say: () => undefined, now: Date.now })
    const before = account(edge.witness.told, past, 'north')
    past.close()
    const rest = (): number => account(before.lost, second.running.history, 'north').lost.length
    await eventually('what the first did not store the second has', () => rest() === 0)
    const after = account(edge.witness.told, second.running.history, 'north')
    // What the first had no time to answer for came to both: one collector cannot know what another had.
    t.strictSame([before.doubled.length, after.doubled.length], [0, 0], 'neither has anything twice')
  },
)
