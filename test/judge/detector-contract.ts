// What every detector promises, judge/detector.ts. A new one's test is mostly one call.

import { deepStrictEqual } from 'node:assert/strict'
import type { Test } from 'tap'
import type { Series } from '../../core/model.ts'
import { Place } from '../../core/shape.ts'
import type { Detector, DetectorType, Verdict } from '../../judge/detector.ts'
import { type Random, seeded } from '../random.ts'

/** One thing that happens to a detector. */
export type Happening = { readonly time: number; readonly value: number } | { readonly now: number }

/** What the samples are like that it is shown. */
export interface Course {
  /** Each lasts for about 40 samples. */
  readonly levels: readonly number[]
  /** Between two samples, most often, ms. */
  readonly interval: number
  /** So many samples: enough that a detector that says little says something. */
  readonly steps: number
}

export const usualCourse: Course = { levels: [-100, 0, 1, 50, 100, 1e6], interval: 1000, steps: 3000 }
const start = Date.UTC(2026, 5, 1)

export function detectorContract<O>(
  t: Test,
  type: DetectorType<O>,
  plain: unknown,
  series: Series | undefined,
  course = usualCourse,
): void {
  const open = (): Detector<unknown> => type.open(readOptions(type, plain))
  t.test(`${type.name}: a replay gives the same verdicts, and they make sense`, async t => {
    const random = seeded(t)
    let found = 0
    for (let round = 0; round < 5; round++) {
      const happenings = happen(random, course)
      const first = play(open(), series, happenings)
      deepStrictEqual(play(open(), series, happenings), first)
      checkGrammar(first, happenings)
      found += first.filter(v => v !== undefined).length
    }
    t.ok(found > 0, `${found} verdicts: the test sees the detector at work`)
  })

  t.test(`${type.name}: state restored from a checkpoint at any step gives the same verdicts`, async t => {
    const random = seeded(t)
    const happenings = happen(random, course)
    const { save = state => state, restore = state => state } = open()
    const through = (state: unknown): unknown =>
      random.below(10) === 0 ? restore(JSON.parse(JSON.stringify(save(state)))) : state
    deepStrictEqual(play(open(), series, happenings, through), play(open(), series, happenings))
    t.pass()
  })

  t.test(`${type.name}: state is plain data at every step`, async t => {
    const check = (state: unknown): unknown => {
      deepStrictEqual(JSON.parse(JSON.stringify(state)), state)
      return state
    }
    play(open(), series, happen(seeded(t), course), check)
    t.pass()
  })

  t.test(`${type.name}: it asks no clock`, async t => {
    const now = Date.now
    t.teardown(() => {
      Date.now = now
    })
    const happenings = happen(seeded(t), course)
    Date.now = () => {
      throw new Error('a detector asked for the time')
    }
    play(open(), series, happenings)
    t.pass()
  })

  t.test(`${type.name}: when the clock was set back it goes on from there, with no trouble of before`, async t => {
    const detector = open()
    const { setBack } = detector
    if (setBack === undefined) return
    const random = seeded(t)
    let found = 0
    for (let round = 0; round < 5; round++) {
      const later = happen(random, course)
      const first = play(detector, series, later)
      const state = detector.start(series)
      play({ ...detector, start: () => state }, series, later)
      for (const back of [start, 1]) {
        setBack(state, back)
        deepStrictEqual(JSON.parse(JSON.stringify(state)), state)
        const again = later.map(h =>
          'now' in h ? { now: h.now - start + back } : { ...h, time: h.time - start + back },
        )
        checkGrammar(play({ ...detector, start: () => state }, series, again), again, back)
      }
      found += first.filter(v => v !== undefined).length
    }
    t.ok(found > 0, `${found} verdicts`)
  })

  t.test(`${type.name}: no finite value and no jump of time throws or makes it say NaN`, async t => {
    const values = [0, -0, 5e-324, -5e-324, Number.MAX_VALUE, -Number.MAX_VALUE, 2 ** 53, 1]
    const times = [start, start, start + 1, start + 3_600_000, start + 1e10, start + 1e12]
    const happenings = times.flatMap(time => values.map(value => ({ time, value })))
    for (const verdict of play(open(), series, happenings)) {
      t.notMatch(JSON.stringify(verdict) ?? '', /NaN|null|Infinity/)
    }
  })
}

export function readOptions<O>(type: DetectorType<O>, plain: unknown): O {
  const place = new Place()
  const options = type.options.read(plain, place)
  if (place.problems.length > 0) throw new Error(JSON.stringify(place.problems))
  return options
}

export function play<S>(
  detector: Detector<S>,
  series: Series | undefined,
  happenings: readonly Happening[],
  through: (state: S) => S = state => state,
): readonly Verdict[] {
  let state = detector.start(series)
  return happenings.map(happening => {
    state = through(state)
    if ('now' in happening) return detector.idle?.(state, happening.now)
    return detector.step(state, happening.time, happening.value, series)
  })
}

/** Samples with pauses, jumps, equal times and long runs of one kind of value, at last one never seen, and idle calls in between. */
function happen(random: Random, { levels, interval, steps }: Course): readonly Happening[] {
  const happenings: Happening[] = []
  let time = start
  let level = 0
  for (let n = 0; n < steps; n++) {
    if (random.below(40) === 0) level = random.pick(levels)
    if (n > 0.99 * steps) level = 1e9
    time += interval * random.pick([0, 1, 1, 1, 5, random.below(100) === 0 ? 3600 : 1])
    happenings.push({ time, value: level + random() })
    if (random.below(20) === 0)
      for (let s = 1; s < random.below(600); s += 7) happenings.push({ now: time + s * interval })
    const last = happenings.at(-1)!
    time = 'now' in last ? last.now : last.time
  }
  return happenings
}

/** A trouble begins, may be told of again, and ends; it never begins before the first sample nor in the future. */
function checkGrammar(verdicts: readonly Verdict[], happenings: readonly Happening[], begun = start): void {
  let open: number | undefined
  for (const [n, verdict] of verdicts.entries()) {
    if (verdict === undefined) continue
    const happening = happenings[n]!
    const now = 'now' in happening ? happening.now : happening.time
    const time = 'until' in verdict ? verdict.until : verdict.since
    if (time < begun || time > now) throw new Error(`at ${now} it speaks of ${time}`)
    if ('until' in verdict && open === undefined) throw new Error(`at ${now} what never began ends`)
    if ('since' in verdict && open !== undefined && open !== verdict.since) throw new Error(`at ${now} a second begins`)
    open = 'until' in verdict ? undefined : verdict.since
  }
}
