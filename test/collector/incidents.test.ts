import t from 'tap'
import { findingId } from '../../collector/finding-ids.ts'
import { Incidents } from '../../collector/incidents.ts'
import { openHistory } from '../../collector/store/history.ts'
import { findingKey, type RecordChange, Records } from '../../collector/store/records.ts'
import type { Finding } from '../../core/model.ts'
import { Place } from '../../core/shape.ts'
import { mutes } from '../../judge/incidents/mutes.ts'
import { collectorIn, Edge, settled } from './ingest/collectors.ts'
import { noon } from './ingest/envelopes.ts'

/** Records with incidents over a folder; what was not saved is lost with `crash`. */
function open(folder: string, muted: readonly object[] = []) {
  const history = openHistory({ folder, say: () => {}, now: () => noon })
  const records = new Records({ db: history.db, file: history, changed: change => changed(change) })
  const incidents = new Incidents({ records, mutes: mutes.read(muted, new Place()) })
  const changed = (change: RecordChange): void => {
    if (change.kind === 'finding') incidents.take(change.finding)
  }
  const save = (): void => records.writeFindings()
  const fold = (): void => {
    records.write()
    records.written()
  }
  const all = () => records.incidents.find({ limit: 100 })
  return { records, incidents, save, fold, all, crash: () => history.close() }
}

function finding(node: string, at: number, more: Partial<Finding> = {}): Finding {
  const told = { message: 'too hot', evidence: { value: 91 } }
  const subject = { node, series: { name: 'press.heat', unit: 'Cel', kind: 'gauge', attributes: {} } } as const
  return { rule: 'hot', kind: 'threshold', severity: 'warning', subject, since: noon + at * 1000, ...told, ...more }
}

t.test('an incident opens, grows, closes and is found again after a restart under the same id', t => {
  const folder = t.testdir()
  const one = open(folder)
  one.records.finding(finding('mill-1', 0))
  one.records.finding(finding('mill-1', 20, { rule: 'full', severity: 'error' }))
  one.save()
  const [before] = one.all()
  t.match(before, { findings: 2, open: 2, severity: 'error', first: noon, nodes: ['mill-1'] })
  one.crash()
  const two = open(folder)
  t.strictSame(two.all(), [before])
  two.records.finding(finding('mill-1', 40, { rule: 'slow' }))
  for (const [rule, at] of [
    ['hot', 0],
    ['full', 20],
    ['slow', 40],
  ] as const)
    two.records.finding(finding('mill-1', at, { rule, until: noon + 90_000 }))
  t.match(two.all(), [{ id: before!.id, findings: 3, open: 0, ended: noon + 90_000 }])
  two.save()
  t.match(two.all(), [{ id: before!.id, findings: 3, open: 0 }])
  t.equal(two.records.incidents.findingsOf(before!.id, 10).length, 3)
  two.crash()
  t.end()
})

t.test('what was not written before a kill comes to the same incidents when it is told again', t => {
  const told = Array.from({ length: 30 }, (_, n) => finding(`h-${n % 7}`, n * 9, { rule: `r${n % 4}` }))
  const never = open(t.testdir())
  for (const one of told) never.records.finding(one)
  const wanted = JSON.stringify(never.all())
  never.crash()
  for (const kill of [0, 1, 7, 15, 29]) {
    const folder = t.testdir({ [`${kill}`]: {} })
    const first = open(`${folder}/${kill}`)
    for (const one of told.slice(0, kill)) first.records.finding(one)
    first.save()
    for (const one of told.slice(kill, kill + 5)) first.records.finding(one)
    first.crash()
    const second = open(`${folder}/${kill}`)
    // The replay begins a little before what was written.
    for (const one of told.slice(Math.max(0, kill - 3))) second.records.finding(one)
    t.equal(JSON.stringify(second.all()), wanted, `killed after ${kill}`)
    second.crash()
  }
  t.end()
})

t.test('a collector that judges, is killed and replays has the same incidents', async t => {
  const folder = t.testdir()
  const rules = [{ type: 'threshold', name: 'hot', metric: 'press.heat', above: 90 }]
  const first = await collectorIn(folder, { rules })
  const edge = new Edge('press-1')
  for (let s = 0; s < 20; s++) {
    first.clock.now = noon + s * 1000
    await first.intake.offer(edge.heat(s * 1000, [s % 10 < 5 ? 95 : 20]))
    await settled(first.intake)
    if (s === 7) first.intake.tick()
  }
  const before = JSON.stringify(first.records.incidents.find({ limit: 10 }))
  t.match(JSON.parse(before), [{ findings: 2, open: 0 }])
  await first.crash()
  const second = await collectorIn(folder, { rules })
  t.equal(JSON.stringify(second.records.incidents.find({ limit: 10 })), before)
  await second.stop()
})

