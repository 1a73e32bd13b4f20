import t from 'tap'
import type { Series } from '../../core/model.ts'
import { anomaly } from '../../judge/detect/anomaly.ts'
import { restoreAnomaly, saveAnomaly } from '../../judge/detect/anomaly-saved.ts'
import { at, startAnomaly } from '../../judge/detect/anomaly-state.ts'
import type { Verdict } from '../../judge/detector.ts'
import { type Random, random, seeded } from '../random.ts'
import { detectorContract, readOptions } from './detector-contract.ts'

const heat: Series = { name: 'press.heat', unit: 'Cel', kind: 'gauge', attributes: {} }
const sent: Series = { name: 'system.network.io', unit: 'By', kind: 'counter', attributes: {} }
const share: Series = { name: 'system.cpu.utilization', unit: '1', kind: 'gauge', attributes: {} }
const monday = Date.UTC(2026, 5, 1)
const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const every = 5 * minute

detectorContract(t, anomaly, { false_alarms: 1000 }, heat)
detectorContract(t, anomaly, { false_alarms: 1000 }, sent)

type Told = { readonly time: number; readonly verdict: Exclude<Verdict, undefined> }

/** A detector at work on one series, from a Monday on. Few false alarms, so that where none is due none comes. */
function watch(
  series = heat,
  plain: Record<string, unknown> = { false_alarms: 0.2 },
  state = startAnomaly(series),
  time = monday,
) {
  const detector = anomaly.open(readOptions(anomaly, plain))
  const told: Told[] = []
  const hear = (verdict: Verdict): void => {
    if (verdict !== undefined) told.push({ time, verdict })
  }
  return {
    state,
    now: () => time,
    /** Values for so long; what was told meanwhile. */
    feed(lasting: number, value: (time: number) => number, interval = every): readonly Told[] {
      told.length = 0
      for (const end = time + lasting; time < end; time += interval) hear(detector.step(state, time, value(time)))
      return [...told]
    },
    /** The clock is set. */
    set(to: number): void {
      time = to
      detector.setBack!(state, to)
    },
    /** The same with a state from a checkpoint. */
    restart: () => watch(series, plain, restoreAnomaly(JSON.parse(JSON.stringify(saveAnomaly(state)))), time),
    skip(lasting: number): readonly Told[] {
      told.length = 0
      time += lasting
      hear(detector.idle?.(state, time))
      return [...told]
    },
  }
}

const begun = (told: readonly Told[]) => told.filter(({ verdict }) => 'since' in verdict)
const messages = (told: readonly Told[]) =>
  begun(told).map(({ verdict }) => ('since' in verdict ? verdict.message : ''))

/** Noise about a level. */
const about = (random: Random, level: number, spread: number) => () => level + (random() - 0.5) * spread

t.test('a level, a spread, a step and a flat line never seen before are told, with numbers', async t => {
  const r = random(7)
  const cases: readonly [string, (time: number) => number, RegExp][] = [
    ['level', about(r, 95, 10), /^value is 9\d\.\d+, usually 4\d\.\d+ to 5\d\.\d+$/],
    ['spread', about(r, 50, 40), /usually/],
    [
      'drift',
      time => 50 + ((time - monday - 7 * day) / day) * 1.5 + (r() - 0.5) * 10,
      /^mean of 28 samples has drifted to 5\d\.\d+, for long it was 4\d\.\d+ to 5\d\.\d+$/,
    ],
    ['flat line', () => 50.5, /^value is 50.5 for the 28th time on end, a flat line; at most 1 times before$/],
  ]
  for (const [name, value, message] of cases) {
    const series = watch(heat, {})
    series.feed(7 * day, about(r, 50, 10))
    const told = begun(series.feed(name === 'drift' ? 8 * day : 4 * hour, value))
    t.ok(
      messages(told).some(m => message.test(m)),
      `${name} is told: ${messages(told).join('; ')}`,
    )
    t.match(told[0]?.verdict, { evidence: { feature: String, seen: Number, per_week: Number } })
  }
})

