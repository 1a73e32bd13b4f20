import t from 'tap'
import { features, featuresOf } from '../../../judge/disks/features.ts'
import { begin, day, observe, type Past } from '../../../judge/disks/past.ts'
import type { Reading } from '../../../judge/disks/reading.ts'
import { type random, seeded } from '../../random.ts'

const start = Date.UTC(2026, 0, 1)

function reading(days: number, counts: Reading['counts'], more: Partial<Reading> = {}): Reading {
  return { time: start + days * day, drive: 'A', hours: days * 24, counts, ...more }
}

function told(past: Past, days: number): Record<string, number> {
  const x = featuresOf(past, start + days * day, new Float64Array(features.length))
  return Object.fromEntries(features.map(({ name }, n) => [name, x[n]!]))
}

function pastOf(...readings: Reading[]): Past {
  const past = begin()
  for (const one of readings) observe(past, one)
  return past
}

t.test('growth is told within each window, with how often and how long ago', async t => {
  const past = pastOf(
    reading(0, { reallocated: 8 }),
    reading(50, { reallocated: 10 }),
    reading(95, { reallocated: 16 }),
    reading(99, { reallocated: 17 }),
  )
  const found = told(past, 100)
  t.equal(found['reallocated.value'], 17)
  t.equal(found['reallocated.since_seen'], 9)
  t.equal(found['reallocated.grown_1'], 0, 'a whole day ago is not within the last day')
  t.equal(found['reallocated.grown_3'], 1)
  t.equal(found['reallocated.grown_7'], 7)
  t.equal(found['reallocated.grown_30'], 7)
  t.equal(found['reallocated.grown_60'], 9)
  t.equal(found['reallocated.rises_30'], 2)
  t.equal(found['reallocated.rises'], 3)
  t.equal(found['reallocated.days_since_rise'], 1)
  t.equal(found.age, 2400)
})

t.test('growth on one day is one step, however often the drive is read', async t => {
  const past = pastOf(reading(0, { pending: 0 }), reading(1.2, { pending: 1 }), reading(1.4, { pending: 5 }))
  t.equal(past.counts.pending!.rises, 1)
  t.equal(told(past, 2)['pending.grown_3'], 5)
})

t.test('what was counted before the drive was first seen is no growth', async t => {
  const found = told(pastOf(reading(0, { uncorrected: 500 })), 30)
  t.equal(found['uncorrected.value'], 500)
  t.equal(found['uncorrected.grown_120'], 0)
  t.equal(found['all.days_since_rise'], 720)
})

t.test('a count that was misread and comes back did not grow, one that starts over grows from there', async t => {
  const back = pastOf(reading(0, { reallocated: 40 }), reading(1, { reallocated: 0 }), reading(2, { reallocated: 40 }))
  t.equal(back.counts.reallocated!.rises, 0)
  const over = pastOf(reading(0, { reallocated: 40 }), reading(1, { reallocated: 0 }), reading(2, { reallocated: 3 }))
  t.equal(told(over, 3)['reallocated.grown_7'], 3)
})

t.test('sectors that wait are news each time they come', async t => {
  const past = pastOf(reading(0, { pending: 8 }), reading(1, { pending: 0 }), reading(2, { pending: 8 }))
  t.equal(told(past, 3)['pending.grown_7'], 8)
  t.equal(past.counts.pending!.rises, 1)
})

t.test('what is not reported is not known', async t => {
  const found = told(pastOf(reading(0, { reallocated: 0 }, { hours: undefined })), 1)
  t.ok(Number.isNaN(found['uncorrected.value']))
  t.ok(Number.isNaN(found.age))
  t.equal(found['all.grown_30'], 0)
})

t.test('no number, negative and impossible values are as if not reported', async t => {
  const past = pastOf(reading(0, { reallocated: 1 }))
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -1, 2 ** 48]) {
    t.ok(
      observe(
        past,
        reading(past.time / day, {}, { time: past.time + 1, hours: value, counts: { reallocated: value } }),
      ),
    )
  }
  t.equal(past.counts.reallocated!.value, 1)
  t.equal(past.hours, 0)
  t.notOk(observe(past, reading(1, {}, { time: Number.NaN })))
})

t.test('a reading that is not newer is not taken', async t => {
  const past = pastOf(reading(5, { reallocated: 1 }))
  t.notOk(observe(past, reading(5, { reallocated: 9 })))
  t.notOk(observe(past, reading(4, { reallocated: 9 })))
  t.equal(past.counts.reallocated!.value, 1)
})

t.test('another drive begins anew, even with an older clock', async t => {
  const past = pastOf(reading(5, { reallocated: 100 }), reading(1, { reallocated: 0 }, { drive: 'B' }))
  t.equal(past.drive, 'B')
  t.equal(past.counts.reallocated!.value, 0)
  t.equal(past.counts.reallocated!.rises, 0)
})

t.test('a reading each day tells the same as one for each change', async t => {
  const rng = seeded(t)
  for (let n = 0; n < 50; n++) {
    const changes = changesOf(rng)
    const daily = begin()
    const sparse = begin()
    changes.forEach((counts, at) => {
      observe(daily, reading(at, counts))
      if (at === 0 || counts !== changes[at - 1]) observe(sparse, reading(at, counts))
    })
    t.strictSame(told(daily, changes.length), told(sparse, changes.length))
  }
})

function changesOf(rng: ReturnType<typeof random>): Reading['counts'][] {
  let counts: Reading['counts'] = { reallocated: 0, pending: 0, uncorrected: 0 }
  return Array.from({ length: 200 }, () => {
    if (rng() < 0.1) {
      const { reallocated = 0, uncorrected = 0 } = counts
      counts = {
        reallocated: reallocated + rng.below(5),
        uncorrected: uncorrected + rng.below(3),
        pending: rng.below(9),
      }
    }
    return counts
  })
}

t.test('it is plain data, and bounded however often a count grows', async t => {
  const past = begin()
  for (let n = 0; n < 5000; n++) observe(past, reading(n / 24, { reallocated: n, pending: n % 7, uncorrected: 2 * n }))
  t.ok(JSON.stringify(past).length < 12_000)
  const found = told(past, 4999 / 24)
  t.strictSame(JSON.parse(JSON.stringify(past)), past)
  t.ok(Math.abs(found['reallocated.grown_30']! - 30 * 24) <= 24, 'to the day')
})

t.test('random readings never break it', async t => {
  const rng = seeded(t)
  const odd = [Number.NaN, -1, 0, 1, 1e300, Number.NEGATIVE_INFINITY, 2 ** 47]
  const past = begin()
  for (let n = 0; n < 20_000; n++) {
    const counts = { reallocated: rng.pick(odd), pending: rng.below(100), timeouts: rng.pick(odd) }
    observe(past, { time: rng.pick([start + n * 1e6, start, Number.NaN]), drive: rng.pick(['A', 'A', 'B']), counts })
    const x = featuresOf(past, start + n * 1e6, new Float64Array(features.length))
    if (n % 1000 === 0) t.notOk(x.some(value => value === Number.POSITIVE_INFINITY || value < -1))
  }
})