t.test('where a node stands is told by the attributes of its configuration, and incidents go by it', async t => {
  const rules = [{ type: 'threshold', name: 'hot', metric: 'press.heat', above: 90 }]
  const c = await collectorIn(t.testdir(), { rules })
  for (const [n, rack] of ['a', 'a', 'b'].entries()) {
    const node = `press-${n}`
    const edge = new Edge(node, `spool0000${n}`, { 'host.name': node, site: 'south', rack })
    await c.intake.offer(edge.heat(n * 1000, [95]))
  }
  await settled(c.intake)
  const all = c.records.incidents.find({ limit: 10 })
  t.match(
    all.map(({ nodes, place }) => ({ nodes, place })),
    [
      { nodes: ['press-2'], place: { site: 'south', rack: 'b' } },
      { nodes: ['press-0', 'press-1'], place: { site: 'south', rack: 'a' } },
    ],
  )
  await c.stop()
})

t.test('open findings from before there were incidents, or whose marks damage took, are taken up at the start', t => {
  const folder = t.testdir()
  const history = openHistory({ folder, say: () => {}, now: () => noon })
  const records = new Records({ db: history.db })
  for (const n of [1, 2, 3]) records.finding(finding('mill-1', n, { rule: `r${n}` }))
  records.writeFindings()
  history.close()
  const now = open(folder)
  t.match(now.all(), [{ findings: 3, open: 3 }])
  now.crash()
  t.end()
})

t.test(
  'ten thousand findings at once are taken and written as one incident, each counted, a bounded number kept',
  t => {
    const { records, all, save, fold, crash } = open(t.testdir())
    const told = Array.from({ length: 10_000 }, (_, n) => finding(`h-${n}`, n % 30))
    const begun = process.cpuUsage()
    for (const one of told) records.finding(one)
    save()
    const { user, system } = process.cpuUsage(begun)
    t.comment(`${Math.round((user + system) / 1000)} ms of CPU for 10,000 findings and their incidents, written`)
    t.match(all(), [{ findings: 10_000, open: 10_000, hosts: 10_000, common: 'hot' }])
    for (const one of told) records.finding({ ...one, until: noon + 60_000 })
    save()
    fold()
    t.match(all(), [{ findings: 10_000, open: 0 }])
    const kept = records.incidents.findingsOf(all()[0]!.id, 20_000).length
    t.ok(kept <= 1100, `${kept} are kept`)
    crash()
    t.end()
  },
)

t.test('a large incident counts each finding once, though a replay tells them again', t => {
  const folder = t.testdir()
  const told = Array.from({ length: 3000 }, (_, n) => finding(`h-${n}`, n % 30))
  const tell = ({ records, save }: ReturnType<typeof open>): void => {
    for (const one of told) records.finding(one)
    for (const one of told) records.finding({ ...one, until: noon + 60_000 })
    save()
  }
  for (let run = 0; run < 3; run++) {
    const now = open(folder)
    tell(now)
    t.match(now.all(), [{ findings: 3000, open: 0, hosts: 3000 }])
    now.crash()
  }
  t.end()
})

t.test('a mark that damage made something else keeps no collector from its start', t => {
  const folder = t.testdir()
  const first = open(folder)
  first.records.finding(finding('mill-1', 0, { until: noon + 60_000 }))
  first.save()
  first.crash()
  const damaged = openHistory({ folder, say: () => {}, now: () => noon })
  damaged.db.exec('UPDATE incident_finding SET key = substr(key, 2)')
  damaged.close()
  const now = open(folder)
  t.match(now.all(), [{ findings: 1, open: 0 }])
  now.crash()
  t.end()
})

