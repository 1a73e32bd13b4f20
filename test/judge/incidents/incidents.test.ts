import t from 'tap'
import { causeOf, causeText } from '../../../judge/incidents/cause.ts'
import { random } from '../../random.ts'
import { Fleet, noon, reportOf } from './fleet.ts'

const rack = (name: string, site = 'south') => ({ node_attributes: { site, rack: name } })

t.test(
  'findings of one host within minutes are one incident; it closes with the last, and hours later is another',
  t => {
    const fleet = new Fleet()
    const first = fleet.tell({ node: 'mill-1', at: 0 })
    t.equal(fleet.tell({ node: 'mill-1', rule: 'slow', metric: 'http.latency', at: 200 }), first)
    t.equal(fleet.tell({ node: 'mill-1', rule: 'full', metric: 'system.filesystem.utilization', at: 480 }), first)
    t.match(fleet.grouping.get(first!), { findings: 3, open: 3, hosts: 1, nodes: ['mill-1'] })
    t.not(fleet.tell({ node: 'mill-1', rule: 'other', metric: 'x', at: 3 * 3600 }), first, 'though it is open')
    fleet.end({ node: 'mill-1', at: 0 }, 500)
    fleet.end({ node: 'mill-1', rule: 'slow', metric: 'http.latency', at: 200 }, 900)
    fleet.end({ node: 'mill-1', rule: 'full', metric: 'system.filesystem.utilization', at: 480 }, 600)
    t.match(fleet.grouping.get(first!), { open: 0, ended: noon + 900_000 })
    t.end()
  },
)

t.test('a finding that is told late but began before belongs to it, and sets its beginning', t => {
  const fleet = new Fleet()
  const id = fleet.tell({ node: 'mill-1', at: 100 })
  t.equal(fleet.tell({ node: 'mill-1', rule: 'early', at: -150 }), id)
  t.equal(fleet.grouping.get(id!)!.first, noon - 150_000)
  t.end()
})

t.test('an incident does not go on for ever because something new keeps coming', t => {
  const fleet = new Fleet()
  for (let at = 0; at < 4 * 3600; at += 240) fleet.tell({ node: 'mill-1', rule: `rule-${at}`, at })
  t.equal(fleet.ids.length, 8, 'half an hour each')
  t.end()
})

t.test('what has become a part of another ends with it, though thousands of incidents were over before', t => {
  const fleet = new Fleet()
  const hosts = ['a', 'b', 'c', 'd']
  for (const [at, node] of hosts.entries()) fleet.tell({ node, rule: 'hot', at })
  t.match(fleet.incidents(), [{ findings: 4, open: 4 }])
  for (let n = 1; n <= 2100; n++) {
    fleet.tell({ node: `x-${n}`, rule: `rule-${n}`, at: n * 7200 })
    fleet.end({ node: `x-${n}`, rule: `rule-${n}`, at: n * 7200 }, n * 7200 + 60)
  }
  const whole = fleet.ids[0]!
  for (const [at, node] of hosts.entries())
    fleet.grouping.tell(reportOf({ node, rule: 'hot', at, until: 2101 * 7200 }).report, whole, false)
  t.match(fleet.grouping.get(whole), { findings: 4, open: 0 })
  t.end()
})

t.test('what flaps is one incident, however long it does', t => {
  const fleet = new Fleet()
  for (let at = 0; at < 4 * 3600; at += 120) {
    fleet.tell({ node: 'mill-1', at })
    fleet.end({ node: 'mill-1', at }, at + 60)
  }
  t.equal(fleet.ids.length, 1)
  t.match(fleet.incidents()[0], { findings: 120, open: 0 })
  t.not(fleet.tell({ node: 'mill-1', at: 5 * 3600 }), fleet.ids[0])
  t.end()
})

