import t from 'tap'
import { collectorIn, Edge, settled } from './ingest/collectors.ts'
import { noon } from './ingest/envelopes.ts'

const hour = 3_600_000
const hot = { type: 'threshold', name: 'hot', metric: 'press.heat', above: 90, for: '5s', severity: 'critical' }
const silent = { type: 'silence', name: 'silent' }

type Collector = Awaited<ReturnType<typeof collectorIn>>

/** Findings as `rule since..until`, in seconds after noon. */
function found({ records }: Collector): string[] {
  const seconds = (time: number | undefined): string => (time === undefined ? '' : String((time - noon) / 1000))
  return records.findings({ limit: 50 }).map(f => `${f.rule} ${seconds(f.since)}..${seconds(f.until)}`)
}

/** Sends a value a second for the seconds [from, to), the collector's clock going along. */
async function speak(c: Collector, edge: Edge, from: number, to: number, value = 20, ahead = 0): Promise<void> {
  for (let s = from; s < to; s++) {
    c.clock.now = noon + s * 1000
    await c.intake.offer(edge.heat(s * 1000 + ahead, [value]))
    await settled(c.intake)
    c.intake.tick()
  }
}

/** Lets the collector's clock run without anything coming. */
function wait(c: Collector, from: number, to: number): void {
  for (let s = from; s < to; s++) {
    c.clock.now = noon + s * 1000
    c.intake.tick()
  }
}

t.test('a finding opens when it has lasted, says what it is about, and closes when it ends', async t => {
  const c = await collectorIn(t.testdir(), { rules: [hot] })
  const edge = new Edge('press-1')
  await speak(c, edge, 0, 3, 95)
  t.same(found(c), [])
  await speak(c, edge, 3, 7, 96)
  t.same(found(c), ['hot 0..'])
  t.match(c.records.findings({ limit: 1 }), [
    {
      kind: 'threshold',
      subject: { node: 'press-1', series: { name: 'press.heat' } },
      severity: 'critical',
      message: 'press.heat is 96, above 90 for 5 s',
    },
  ])
  await speak(c, edge, 7, 8, 20)
  t.same(found(c), ['hot 0..7'])
  await c.stop()
})

t.test('a replay after a crash comes to the same findings, and doubles none', async t => {
  const folder = t.testdir()
  const first = await collectorIn(folder, { rules: [hot] })
  const edge = new Edge('press-1')
  await speak(first, edge, 0, 3, 95)
  first.intake.flush()
  await speak(first, edge, 3, 10, 95)
  await speak(first, edge, 10, 12, 20)
  await speak(first, edge, 12, 20, 99)
  const before = found(first)
  t.same(before, ['hot 12..', 'hot 0..10'])
  await first.crash()
  const second = await collectorIn(folder, { rules: [hot] })
  t.same(found(second), before)
  await speak(second, edge, 20, 21, 20)
  t.same(found(second), ['hot 12..20', 'hot 0..10'])
  await second.stop()
})

t.test('a state restored from its checkpoint goes on where it was', async t => {
  const folder = t.testdir()
  const first = await collectorIn(folder, { rules: [hot] })
  const edge = new Edge('press-1')
  await speak(first, edge, 0, 3, 95)
  await first.stop()
  const second = await collectorIn(folder, { rules: [hot] })
  await speak(second, edge, 3, 6, 95)
  t.same(found(second), ['hot 0..'])
  await second.stop()
})

t.test('a rule that was changed or is gone closes what it had found', async t => {
  const folder = t.testdir()
  const first = await collectorIn(folder, { rules: [hot] })
  await speak(first, new Edge('press-1'), 0, 7, 95)
  await first.stop()
  const second = await collectorIn(folder, { rules: [{ ...hot, above: 99 }] })
  t.equal(second.records.openCount(), 0)
  await second.stop()
})

t.test('late samples are not judged, and do not disturb what is', async t => {
  const c = await collectorIn(t.testdir(), { rules: [hot] })
  const edge = new Edge('press-1')
  await speak(c, edge, 100, 103, 95)
  const old = new Edge('press-1')
  edge.rotate()
  await speak(c, edge, 103, 104, 95)
  await c.intake.offer({ ...old.heat(30_000, [10, 10, 10]), seq: 4, previous: 3 }).catch(t.fail)
  await c.intake.offer(edge.heat(105_000, [95]))
  await settled(c.intake)
  t.same(found(c), ['hot 100..'])
  await c.stop()
})