t.test('a muted finding is marked and opens nothing; what goes on when the window ends does', t => {
  const folder = t.testdir()
  const window = {
    name: 'patch',
    node: 'mill-*',
    from: new Date(noon).toISOString(),
    to: new Date(noon + 600_000).toISOString(),
  }
  const one = open(folder, [window])
  one.records.finding(finding('mill-1', 5))
  one.records.finding(finding('mill-2', 6))
  one.records.finding(finding('store-1', 7))
  one.records.finding(finding('mill-2', 6, { until: noon + 100_000 }))
  t.match(one.all(), [{ nodes: ['store-1'], findings: 1 }])
  t.match(one.records.incidents.marked(findingKey(finding('mill-2', 6))), { muted: 'patch', incident: null })
  one.save()
  one.crash()
  const two = open(folder, [window])
  two.incidents.tick(noon + 599_999)
  t.equal(two.all().length, 1)
  two.incidents.tick(noon + 600_000)
  t.match(
    two.all().find(({ nodes }) => nodes[0] === 'mill-1'),
    { findings: 1, open: 1 },
  )
  t.equal(two.all().length, 2, 'what ended in the window stays muted')
  two.save()
  two.crash()
  t.end()
})

t.test('feedback on an incident closes it and lowers that pattern only, until it is taken back', t => {
  const folder = t.testdir()
  const one = open(folder)
  one.records.finding(finding('mill-1', 0))
  const [{ id } = { id: '' }] = one.all()
  const feedback = one.incidents.notAProblem({ incident: id }, 'it is summer', noon + 60_000)
  t.match(feedback, {
    id,
    about: 'incident',
    note: 'it is summer',
    patterns: [{ rule: 'hot', metric: 'press.heat', node: 'mill-1' }],
  })
  t.match(one.all(), [{ id, open: 0, lowered: 1, ended: noon + 60_000 }])
  one.save()
  one.crash()
  const two = open(folder)
  two.records.finding(finding('mill-1', 7200))
  t.equal(two.all().length, 1, 'the pattern opens nothing')
  t.match(two.records.incidents.marked(findingKey(finding('mill-1', 7200))), { lowered: id, incident: null })
  two.records.finding(finding('mill-2', 9000))
  two.records.finding(finding('mill-1', 12_000, { rule: 'full' }))
  two.records.finding(finding('mill-1', 16_000, { severity: 'critical' }))
  t.equal(two.all().length, 4, 'another node, another rule, and worse than what was said to be none do')
  t.ok(two.incidents.takeBack(id, noon + 20_000_000))
  t.notOk(two.incidents.takeBack(id, noon), 'it is gone')
  t.match(
    two.all().find(i => i.id === id),
    { open: 1, lowered: 0 },
  )
  t.equal(two.all().length, 5, 'and what is open of it has an incident again')
  two.crash()
  t.end()
})

t.test('feedback on one finding of an incident leaves the others', t => {
  const { records, incidents, all, crash } = open(t.testdir())
  records.finding(finding('mill-1', 0, { severity: 'critical' }))
  records.finding(finding('mill-1', 5, { rule: 'full' }))
  const id = findingId(findingKey(finding('mill-1', 0)))
  incidents.notAProblem({ finding: id }, '', noon + 9000)
  t.match(all(), [{ open: 1, lowered: 1, leads: [{ rule: 'full' }] }])
  t.throws(() => incidents.notAProblem({ finding: 'unknown' }, '', noon), /none of its findings is known/)
  crash()
  t.end()
})

t.test('said of an incident all over a rack it is about the rack', t => {
  const { records, incidents, all, crash } = open(t.testdir())
  for (const n of [1, 2, 3, 4]) records.describe(records.touch(`a-${n}`, noon), { rack: n < 4 ? 'a' : 'b' })
  for (const n of [1, 2]) records.finding(finding(`a-${n}`, n))
  const [incident] = all()
  t.match(incident, { findings: 2, place: { rack: 'a' } })
  incidents.notAProblem({ incident: incident!.id }, '', noon)
  records.finding(finding('a-3', 4000))
  t.equal(all().length, 1, 'a third host of the rack')
  records.finding(finding('a-4', 4000))
  t.equal(all().length, 2, 'not of another')
  crash()
  t.end()
})

t.test('incidents that are older than what is kept are forgotten, open ones are not', t => {
  const { records, all, save, crash } = open(t.testdir())
  for (const node of ['a', 'b']) records.touch(node, noon + 2_000_000)
  records.finding(finding('a', 0))
  records.finding(finding('b', 0, { until: noon + 1000 }))
  save()
  t.equal(all().length, 2)
  records.retain(noon + 1_000_000)
  t.match(all(), [{ nodes: ['a'] }])
  t.equal(records.incidents.marked(findingKey(finding('b', 0))), undefined)
  crash()
  t.end()
})