t.test('hosts of one rack are one, other racks at the same time are not', t => {
  const fleet = new Fleet()
  const one = fleet.tell({ node: 'a-1', rule: 'fan', at: 0, ...rack('a') })
  t.equal(fleet.tell({ node: 'a-2', rule: 'heat', at: 20, ...rack('a') }), one)
  const other = fleet.tell({ node: 'b-1', rule: 'full', at: 10, ...rack('b') })
  t.not(other, one)
  t.equal(fleet.tell({ node: 'b-2', rule: 'slow', at: 30, ...rack('b') }), other)
  t.not(fleet.tell({ node: 'a-9', rule: 'lag', at: 30, ...rack('a', 'north') }), one, 'a rack of another site')
  t.strictSame(fleet.grouping.get(one!)!.place, { site: 'south', rack: 'a' })
  t.end()
})

t.test('where hosts tell no more than their site, only what comes within a minute is together', t => {
  const fleet = new Fleet()
  const site = { node_attributes: { site: 'south' } }
  const one = fleet.tell({ node: 'a', rule: 'x', at: 0, ...site })
  t.equal(fleet.tell({ node: 'b', rule: 'y', at: 50, ...site }), one)
  t.not(fleet.tell({ node: 'c', rule: 'z', at: 170, ...site }), one)
  t.end()
})

t.test('one gateway reads many beds, and each bed is its own', t => {
  const fleet = new Fleet()
  const bed = (name: string) => ({ node: 'ward-gw', series: { bed: name } })
  const one = fleet.tell({ ...bed('304-1'), rule: 'spo2-low', metric: 'mdc.spo2', at: 0 })
  t.equal(fleet.tell({ ...bed('304-1'), rule: 'pulse', metric: 'mdc.pulse', at: 30 }), one)
  t.not(fleet.tell({ ...bed('304-2'), rule: 'pressure', metric: 'mdc.press', at: 30 }), one)
  t.end()
})

t.test('two nodes that are one host are one', t => {
  const fleet = new Fleet()
  const host = { node_attributes: { 'host.name': 'mill-1' } }
  t.equal(fleet.tell({ node: 'mill-1', at: 0, ...host }), fleet.tell({ node: 'sidecar', rule: 'x', at: 5, ...host }))
  t.end()
})

t.test('the same rule on hosts all over at one moment has one common cause; what else is there stays apart', t => {
  const fleet = new Fleet()
  const silent = (n: number) => ({ node: `h-${n}`, rule: 'silent', kind: 'silence', metric: null, ...rack(`r${n}`) })
  const apart = fleet.tell({ node: 'z', rule: 'full', at: 5, ...rack('z') })
  for (let n = 0; n < 12; n++) fleet.tell({ ...silent(n), at: n / 2 })
  const all = fleet.incidents()
  t.equal(all.length, 2)
  t.match(
    all.find(i => i.id !== apart),
    { findings: 12, open: 12, hosts: 12, common: 'silent', place: { site: 'south' } },
  )
  t.match(fleet.grouping.get(apart!), { findings: 1, common: null })
  t.not(fleet.tell({ ...silent(20), at: 400 }), all.find(i => i.id !== apart)!.id, 'minutes later is another')
  t.end()
})

t.test('what became a part ends with its findings, though thousands of others have come and gone since', t => {
  const fleet = new Fleet()
  const common = ['a', 'b', 'c'].map((node, n) => ({ node, at: n }))
  for (const one of common) fleet.tell(one)
  for (let n = 0; n < 2100; n++) {
    const other = { node: `n-${n}`, rule: `r-${n}`, at: 10_000 + n * 60 }
    fleet.tell(other)
    fleet.end(other, other.at + 1)
  }
  t.equal(fleet.grouping.get(fleet.ids[1]!), undefined, 'the part is forgotten')
  for (const one of common) fleet.end(one, 200_000)
  t.match(fleet.grouping.get(fleet.ids[0]!), { findings: 3, open: 0, ended: noon + 200_000_000 })
  t.end()
})

