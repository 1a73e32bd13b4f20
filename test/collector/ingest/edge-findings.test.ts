import t from 'tap'
import { mostAtOnce, mostMissed, mostOpen } from '../../../collector/ingest/edge-findings.ts'
import { findingEvent, findingToEvent } from '../../../core/finding-event.ts'
import type { Event, Finding } from '../../../core/model.ts'
import { collectorIn, Edge, heat, settled } from './collectors.ts'
import { noon } from './envelopes.ts'

type Collector = Awaited<ReturnType<typeof collectorIn>>

const minute = 60_000
const hot = { type: 'threshold', name: 'hot', metric: 'press.heat', above: 90 }

function told(state: 'opened' | 'updated' | 'closed', at: number, more: Partial<Finding> = {}): Event {
  const finding: Finding = {
    rule: 'hot',
    kind: 'threshold',
    subject: { node: 'press-1', series: heat },
    severity: 'critical',
    since: noon,
    message: `as of ${at}`,
    evidence: { value: 96 },
    ...(state === 'closed' && { until: noon + at }),
    ...more,
  }
  return findingToEvent(finding, state, noon + at)
}

async function tell(c: Collector, edge: Edge, ...events: readonly Event[]): Promise<void> {
  await c.intake.offer(edge.events(events))
  await settled(c.intake)
}

function found(c: Collector): string[] {
  return c.records
    .findings({ limit: 100 })
    .map(
      ({ rule, since, until, message }) =>
        `${rule} ${since - noon}..${until === undefined ? '' : until - noon} ${message}`,
    )
}

t.test('what an edge finds stands beside what the collector finds, apart by its rule', async t => {
  const c = await collectorIn(t.testdir(), { rules: [hot] })
  const edge = new Edge('press-1')
  await c.intake.offer(edge.heat(0, [96]))
  await tell(c, edge, told('opened', 0))
  t.same(found(c).sort(), ['edge:hot 0.. as of 0', 'hot 0.. press.heat is 96, above 90'])
  t.match(c.records.findings({ limit: 2 })[0]?.subject, { node: 'press-1', series: heat })
  t.equal(c.records.events({ limit: 9 }).filter(e => e.name === findingEvent).length, 1)
  c.judging.settle(noon)
  t.equal(c.records.openCount(), 2, 'nobody here stands behind it, and yet it goes on')
  await tell(c, edge, told('closed', 9000))
  t.same(found(c), ['hot 0.. press.heat is 96, above 90', 'edge:hot 0..9000 as of 9000'])
  await c.stop()
})

t.test('told late, twice or after a crash it is the same', async t => {
  const folder = t.testdir()
  const first = await collectorIn(folder)
  const edge = new Edge('press-1')
  await tell(first, edge, told('opened', 0), told('updated', 5000))
  await tell(first, edge, told('updated', 3000), told('opened', 0))
  t.same(found(first), ['edge:hot 0.. as of 5000'])
  await first.crash()
  const second = await collectorIn(folder)
  t.same(found(second), ['edge:hot 0.. as of 5000'])
  await tell(second, edge, told('closed', 9000))
  await tell(second, edge, told('updated', 7000), told('opened', 0))
  t.same(found(second), ['edge:hot 0..9000 as of 9000'], 'it has ended')
  await tell(second, edge, told('closed', 9000))
  t.same(found(second), ['edge:hot 0..9000 as of 9000'])
  await second.stop()
})

t.test('an end of which the beginning was lost is a finding that has ended', async t => {
  const c = await collectorIn(t.testdir())
  await tell(c, new Edge('press-1'), told('closed', 9000))
  t.same(found(c), ['edge:hot 0..9000 as of 9000'])
  await c.stop()
})

t.test('what is told no longer while its node goes on is over; of a silent node it stays', async t => {
  const c = await collectorIn(t.testdir())
  const edge = new Edge('press-1')
  await tell(c, edge, told('opened', 0))
  for (let n = 0; n < 2 * mostMissed; n++) {
    c.clock.now += minute
    c.intake.tick()
  }
  t.same(found(c), ['edge:hot 0.. as of 0'])
  for (let n = 0; n < 2 * mostMissed; n++) {
    c.clock.now += minute
    const time = c.clock.now - noon
    await c.intake.offer(edge.heat(time, [20]))
    if (n === mostMissed - 9) await tell(c, edge, told('updated', time))
    c.intake.tick()
    if (n === mostMissed) t.equal(c.records.openCount(), 1)
  }
  t.match(found(c)[0], /^edge:hot 0\.\.\d+ as of/)
  await c.stop()
})

t.test('a broken edge cannot flood: so many open, so many new; more are left out, and that is told', async t => {
  const c = await collectorIn(t.testdir())
  const edge = new Edge('press-1')
  const many = (from: number, count: number, state: 'opened' | 'closed'): Event[] =>
    Array.from({ length: count }, (_, n) =>
      told(state, 0, { rule: `r${from + n}`, ...(state === 'closed' && { until: noon }) }),
    )
  await tell(c, edge, ...many(0, mostOpen + 100, 'opened'))
  const ofEdge = (): number => c.records.openFindings().filter(f => f.rule.startsWith('edge:')).length
  t.equal(ofEdge(), mostOpen)
  t.match(
    c.records.openFindings().find(f => f.kind === 'ingest'),
    { rule: 'findings-left-out', subject: { node: 'press-1' } },
  )
  await tell(c, edge, ...many(0, mostOpen, 'closed'))
  t.equal(ofEdge(), 0, 'ends are always taken')
  await tell(c, edge, ...many(mostOpen, mostAtOnce, 'closed'))
  const all = c.records.findings({ limit: 100_000 }).filter(f => f.rule.startsWith('edge:'))
  t.equal(all.length, mostAtOnce)
  const other = new Edge('press-2')
  await tell(c, other, told('opened', 0, { subject: { node: 'press-2', series: heat } }))
  t.equal(ofEdge(), 1, 'another node is not concerned')
  await c.stop()
})

t.test('what is none, or of the future, is left out and told; the event is kept', async t => {
  const c = await collectorIn(t.testdir())
  const edge = new Edge('press-1')
  const future = told('opened', 0, { since: noon + 30 * 3_600_000 })
  await tell(c, edge, { ...told('opened', 0), body: { rule: 'hot' } }, future)
  t.match(c.records.openFindings(), [
    { rule: 'findings-left-out', message: /press-1 tells of findings that are not taken/ },
  ])
  t.equal(c.records.openCount(), 1)
  t.equal(c.records.events({ limit: 9 }).length, 2)
  await c.stop()
})