t.test('what is new becomes usual: the finding ends, and the new level is news no more', async t => {
  const r = random(8)
  const series = watch()
  series.feed(7 * day, about(r, 50, 10))
  const told = series.feed(day, about(r, 95, 10))
  t.ok('since' in told[0]!.verdict)
  t.ok('until' in told.at(-1)!.verdict, 'it is over within a day')
  t.same(begun(series.feed(2 * day, about(r, 95, 10))), [])
})

t.test('a job at 6 on Mondays is no anomaly in the second week, not even after a restart', async t => {
  const r = random(9)
  const job = (time: number) => {
    const isDue = new Date(time).getUTCDay() === 1 && new Date(time).getUTCHours() === 6
    return isDue ? 90 + r() * 5 : 10 + r() * 5
  }
  const first = watch()
  first.feed(day, job)
  const second = watch()
  Object.assign(second.state, restoreAnomaly(JSON.parse(JSON.stringify(saveAnomaly(first.state)))))
  second.skip(day)
  second.feed(6 * day, job)
  t.same(begun(second.feed(day, job)), [])
  t.ok(begun(second.feed(day, time => job(time - day))).length === 0, 'nor on a Tuesday: the time of day is the same')
})

t.test('what never was at this time of day is told once the time of day is known', async t => {
  const r = random(10)
  const series = watch()
  const rhythm = (time: number) =>
    (new Date(time).getUTCHours() >= 8 && new Date(time).getUTCHours() < 20 ? 80 : 20) + r() * 4
  series.feed(10 * day, rhythm)
  t.same(begun(series.feed(day, rhythm)), [])
  const told = begun(series.feed(day, time => (new Date(time).getUTCHours() < 20 ? rhythm(monday) : rhythm(time))))
  t.ok(told.length > 0, 'a day that does not begin')
  t.match(messages(told)[0], /^value is 2\d\.?\d*, usually .*: at \d\d:\d\d UTC of days before the nearest was [78]\d/)
})

/** A job of ten minutes on Sundays at 6, and one at 12 on working days; each time a little different. */
const jobs = (random: () => number) => (time: number) => {
  const date = new Date(time)
  const isSunday = date.getUTCDay() === 0 && date.getUTCHours() === 6 && date.getUTCMinutes() < 10
  const isNoon = date.getUTCDay() % 6 !== 0 && date.getUTCHours() === 12 && date.getUTCMinutes() < 10
  return (isSunday ? 90 : isNoon ? 60 : 10) + random() * 5
}

t.test('a job on its one day of the week is no news in its third week, and missed in its fourth', async t => {
  for (const restarts of [false, true]) {
    const r = random(20)
    let series = watch()
    for (let n = 0; n < 20; n++) {
      series.feed(day, jobs(r))
      if (restarts) series = series.restart()
    }
    t.same(begun(series.feed(7 * day, jobs(r))), [], 'the third week')
    const idle = jobs(() => 0.5)
    const told = begun(series.feed(2 * day, time => (new Date(time).getUTCDay() === 0 ? 10 + r() * 5 : idle(time))))
    t.match(
      messages(told),
      [/^value went no higher than 1\d\.?\d* on Sunday 03:30 to 07:30 UTC, in both weeks before it went above [6-9]\d/],
      restarts ? 'with restarts' : 'without',
    )
    t.same(begun(series.feed(14 * day, jobs(r))), [], 'and that it runs again is no news')
  }
})

t.test('where the week has no rule nothing is missed, however often something comes', async t => {
  for (const share of [0.0003, 0.002, 0.01, 0.1]) {
    const r = random(21)
    const missed = Array.from({ length: 10 }, () => {
      const series = watch(heat, { false_alarms: 2 })
      const told = messages(series.feed(10 * 7 * day, () => (r() < share ? 90 : 10) + r() * 5))
      return told.filter(text => text.includes('both weeks before')).length
    })
    const rate = missed.reduce((sum, count) => sum + count, 0) / 10 / 8
    t.ok(rate < 0.05, `${rate} a series and week`)
  }
})

