// One plain sentence: what is out of the way, what it is now, and what it usually is.

import { rangeOf } from './anomaly-course.ts'
import { dimensions } from './anomaly-memory.ts'
import type { Look } from './anomaly-novelty.ts'
import { type AnomalyState, at, window } from './anomaly-state.ts'

export interface Said {
  readonly message: string
  readonly evidence: Readonly<Record<string, number | string>>
}

const gauge = ['value', `mean of ${window} samples`, `spread of ${window} samples`, 'step'] as const
const counter = [
  'rate',
  `mean rate of ${window} samples`,
  `spread of the rate in ${window} samples`,
  'step of the rate',
]

export function sayNovelty(state: AnomalyState, look: Look, time: number): Said {
  const { numbers } = state
  const d = farthest(state, look)
  const feature = (state.counter ? counter : gauge)[d]!
  const seen = look.course.features[d]!
  const low = numbers[at.low + d]!
  const high = numbers[at.high + d]!
  const chance = numbers[at.chance]!
  const why = seen < low || seen > high ? '' : `: ${within(look, time, d)}`
  const message = `${feature} is ${plain(seen)}, usually ${plain(low)} to ${plain(high)}${d === 2 && seen === 0 ? ': a flat line' : why}`
  const evidence = {
    feature,
    seen,
    usual_low: low,
    usual_high: high,
    nearest_known: look.nearest[d]!,
    per_week: chance,
  }
  return { message, evidence }
}

/** Why it is told though it lies within the usual range. */
function within({ course: { features }, nearest, untimely }: Look, time: number, d: number): string {
  if (untimely)
    return `at ${new Date(time).toISOString().slice(11, 16)} UTC of days before the nearest was ${plain(nearest[d]!)}`
  return `not seen before ${together(features, d)}; the nearest is ${plain(nearest[d]!)} ${together(nearest, d)}`
}

function together(features: Float64Array, d: number): string {
  const short = ['value', 'mean', 'spread', 'step']
  const others = short.flatMap((name, n) => (n === d ? [] : [`${name} ${plain(features[n]!)}`]))
  return `with ${others.join(', ')}`
}

/** The feature that is farthest from the nearest known. */
function farthest(state: AnomalyState, { course, nearest }: Look): number {
  let most = 0
  let found = 0
  for (let d = 0; d < dimensions; d++) {
    const ranges = (Math.abs(course.features[d]! - nearest[d]!) / rangeOf(state, d)) * course.point.weight[d]!
    if (ranges > most) {
      most = ranges
      found = d
    }
  }
  return found
}

export function sayFlat({ counter, numbers }: AnomalyState, value: number): Said {
  const run = numbers[at.run]!
  const longest = numbers[at.longestRun]!
  const chance = numbers[at.chance]!
  const message = `${counter ? 'rate' : 'value'} is ${plain(value)} for the ${run}th time on end, a flat line; at most ${longest} times before`
  return { message, evidence: { feature: 'flat', seen: value, run, longest_run: longest, per_week: chance } }
}

export function sayAbsence({ numbers }: AnomalyState, after: number): Said {
  const last = new Date(numbers[at.time]!).toISOString()
  const usual = numbers[at.interval]! / 1000
  const message = `no sample has come since ${last}; usually one comes every ${plain(usual)} s`
  return { message, evidence: { feature: 'missing', after_s: after / 1000, usual_s: usual } }
}

function plain(value: number): string {
  return String(Number(value.toPrecision(4)))
}
