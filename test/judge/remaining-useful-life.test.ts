import t from 'tap'
import type { Series } from '../../core/model.ts'
import { Place } from '../../core/shape.ts'
import { remainingUsefulLife } from '../../judge/detect/remaining-useful-life.ts'
import type { RulState } from '../../judge/detect/rul-state.ts'
import type { Verdict } from '../../judge/detector.ts'
import { type Random, random, seeded } from '../random.ts'
import { detectorContract, readOptions } from './detector-contract.ts'

const vibration: Series = { name: 'fan.vibration', unit: 'm/s2', kind: 'gauge', attributes: {} }
const velocity: Series = { ...vibration, unit: 'mm/s' }
const start = Date.UTC(2026, 0, 1)
const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

const course = { levels: [-1, 2, 2, 2, 2, 5, 12], interval: minute, steps: 20_000 }
detectorContract(t, remainingUsefulLife, { metric: vibration.name }, vibration, course)
detectorContract(t, remainingUsefulLife, { metric: vibration.name, limit: 8 }, vibration, course)

interface Told {
  readonly time: number
  readonly verdict: Exclude<Verdict, undefined>
}

/** A detector at work on one series. */
function watch(series = vibration, plain: Record<string, unknown> = {}) {
  const detector = remainingUsefulLife.open(readOptions(remainingUsefulLife, { metric: series.name, ...plain }))
  const state = detector.start(series) as RulState
  let time = start
  const all: Told[] = []
  return {
    detector,
    state,
    all,
    now: () => time,
    rest: (lasting: number) => {
      time += lasting
    },
    /** Values for so long, `passed` counted from the begin of this; what was told meanwhile. */
    feed(lasting: number, value: (passed: number) => number, interval = minute): readonly Told[] {
      const before = all.length
      const from = time
      for (; time < from + lasting; time += interval) {
        const verdict = detector.step(state, time, value(time - from))
        if (verdict !== undefined) all.push({ time, verdict })
      }
      return all.slice(before)
    },
  }
}

function messages(told: readonly Told[]): readonly string[] {
  return told.map(({ verdict }) => ('until' in verdict ? 'over' : verdict.message))
}

function noise(draw: Random, deviation: number): number {
  const angle = 2 * Math.PI * draw()
  return deviation * Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(angle)
}

/** About 1, steady. */
const healthy = (draw: Random) => () => Math.exp(noise(draw, 0.05))
/** The same in every run: what holds but for one time in a thousand must not be red then. */
const draws = () => random(7)

t.test('wear is told soon, since it began, and the end it comes to lies within what is foretold', t => {
  const draw = draws()
  const one = watch()
  t.same(one.feed(10 * day, healthy(draw)), [])
  // At five times healthy after ten days.
  const growing = (passed: number) => Math.exp((Math.log(5) * passed) / (10 * day) + noise(draw, 0.05))
  const began = one.now()
  const end = began + 10 * day
  const told = one.feed(9 * day, growing)
  t.ok(told.length > 3 && told.length < 40, `${told.length} times`)
  const first = told[0]!
  t.ok(first.time < began + 3 * day, `told ${(first.time - began) / day} days after it began`)
  for (const { verdict } of told)
    t.equal('since' in verdict && verdict.since, 'since' in first.verdict && first.verdict.since)
  const held = told.filter(({ time, verdict }) => {
    const { left_from_s: from, left_to_s: to } = 'since' in verdict ? verdict.evidence : {}
    return time + 1000 * Number(from) < end && end < time + 1000 * Number(to)
  })
  t.ok(held.length > told.length / 2, `${held.length} of ${told.length} intervals hold the end`)
  t.match(
    messages(told).at(-1),
    /^worn since 2026-01-1\dT.*Z: \d\.?\d* m\/s2, .* times its healthy .*; worn out about 2026-01-2/,
  )
  t.end()
})

t.test('noise is no wear, with memory or without', t => {
  const draw = draws()
  for (const memory of [0, 0.9, 0.99]) {
    const one = watch()
    let level = 0
    const wander = () => {
      level = memory * level + noise(draw, 0.15 * Math.sqrt(1 - memory ** 2))
      return Math.exp(level)
    }
    one.feed(14 * day, wander)
    t.same(messages(one.all), [], `memory ${memory}`)
  }
  t.end()
})

t.test('single knocks are no wear', t => {
  const draw = draws()
  const one = watch()
  t.same(
    one.feed(7 * day, () => (draw.below(50) === 0 ? 20 : healthy(draw)())),
    [],
  )
  t.end()
})