t.test('nothing comes any more: told after ten usual intervals, ended by data', async t => {
  const r = random(11)
  const series = watch()
  series.feed(day, about(r, 50, 10))
  t.same(series.skip(30 * minute), [])
  const [{ verdict }] = series.skip(30 * minute) as [Told]
  t.match(verdict, { message: /^no sample has come since 2026-06-01T23:55:00.000Z; usually one comes every 300 s$/ })
  t.same(series.skip(day), [], 'once')
  t.match(series.feed(every, about(r, 50, 10)), [{ verdict: { until: Number } }])
})

t.test('a counter is judged by its rate: neither its growth nor a reset is news, another rate is', async t => {
  const r = random(12)
  const series = watch(sent)
  let total = 0
  const grow = (rate: number) => () => (total += rate * (1 + r() * 0.2))
  series.feed(7 * day, grow(1000))
  total = 0
  t.same(begun(series.feed(day, grow(1000))), [])
  t.match(messages(series.feed(hour, grow(9000)))[0], /rate/)
})

t.test('of a share, less than a fiftieth is nothing', async t => {
  const r = random(13)
  const shared = watch(share)
  shared.feed(7 * day, about(r, 0.002, 0.0002))
  t.same(begun(shared.feed(hour, about(r, 0.004, 0.0002))), [])
  t.ok(begun(shared.feed(hour, about(r, 0.2, 0.0002))).length > 0)
})

t.test('when the clock was set back, what was learned is known still, and a counter makes no leap', async t => {
  for (const series of [heat, sent]) {
    const r = random(18)
    const seen = watch(series)
    let total = 0
    const usual = (level: number) => (series === sent ? () => (total += level * (1 + r() * 0.2)) : about(r, level, 10))
    seen.feed(9 * day, usual(1000))
    total *= 2
    seen.set(monday + day)
    t.same(begun(seen.feed(2 * day, usual(1000))), [], series.name)
    t.same(begun(seen.skip(30 * minute)), [])
    t.ok(begun(seen.feed(2 * hour, usual(9000))).length > 0, 'news is news')
  }
})

t.test('one wild value poisons nothing: what was news before is news after it', async t => {
  const r = random(14)
  for (const wild of [1e12, -1e12, Number.MAX_VALUE, 5e-324, Number.NaN, Number.POSITIVE_INFINITY]) {
    const series = watch()
    series.feed(7 * day, about(r, 50, 10))
    series.feed(every, () => wild)
    series.feed(2 * day, about(r, 50, 10))
    t.ok(begun(series.feed(hour, about(r, 95, 10))).length > 0, `after ${wild}`)
  }
})

t.test('another unit is told, and soon small changes are seen in it as before', async t => {
  for (const factor of [1000, 1 / 1000]) {
    const r = random(15)
    const series = watch()
    series.feed(7 * day, about(r, 50, 10))
    t.ok(begun(series.feed(day, about(r, 50 * factor, 10 * factor))).length > 0, `times ${factor}`)
    series.feed(120 * day, about(r, 50 * factor, 10 * factor))
    t.ok(begun(series.feed(day, about(r, 95 * factor, 10 * factor))).length > 0, `a level times ${factor}`)
  }
})

t.test('another interval, repeated and equal times, and a year of silence are survived', async t => {
  const r = random(16)
  const series = watch()
  series.feed(7 * day, about(r, 50, 10))
  t.same(begun(series.feed(day, about(r, 50, 10), minute)), [])
  t.same(begun(series.feed(day, about(r, 50, 10), 10 * minute)), [])
  t.equal(series.skip(365 * day).length, 1)
  t.match(series.feed(every, about(r, 50, 10)), [{ verdict: { until: Number } }])
  t.same(begun(series.feed(day, about(r, 50, 10))), [])
  t.ok(begun(series.feed(hour, about(r, 95, 10))).length > 0)
})

