import t from 'tap'
import type { Series } from '../../core/model.ts'
import { host, hostScore, mostMembers } from '../../judge/detect/host.ts'
import { of } from '../../judge/detect/host-member.ts'
import { sayHost } from '../../judge/detect/host-said.ts'
import type { HostState } from '../../judge/detect/host-state.ts'
import type { Verdict } from '../../judge/detector.ts'
import { random } from '../random.ts'
import { detectorContract, readOptions, usualCourse } from './detector-contract.ts'

const minute = 60_000
const day = 1440
const start = Date.UTC(2026, 5, 1)

detectorContract(t, host, { false_alarms: 1e6 }, gauge('press.heat'), {
  ...usualCourse,
  interval: 60_000,
  steps: 9000,
})

function gauge(name: string, unit = ''): Series {
  return { name, unit, kind: 'gauge', attributes: { zone: 1 } }
}

type Values = (minute: number, series: number) => number | undefined

/** A host of so many series, fed a row a minute as a collector would. */
function hostOf(count: number, plain: Record<string, unknown> = {}) {
  const detector = host.open(readOptions(host, plain))
  let state = detector.start(undefined) as HostState
  const series = Array.from({ length: count }, (_, n) => gauge(`metric.${n}`))
  const verdicts: (readonly [minute: number, verdict: Exclude<Verdict, undefined>])[] = []
  const say = (n: number, verdict: Verdict): void => void (verdict !== undefined && verdicts.push([n, verdict]))
  return {
    ...{ detector, series, verdicts },
    state: () => state,
    restart: () => {
      state = JSON.parse(JSON.stringify(state))
    },
    run(from: number, to: number, values: Values) {
      for (let n = from; n < to; n++) {
        for (const [s, one] of series.entries()) {
          const value = values(n, s)
          if (value !== undefined) say(n, detector.step(state, start + n * minute + s, value, one))
        }
        say(n, detector.idle?.(state, start + (n + 1) * minute))
      }
    },
  }
}

/** Each a noise about a level of its own; the same in every run. */
function usual(): Values {
  const next = random(7)
  return (_, s) => 100 * s + 10 + next() + next()
}

const known = 4 * day

t.test('series that leave their habits are told, the most blamed first, and it ends when they return', async t => {
  const h = hostOf(20)
  const calm = usual()
  h.run(0, known, calm)
  t.same(h.verdicts, [])
  h.run(known, known + 20, (n, s) => (s === 3 || s === 8 ? 100 * s + 22 - (s === 8 ? 4 : 0) : calm(n, s)))
  t.match(h.verdicts[0], [
    known,
    {
      since: start + known * minute + 19,
      message: /^metric\.3\{zone=1\} is 322, about 311 in the minutes before; metric\.8/,
      evidence: { blame_1: 'metric.3{zone=1}', blame_2: 'metric.8{zone=1}' },
    },
  ])
  h.run(known + 20, known + 360, calm)
  const [ended, last] = h.verdicts.at(-1)!
  t.ok('until' in last)
  t.ok(ended < known + 240, `after ${ended - known} minutes`)
})

t.test('a level, a flat line and a flutter say what they do and what is usual', async t => {
  const said = (values: Values): string => {
    const h = hostOf(12, { false_alarms: 50 })
    const calm = usual()
    h.run(0, known, calm)
    h.run(known, known + 240, (n, s) => (s === 5 ? values(n, s) : calm(n, s)))
    return h.verdicts.map(([, v]) => ('since' in v ? v.message.split(';')[0] : '')).join('\n')
  }
  t.match(
    said(n => 510.9 + Math.min(8, (n - known) / 8)),
    /^metric\.5\{zone=1\} is 51\d, usually 51\d to 51\d$/m,
  )
  t.match(
    said(() => 511),
    /^metric\.5\{zone=1\} is 511 and moves by about .* a minute, usually by 0\.\d+$/m,
  )
  t.match(
    said(n => 511 + (n % 2 === 0 ? 3 : -3)),
    /^metric\.5\{zone=1\} is 5/m,
  )
})

t.test('members come, go, and make room; those that are gone are left out and forgotten', async t => {
  const h = hostOf(mostMembers + 5)
  const calm = usual()
  h.run(0, 3, calm)
  t.equal(Object.keys(h.state().members).length, mostMembers)
  h.run(3, 60, (n, s) => (s < 5 ? undefined : calm(n, s)))
  t.equal(Object.keys(h.state().members).length, mostMembers)
  t.notOk('gauge/ metric.0{zone=1}' in h.state().members)
  t.ok(`gauge/ metric.${mostMembers + 4}{zone=1}` in h.state().members)
  h.run(60, 61 + 15 * day, (n, s) => (s === 7 ? calm(n, s) : undefined))
  t.same(Object.keys(h.state().members), ['gauge/ metric.7{zone=1}'])
})