t.test('a node whose clock is set back an hour is judged on from there', async t => {
  const c = await collectorIn(t.testdir(), { rules: [hot, silent] })
  const edge = new Edge('press-1')
  await speak(c, edge, 0, 7, 95)
  t.same(found(c), ['hot 0..'])
  await speak(c, edge, 7, 100, 20, -hour)
  t.same(found(c), ['hot 0..6'])
  await speak(c, edge, 100, 110, 95, -hour)
  t.same(found(c), ['hot -3500..', 'hot 0..6'])
  await speak(c, edge, 110, 200, 20)
  t.same(found(c), ['hot 0..6', 'hot -3500..110'], 'and forth again')
  await c.stop()
})

t.test('a sample of a fresh stream that comes an hour late ends nothing', async t => {
  const c = await collectorIn(t.testdir(), { rules: [hot] })
  const edge = new Edge('press-1')
  await speak(c, edge, 0, 7, 95)
  await speak(c, edge, 7, 8, 20, -hour)
  await speak(c, edge, 8, 30, 95)
  await speak(c, edge, 30, 39, 20, -hour)
  t.same(found(c), ['hot 0..'])
  await speak(c, edge, 39, 45, 20, -hour)
  t.same(found(c), ['hot 0..29'], 'nothing else for ten seconds: the clock was set back')
  await c.stop()
})

t.test('what a detector has learned outlives a clock that is set back, also over a restart', async t => {
  const folder = t.testdir()
  const odd = { type: 'anomaly', name: 'odd', metric: 'press.heat' }
  const first = await collectorIn(folder, { rules: [odd] })
  const edge = new Edge('press-1')
  const values = (n: number, level: number): number[] => Array.from({ length: n }, (_, i) => level + ((i * 7) % 10))
  for (let s = 0; s < 600; s += 60) await first.intake.offer(edge.heat(s * 1000, values(60, 20)))
  await settled(first.intake)
  await first.stop()
  const second = await collectorIn(folder, { rules: [odd] })
  for (let s = 600; s < 700; s++) await speak(second, edge, s, s + 1, 20 + ((s * 7) % 10), -hour)
  t.same(found(second), [])
  await speak(second, edge, 700, 705, 90, -hour)
  t.equal(found(second).length, 1, 'what it learned before makes this news')
  await second.stop()
})

t.test('a node gone quiet is one finding, not one for each of its series, and data ends it', async t => {
  const quiet = { type: 'silence', name: 'quiet', metric: 'press.heat' }
  const c = await collectorIn(t.testdir(), { rules: [silent, quiet] })
  const edge = new Edge('press-1')
  const other = new Edge('press-2')
  wait(c, -70, 0)
  for (let s = 0; s < 60; s++) {
    await speak(c, edge, s, s + 1)
    await speak(c, other, s, s + 1)
  }
  await speak(c, other, 60, 89)
  t.same(found(c), [])
  await speak(c, other, 89, 120)
  t.same(found(c), ['silent 59..'])
  t.match(c.records.findings({ limit: 1 }), [{ subject: { node: 'press-1' }, severity: 'error' }])
  await speak(c, edge, 120, 121)
  t.same(found(c), ['silent 59..120'])
  await c.stop()
})

t.test('a series that stops while its node goes on is found', async t => {
  const quiet = { type: 'silence', name: 'quiet', metric: 'press.heat' }
  const c = await collectorIn(t.testdir(), { rules: [quiet] })
  const edge = new Edge('press-1')
  const load = { name: 'press.load', unit: '1', kind: 'gauge', attributes: {} } as const
  wait(c, -70, 0)
  await speak(c, edge, 0, 20)
  for (let s = 20; s < 60; s++) {
    c.clock.now = noon + s * 1000
    await c.intake.offer(edge.metrics([{ series: load, time: c.clock.now, value: 1 }]))
    await settled(c.intake)
    c.intake.tick()
  }
  t.same(found(c), ['quiet 19..'])
  await speak(c, edge, 60, 61)
  t.same(found(c), ['quiet 19..60'])
  await c.stop()
})

t.test('a node whose clock is an hour behind is not silent while it speaks, and is when it does not', async t => {
  const c = await collectorIn(t.testdir(), { rules: [silent] })
  wait(c, -70, 0)
  await speak(c, new Edge('press-1'), 0, 40, 20, -hour)
  t.same(found(c), [])
  wait(c, 40, 75)
  t.same(found(c), ['silent -3561..'])
  await c.stop()
})

t.test('what the collector missed while it was down is nobody else’s silence', async t => {
  const folder = t.testdir()
  const first = await collectorIn(folder, { rules: [silent] })
  const edge = new Edge('press-1')
  await speak(first, edge, 0, 20)
  await first.stop()
  const second = await collectorIn(folder, { rules: [silent] })
  wait(second, 600, 655)
  t.same(found(second), [])
  await speak(second, edge, 655, 700)
  t.same(found(second), [])
  wait(second, 700, 740)
  t.same(found(second), ['silent 699..'])
  await second.stop()
})