t.test('a rule that is told now and then all over the fleet makes no common cause of chance', t => {
  const fleet = new Fleet()
  // Three a minute at three hosts of a thousand, for three hours; then forty within ten seconds.
  let n = 0
  const novel = () => ({ node: `h-${n}`, rule: 'novel', metric: 'x', ...rack(`r${n++}`) })
  for (let at = 0; at < 3 * 3600; at += 20) fleet.tell({ ...novel(), at })
  const { length } = fleet.incidents()
  const late = fleet.incidents().filter(({ first }) => first > noon + 2 * 3_600_000)
  t.ok(
    late.every(({ findings }) => findings < 4),
    'in the last hour nothing was put together',
  )
  for (let k = 0; k < 40; k++) fleet.tell({ ...novel(), at: 3 * 3600 + 600 + k / 4 })
  t.equal(fleet.incidents().length, length + 1)
  t.end()
})

t.test('ten thousand findings at once are a handful of incidents', async t => {
  const storms: Readonly<Record<string, (n: number) => Parameters<Fleet['tell']>[0]>> = {
    'one rule on ten thousand hosts': n => ({ node: `h-${n}`, at: n % 20, ...rack(`r${n % 400}`) }),
    'ten rules on a thousand hosts': n => ({
      node: `h-${n % 1000}`,
      rule: `r${Math.floor(n / 1000)}`,
      at: n % 30,
      ...rack(`k${n % 40}`),
    }),
    'each another rule on another host': n => ({ node: `h-${n}`, rule: `r${n}`, metric: `m${n}`, at: n % 20 }),
    'a thousand series of ten hosts': n => ({ node: `h-${n % 10}`, metric: `m${n}`, at: n % 60 }),
    'hosts that tell no place': n => ({ node: `h-${n}`, rule: `r${n % 7}`, at: n % 10 }),
  }
  for (const [name, storm] of Object.entries(storms)) {
    const fleet = new Fleet()
    const random10k = shuffled(10_000)
    const begun = process.cpuUsage()
    for (const n of random10k) fleet.tell({ ...storm(n) })
    const { user, system } = process.cpuUsage(begun)
    const all = fleet.incidents()
    t.ok(all.length <= 10, `${name}: ${all.length} incidents, ${Math.round((user + system) / 1000)} ms of CPU`)
    t.equal(
      all.reduce((sum, { findings }) => sum + findings, 0),
      10_000,
      'each is counted once',
    )
    t.ok(
      all.every(i => JSON.stringify(i).length < 40_000),
      'and an incident stays small',
    )
  }
})

function shuffled(count: number): number[] {
  const chance = random(7)
  const all = Array.from({ length: count }, (_, n) => n)
  for (let n = count - 1; n > 0; n--) {
    const other = chance.below(n + 1)
    ;[all[n], all[other]] = [all[other]!, all[n]!]
  }
  return all
}

t.test('two troubles on two racks during a storm of a third are no part of it', t => {
  const fleet = new Fleet()
  const x = fleet.tell({ node: 'x', rule: 'full', at: 0, ...rack('x') })
  const y = fleet.tell({ node: 'y', rule: 'raid', at: 3, ...rack('y') })
  for (let n = 0; n < 500; n++) fleet.tell({ node: `c-${n}`, rule: `r${n % 9}`, at: n % 30, ...rack('c') })
  t.equal(fleet.incidents().length, 3)
  t.equal(fleet.grouping.get(x!)!.findings + fleet.grouping.get(y!)!.findings, 2)
  t.end()
})

t.test('what was called "not a problem" opens nothing, joins what is there, and leads nowhere', t => {
  const fleet = new Fleet()
  t.equal(fleet.tell({ node: 'a', rule: 'known', severity: 'critical', at: 0, lowered: true }), undefined)
  const id = fleet.tell({ node: 'a', rule: 'new', at: 10 })!
  t.equal(fleet.tell({ node: 'a', rule: 'known', severity: 'critical', at: 20, lowered: true }), id)
  t.match(fleet.grouping.get(id), { findings: 2, open: 1, lowered: 1, severity: 'warning', leads: [{ rule: 'new' }] })
  fleet.end({ node: 'a', rule: 'new', at: 10 }, 30)
  t.equal(fleet.grouping.get(id)!.open, 0)
  t.end()
})