t.test('a series that comes every five minutes is judged with those that come every minute', async t => {
  const h = hostOf(10)
  const calm = usual()
  const slow: Values = (n, s) => (s === 4 && n % 5 !== 0 ? undefined : calm(n, s))
  h.run(0, known, slow)
  h.run(known, known + 10, (n, s) => (s === 4 && n % 5 === 0 ? 450 : slow(n, s)))
  t.match(h.verdicts[0]?.[1], { evidence: { blame_1: 'metric.4{zone=1}' } })
  h.run(known + 10, known + day, (n, s) => (n % 10 === 0 ? slow(n, s) : undefined))
  const opened = new Set(h.verdicts.map(([, v]) => ('since' in v ? v.since : 0)).filter(since => since > 0))
  t.equal(opened.size, 1, 'and that all of them become slow is none')
})

t.test('what lasts for days is what is usual then', async t => {
  const h = hostOf(10)
  const calm = usual()
  h.run(0, known, calm)
  h.run(known, known + 5 * day, (n, s) => calm(n, s)! + (s === 2 ? 30 : 0))
  t.ok(hostScore(h.state()) < 5)
  t.ok('until' in h.verdicts.at(-1)![1])
})

t.test('a host that falls silent leaves no finding open, and a year later it knows what it knew', async t => {
  const h = hostOf(10)
  const calm = usual()
  h.run(0, known, calm)
  h.run(known, known + 2, (n, s) => calm(n, s)! + (s === 2 ? 30 : 0))
  t.match(h.verdicts, [[known, { since: Number }]])
  h.run(known + 2, known + 40, () => undefined)
  t.match(h.verdicts.at(-1), [Number, { until: Number }])
  h.restart()
  const later = known + 365 * day
  h.run(later, later + 300, calm)
  t.match(h.verdicts.at(-1), [Number, { until: Number }])
  t.ok(hostScore(h.state()) < 5)
})

t.test('counters are judged by their rate, and a reset is none', async t => {
  const detector = host.open(readOptions(host, {}))
  const state = detector.start(undefined) as HostState
  const bytes: Series = { name: 'net', unit: 'By', kind: 'counter', attributes: {} }
  const next = random(3)
  const verdicts: Verdict[] = []
  for (let n = 0, sum = 0; n < known + 100; n++) {
    sum = n === known ? 0 : sum + 6000 + 600 * next()
    verdicts.push(detector.step(state, start + n * minute, sum, bytes))
  }
  t.same(
    verdicts.filter(v => v !== undefined),
    [],
  )
  t.ok(Math.abs(Object.values(state.members)[0]![of.value]! - 105) < 6, 'some 105 a second')
})

t.test('one sample from the future, infinities and a name out of a nightmare do no harm', async t => {
  const h = hostOf(10)
  const calm = usual()
  h.run(0, known, calm)
  h.detector.step(h.state(), start + (known + 20 * 60) * minute, 1, gauge('__proto__'))
  h.detector.step(h.state(), start + known * minute, Number.POSITIVE_INFINITY, h.series[1])
  h.detector.step(h.state(), start + known * minute, Number.NaN, h.series[1])
  h.run(known, known + 30, calm)
  h.run(known + 30, known + 40, (n, s) => calm(n, s)! + (s === 2 ? 30 : 0))
  t.match(h.verdicts, [[Number, { evidence: { blame_1: 'metric.2{zone=1}' } }]])
})

t.test('a host that was calmer than usual until now has somebody to blame all the same', async t => {
  const h = hostOf(3)
  h.run(0, 2 * day, usual())
  for (const [n, member] of Object.values(h.state().members).entries()) {
    Object.assign(member, { [of.blame]: 2 + n, [of.recent]: 1, [of.usual]: 4 })
  }
  t.match(sayHost(h.state()), { message: /^metric\.2/, evidence: { blame_1: 'metric.2{zone=1}' } })
})

t.test('options choose nodes and metrics by patterns', async t => {
  const detector = host.open(readOptions(host, { node: 'web-*', metrics: ['system.*', 'app.latency'] }))
  t.ok(detector.watches('web-1', undefined))
  t.notOk(detector.watches('db-1', undefined))
  t.ok(detector.watches('web-1', gauge('system.cpu.time')))
  t.ok(detector.watches('web-1', gauge('app.latency')))
  t.notOk(detector.watches('web-1', gauge('app.latency.p99')))
})