t.test('a ramp that never ends and noise without memory hold no finding open', async t => {
  const r = seeded(t)
  const kinds: readonly ((time: number) => number)[] = [
    time => (time - monday) / minute,
    time => 1.0005 ** ((time - monday) / every),
    () => 1 / (r() + 1e-9),
    () => r.pick([0, 1, 1e6, -5]),
  ]
  for (const value of kinds) {
    const series = watch(heat, { false_alarms: 1000 })
    const told = series.feed(60 * day, value)
    const open = told.at(-1)
    t.ok(open === undefined || 'until' in open.verdict || series.now() - open.time < 130 * every)
  }
})

t.test('about as many false alarms come as were allowed', async t => {
  const r = random(17)
  const weeks = 6
  let level = 0
  const kinds: readonly ((time: number) => number)[] = [
    () => r(),
    () => r() + r() + r() + r(),
    () => -Math.log(r() + 1e-12),
    () => (level = 0.95 * level + r() - 0.5),
    time => 10 * Math.sin((time / day) * 2 * Math.PI) + r(),
  ]
  const alarms = kinds.flatMap(value =>
    Array.from({ length: 4 }, () => {
      const series = watch(heat, { false_alarms: 1 })
      const told = begun(series.feed(weeks * 7 * day, value))
      return new Set(told.map(({ verdict }) => ('since' in verdict ? verdict.since : 0))).size
    }),
  )
  const rate = alarms.reduce((sum, count) => sum + count, 0) / alarms.length / weeks
  t.ok(rate < 1.5, `${rate} a series and week`)
})

t.test('what is remembered takes at most 1.5 KB in memory, and 2 KB as a checkpoint', async t => {
  const r = seeded(t)
  const series = watch()
  let level = 0
  series.feed(30 * day, () => (level += (r() - 0.5) * r.pick([1, 1, 1, 30])))
  const checkpoint = JSON.stringify(saveAnomaly(series.state)).length
  t.ok(checkpoint <= 2048, `${checkpoint} bytes as a checkpoint`)
  t.ok(series.state.length * 8 + 64 <= 1536, `${series.state.length} numbers in memory`)
})

t.test('a checkpoint that is none of its own is begun afresh from, not judged with', async t => {
  const series = watch()
  series.feed(7 * day, about(random(19), 50, 10))
  const saved = saveAnomaly(series.state)
  t.same(restoreAnomaly(saved), series.state)
  const broken: readonly unknown[] = [
    null,
    [],
    {},
    'text',
    { ...saved, counter: 1 },
    { ...saved, numbers: saved.numbers.slice(1) },
    { ...saved, numbers: saved.numbers.map(String) },
    { ...saved, numbers: saved.numbers.map((value, n) => (n === at.met ? 1e9 : value)) },
    { ...saved, numbers: saved.numbers.map((value, n) => (n === at.hand ? -1 : value)) },
    { ...saved, known: saved.known.slice(1) },
    { ...saved, known: saved.known.replace(/^./, 'é') },
    { ...saved, known: saved.known.repeat(100) },
    { ...saved, week: saved.week!.slice(1) },
    { ...saved, week: saved.week!.map(() => -0.5) },
  ]
  for (const raw of broken) t.equal(restoreAnomaly(raw), undefined, JSON.stringify(raw)?.slice(0, 60))
})

t.test('whatever comes, the state can be checkpointed at any time, and goes on from there', async t => {
  const r = seeded(t)
  const wild = [Number.MAX_VALUE, -Number.MAX_VALUE, 1e308, -1e308, 5e-324, -5e-324, 0, 1e150, -1e150, 50]
  for (const series of [heat, sent]) {
    const first = watch(series)
    for (let n = 0; n < 200; n++) {
      first.feed(4 * hour, () => r.pick(wild))
      if (n % 3 === 0) first.feed(day, about(r, 50, 10))
      t.ok(first.state.every(Number.isFinite))
      const second = first.restart()
      t.same(second.state, first.state)
    }
  }
})