t.test(
  'a machine that stands is neither mended nor does it wear, and where it begins at rest it learns when it runs',
  t => {
    const one = watch()
    const steady = healthy(draws())
    t.same(
      one.feed(day, () => 0.02),
      [],
    )
    t.same(
      one.feed(3 * day, passed => (passed % day < 8 * hour ? steady() : 0.02)),
      [],
    )
    t.equal(one.feed(day, () => 2 * steady()).length > 0, true)
    const age = one.state.ran - one.state.sinceRan
    t.same(
      one.feed(5 * day, () => 0),
      [],
    )
    t.equal(one.state.ran - one.state.sinceRan, age)
    t.not(one.state.since, null)
    t.end()
  },
)

t.test('after mending it is over, when it has come back and stays', t => {
  const one = watch()
  const steady = healthy(draws())
  one.feed(2 * day, steady)
  t.match(messages(one.feed(day, () => 3 * steady()))[0], /^worn since/)
  one.feed(30 * minute, steady)
  one.feed(hour, () => 3 * steady())
  t.notOk(messages(one.all).includes('over'), 'half an hour is not enough')
  one.feed(2 * hour, () => 0)
  const mended = one.now()
  const told = one.feed(day, steady)
  const { verdict } = told.at(-1)!
  t.ok('until' in verdict && Math.abs(verdict.until - mended) < 10 * minute)
  t.match(messages(one.feed(day, () => 3 * steady()))[0], /^worn since/, 'and the next is told again')
  t.end()
})

t.test('load that comes and goes while it runs is told once', t => {
  const one = watch()
  const steady = healthy(draws())
  one.feed(2 * day, steady)
  t.match(messages(one.feed(8 * hour, () => 2 * steady()))[0], /^worn since/)
  t.match(messages(one.feed(8 * hour, steady)).at(-1), 'over')
  t.same(
    one.feed(10 * day, passed => (passed % day < 8 * hour ? 2 : 1) * steady()),
    [],
  )
  t.match(messages(one.feed(day, () => 4 * steady()))[0], /^worn since/, 'what is more is')
  t.end()
})

t.test('less load at the weekend is no wear on Monday', t => {
  const one = watch()
  const steady = healthy(draws())
  t.same(
    one.feed(40 * day, passed => (Math.floor(passed / day) % 7 > 4 ? 0.5 : 1) * steady()),
    [],
  )
  t.end()
})

t.test('what it runs in to becomes what is healthy', t => {
  const one = watch()
  const steady = healthy(draws())
  one.feed(3 * hour, () => 1.7 * steady())
  one.feed(day, steady)
  t.match(messages(one.feed(day, () => 1.7 * steady()))[0], /^worn since/)
  t.end()
})

t.test('wear that begins just after it came down is told', t => {
  const one = watch()
  const steady = healthy(draws())
  one.feed(5 * day, () => 1.5 * steady())
  t.strictSame(messages(one.feed(50 * minute, steady)), [])
  t.match(messages(one.feed(day, () => 3.75 * steady()))[0], /^worn since/)
  t.end()
})

t.test('another unit makes it learn anew', t => {
  const one = watch()
  const steady = healthy(draws())
  one.feed(5 * day, steady)
  t.same(
    one.feed(day, () => 1000 * steady()),
    [],
  )
  t.match(messages(one.feed(day, () => 2000 * steady()))[0], /^worn since.* its healthy 1000/)
  t.end()
})

t.test('a year of silence and another interval change nothing', t => {
  const one = watch()
  const steady = healthy(draws())
  one.feed(5 * day, steady)
  one.feed(5 * day, () => 2 * steady())
  const { ran, seen } = one.state
  one.rest(365 * day)
  one.feed(2 * hour, () => 2 * steady(), hour)
  t.ok(one.state.seen - seen < 5 * hour && one.state.ran - ran < 5 * hour, 'nobody knows what it did meanwhile')
  t.not(one.state.since, null)
  one.feed(30 * day, steady, hour)
  t.equal(one.state.since, null)
  t.end()
})

t.test('when the clock was set back it still knows what is healthy', t => {
  const one = watch()
  const steady = healthy(draws())
  one.feed(5 * day, steady)
  one.feed(day, () => 2 * steady())
  one.rest(-5 * day)
  const back = one.now()
  one.detector.setBack?.(one.state, back)
  const { verdict } = one.feed(hour, () => 2 * steady())[0]!
  t.ok('since' in verdict && verdict.since >= back && verdict.since < back + hour)
  t.end()
})