t.test('a node that stays away over a restart is still found silent, once', async t => {
  const folder = t.testdir()
  const first = await collectorIn(folder, { rules: [silent] })
  wait(first, -70, 0)
  await speak(first, new Edge('press-1'), 0, 20)
  wait(first, 20, 60)
  t.same(found(first), ['silent 19..'])
  await first.crash()
  const second = await collectorIn(folder, { rules: [silent] })
  wait(second, 600, 700)
  t.same(found(second), ['silent 19..'])
  await second.stop()
})

t.test('a detector that throws is said, watches that series no longer, and stops nothing', async t => {
  const c = await collectorIn(t.testdir(), { rules: [hot] })
  const edge = new Edge('press-1')
  await speak(c, edge, 0, 1)
  const [ref] = c.history.find({ node: 'press-1' })
  const [watch] = ref!.watch as { state: unknown }[]
  watch!.state = undefined
  await speak(c, edge, 1, 5, 95)
  t.equal(c.all('press-1').length, 5)
  t.equal(c.said.length, 1)
  t.match(c.said[0], /detector hot failed/)
  t.equal(c.judging.stats().failed_watches, 1)
  await c.stop()
})

t.test('one whose finding is open when its detector fails does not stay open for ever', async t => {
  const c = await collectorIn(t.testdir(), { rules: [hot] })
  const edge = new Edge('press-1')
  await speak(c, edge, 0, 7, 95)
  const [ref] = c.history.find({ node: 'press-1' })
  const [watch] = ref!.watch as { state: unknown }[]
  watch!.state = undefined
  await speak(c, edge, 7, 8, 95)
  c.judging.settle(noon + 9000)
  t.same(found(c), ['hot 0..9'])
  await c.stop()
})

t.test('the series of a node are judged together, over a restart, and a clock set back spoils nothing', async t => {
  const folder = t.testdir()
  const rules = [{ type: 'host' }]
  const names = ['a', 'b', 'c', 'd'].map(name => ({ name, unit: '', kind: 'gauge', attributes: {} }) as const)
  const edge = new Edge('press-1')
  let c = await collectorIn(folder, { rules })
  const minutes = async (from: number, to: number, shift = 0, ahead = 0): Promise<void> => {
    for (let m = from; m < to; m++) {
      c.clock.now = noon + m * 60_000
      const time = c.clock.now + ahead
      const value = (n: number): number => 10 * n + ((m * (7 + 2 * n)) % 10) / 10 + (n === 2 ? shift : 0)
      await c.intake.offer(edge.metrics(names.map((series, n) => ({ series, time: time + n, value: value(n) }))))
      await settled(c.intake)
    }
    c.intake.tick()
  }
  await minutes(0, 1500)
  await c.stop()
  c = await collectorIn(folder, { rules })
  await minutes(1500, 3000)
  t.same(found(c), [])
  await minutes(3000, 3010, 20)
  t.equal(c.records.openCount(), 1)
  const [finding] = c.records.findings({ limit: 1 })
  t.match(finding, { rule: 'host', message: /^c is 4\d/, evidence: { blame_1: 'c' } })
  t.same(finding!.subject, { node: 'press-1' })
  await c.crash()
  c = await collectorIn(folder, { rules })
  t.equal(c.records.openCount(), 1)
  await minutes(3010, 3250)
  t.equal(c.records.openCount(), 0)
  await minutes(3250, 3260, 0, -hour)
  t.equal(c.records.openCount(), 0)
  await minutes(3260, 3270, 20, -hour)
  t.equal(c.records.openCount(), 1, 'and what was learned is known still')
  await c.stop()
})

t.test('a group whose detector fails is said once and watched no longer', async t => {
  const c = await collectorIn(t.testdir(), { rules: [{ type: 'host' }] })
  const edge = new Edge('press-1')
  await speak(c, edge, 0, 1)
  const [ref] = c.history.find({ node: 'press-1' })
  const [watch] = ref!.watch as { group: { state: unknown } }[]
  watch!.group.state = undefined
  await speak(c, edge, 1, 5)
  t.match(c.said, [/detector host failed/])
  t.equal(c.judging.stats().failed_watches, 1)
  await c.stop()
})

t.test('a node that was forgotten and comes back is judged as a new one', async t => {
  const c = await collectorIn(t.testdir(), { rules: [silent] })
  const edge = new Edge('press-1')
  wait(c, -70, 0)
  await speak(c, edge, 0, 10)
  wait(c, 10, 45)
  t.same(found(c), ['silent 9..'])
  c.records.retain(noon + 60_000)
  c.judging.settle(noon + 60_000)
  t.equal(c.records.openCount(), 0)
  const ended = found(c)
  await speak(c, edge, 100, 105)
  t.same(found(c), ended)
  await c.stop()
})