t.test('saying so later takes its weight from it, and taking it back gives it again', t => {
  const fleet = new Fleet()
  const id = fleet.tell({ node: 'a', at: 0 })!
  const { report } = reportOf({ node: 'a', at: 0 })
  fleet.grouping.lower(report, id, true, noon + 60_000)
  t.match(fleet.grouping.get(id), { open: 0, lowered: 1, leads: [], ended: noon + 60_000 })
  fleet.grouping.lower(report, id, false, noon + 90_000)
  t.match(fleet.grouping.get(id), { open: 1, lowered: 0, leads: [{ rule: 'hot' }] })
  t.end()
})

t.test('what is remembered goes on as if nothing had been', t => {
  const chance = random(11)
  const told = Array.from({ length: 400 }, (_, n) => ({
    node: `h-${chance.below(60)}`,
    rule: `r${chance.below(4)}`,
    metric: `m${n}`,
    at: n * 3 + chance.below(20),
    ...rack(`k${chance.below(9)}`),
  }))
  const whole = new Fleet()
  for (const one of told) whole.tell(one)
  const before = new Fleet()
  for (const one of told.slice(0, 200)) before.tell(one)
  const after = new Fleet()
  for (const id of before.ids) after.grouping.restore(JSON.parse(JSON.stringify(before.grouping.get(id))))
  for (const one of told.slice(0, 200)) {
    const { report, where } = reportOf(one)
    after.grouping.remember({ report, where, incident: before.of(one)!, lowered: false })
  }
  const rules = told.flatMap(({ rule, metric }) => before.grouping.rulesOf({ rule, metric }))
  after.grouping.restoreRules(JSON.parse(JSON.stringify(Object.fromEntries(rules))))
  for (const one of told.slice(200)) after.tell(one)
  for (const id of whole.ids) t.strictSame(after.grouping.get(id), whole.grouping.get(id), id)
  t.end()
})

t.test('the first cause: upstream before downstream, then early before late, then severe before mild', t => {
  const guess = (...all: Parameters<Fleet['tell']>[0][]): string => {
    const fleet = new Fleet()
    for (const one of all) fleet.tell(one)
    const [incident] = fleet.incidents()
    return causeText(causeOf(incident!.leads)!, incident!.findings)
  }
  const silent = { node: 'a', rule: 'node-silent', kind: 'silence', metric: null, severity: 'error' } as const
  const missing = { node: 'a', rule: 'no-temperature', kind: 'silence', metric: 'x.temp' } as const
  t.match(guess({ ...missing, at: 0 }, { ...silent, at: 2 }), /^node-silent on a: a node that is silent explains/)
  const latency = {
    node: 'a',
    rule: 'slow',
    metric: 'http.server.request.duration',
    severity: 'critical',
    at: 0,
  } as const
  const disk = { node: 'a', rule: 'disk-failing', kind: 'disk', metric: null, at: 240 } as const
  t.match(guess(latency, disk), /^disk-failing on a: hardware that fails explains.* 240 s after the first/)
  const heat = { node: 'a', rule: 'heat', severity: 'error', at: 0 } as const
  t.match(guess(heat, { ...silent, at: 200 }), /^heat on a/, 'what comes after cannot have caused it')
  t.match(guess({ ...heat, at: 30 }, { node: 'a', rule: 'pressure', at: 0 }), /^pressure on a: it began first of 2/)
  t.match(guess({ ...heat, at: 3 }, { node: 'a', rule: 'pressure', at: 0 }), /^heat on a: the most severe of/)
  t.equal(guess(heat), 'heat on a: there is no other finding')
  t.end()
})