t.test('seconds are no wear, however many samples they bring', t => {
  const one = watch()
  const steady = healthy(draws())
  one.feed(day, steady)
  one.feed(20_000, () => 5, 1)
  t.same(one.all, [])
  t.end()
})

t.test('a level that stays for half a year is how it runs now', t => {
  const one = watch()
  const steady = healthy(draws())
  one.feed(20 * day, steady, hour)
  const told = one.feed(200 * day, () => 3 * steady(), hour)
  t.equal(messages(told).at(-1), 'over')
  t.ok(told.length < 60, `${told.length} times in all`)
  t.match(messages(one.feed(30 * day, () => 6 * steady(), hour))[0], /^worn since/)
  t.end()
})

t.test('what wanders strongly and rises no more is over, too', t => {
  const one = watch()
  const draw = draws()
  const steady = healthy(draw)
  one.feed(20 * day, steady, hour)
  let away = 0
  const wandering = (): number => {
    away = 0.9 * away + noise(draw, 0.15)
    return 3 * Math.exp(away) * steady()
  }
  const told = messages(one.feed(2 * 365 * day, wandering, hour))
  t.match(told[0], /^worn since/)
  t.equal(told.at(-1), 'over')
  t.end()
})

t.test('how long it lasts is unknown where the rise is young, or has come down', t => {
  const one = watch()
  const steady = healthy(draws())
  one.feed(5 * day, steady)
  const told = one.feed(2 * day, passed => (passed < day ? 4 : 2) * steady())
  t.match(messages(told)[0], /how long it lasts is unknown: its rise is too young$/)
  t.match(messages(told).at(-1), /how long it lasts is unknown: it has come down from 4.* times$/)
  const { verdict } = told.at(-1)!
  t.equal('since' in verdict && verdict.evidence.left, 'unknown')
  t.end()
})

t.test('a limit is what is configured, or zone D where velocity is told in mm/s, if that is above healthy', t => {
  const last = (series: Series, plain: Record<string, unknown>, level: number) => {
    const one = watch(series, plain)
    const steady = healthy(draws())
    one.feed(5 * day, () => level * steady())
    one.feed(5 * day, () => level * 2.5 * steady())
    return messages(one.all).at(-1)
  }
  t.match(last(velocity, {}, 1), /; at its limit of 7.1 mm\/s about /)
  t.match(last(velocity, { limit: 4.5 }, 1), /; at its limit of 4.5 mm\/s about /)
  t.match(last(velocity, { limit: 2 }, 1), /; it is at its limit of 2 mm\/s$/)
  t.match(last(velocity, {}, 6), /; worn out about /)
  t.match(last(vibration, {}, 1), /; worn out about /)
  t.end()
})

t.test('the limit is told when it is reached', t => {
  const one = watch(velocity)
  const steady = healthy(draws())
  one.feed(5 * day, steady)
  one.feed(50 * day, passed => Math.exp((2 * passed) / (50 * day)) * steady())
  const reached = one.all.find(({ verdict }) => 'since' in verdict && /it is at its limit/.test(verdict.message))
  t.ok(reached !== undefined && Math.abs(reached.time - start - (5 + 25 * Math.log(7.1)) * day) < 2 * day)
  t.end()
})

t.test('what it remembers is small, whatever it saw', t => {
  const draw = seeded(t)
  const one = watch()
  for (let n = 0; n < 300; n++) one.feed(draw.below(10) * hour, () => draw.pick([0, 1, 3, 1e-9, 1e9]) * draw())
  t.ok(JSON.stringify(one.state).length < 1500)
  t.end()
})

t.test('counters are not watched, and a limit must be above 0', t => {
  const detector = remainingUsefulLife.open(readOptions(remainingUsefulLife, { metric: vibration.name }))
  t.ok(detector.watches('press-1', vibration))
  t.notOk(detector.watches('press-1', { ...vibration, kind: 'counter' }))
  t.notOk(detector.watches('press-1', undefined))
  for (const [plain, message] of [
    [{ metric: 'm', limit: 0 }, /a number above 0/],
    [{ metric: 'm', limits: 3 }, /did you mean limit/],
    [{}, /metric|missing/],
  ] as const) {
    const place = new Place()
    remainingUsefulLife.options.read(plain, place)
    t.match(place.problems[0]?.message, message)
  }
  t.end()
})
