// One plain sentence: what is out of the way, what it is now, and what it usually is.

import { levels } from './anomaly-memory.ts'
import type { Look } from './anomaly-novelty.ts'
import { type AnomalyState, at, dimensions, window } from './anomaly-state.ts'

export interface Said {
  readonly message: string
  readonly evidence: Readonly<Record<string, number | string>>
}

const hour = 3_600_000
const gauge = ['value', `mean of ${window} samples`, `spread of ${window} samples`, 'step'] as const
const counter = [
  'rate',
  `mean rate of ${window} samples`,
  `spread of the rate in ${window} samples`,
  'step of the rate',
]

export function say(state: AnomalyState, look: Look, time: number): Said {
  if (look.by === 'home') return sayDrift(state, look)
  return look.by === 'week' ? sayMissed(state, look) : sayNovelty(state, look, time)
}

function sayNovelty(state: AnomalyState, look: Look, time: number): Said {
  const d = farthest(state, look)
  const feature = (state[at.counter] === 1 ? counter : gauge)[d]!
  const seen = look.course.features[d]!
  const low = state[at.low + d]!
  const high = state[at.high + d]!
  const chance = state[at.chance]!
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
function within({ course: { features }, nearest, by }: Look, time: number, d: number): string {
  if (by === 'time of day')
    return `at ${new Date(time).toISOString().slice(11, 16)} UTC of days before the nearest was ${plain(nearest[d]!)}`
  return `not seen before ${together(features, d)}; the nearest is ${plain(nearest[d]!)} ${together(nearest, d)}`
}

function together(features: Float64Array, d: number): string {
  const short = ['value', 'mean', 'spread', 'step']
  const others = short.flatMap((name, n) => (n === d ? [] : [`${name} ${plain(features[n]!)}`]))
  return `with ${others.join(', ')}`
}

/** The feature that is farthest from the nearest known; only levels are compared with a time of day. */
function farthest(state: AnomalyState, { course, nearest, by }: Look): number {
  let most = 0
  let found = 0
  for (let d = 0; d < (by === 'time of day' ? levels : dimensions); d++) {
    const steps = Math.abs(course.features[d]! - nearest[d]!) / state[at.step + d]!
    const ranges = steps * course.point.weight[d]!
    if (ranges > most) {
      most = ranges
      found = d
    }
  }
  return found
}

function sayDrift(state: AnomalyState, { course: { features } }: Look): Said {
  const feature = (state[at.counter] === 1 ? counter : gauge)[1]!
  const seen = features[1]!
  const low = state[at.homeLow]!
  const high = state[at.homeHigh]!
  const message = `${feature} has drifted to ${plain(seen)}, for long it was ${plain(low)} to ${plain(high)}`
  return { message, evidence: { feature, seen, usual_low: low, usual_high: high, per_week: state[at.chance]! } }
}

function sayMissed(state: AnomalyState, { miss: { from, usual, now } }: Look): Said {
  const feature = (state[at.counter] === 1 ? counter : gauge)[0]!
  const day = new Intl.DateTimeFormat('en', { weekday: 'long', timeZone: 'UTC' }).format(from)
  const clock = (time: number): string => new Date(time).toISOString().slice(11, 16)
  const when = `${day} ${clock(from)} to ${clock(from + 4 * hour)} UTC`
  const [far, was] = usual > now ? ['high', 'above'] : ['low', 'below']
  const message = `${feature} went no ${far}er than ${plain(now)} on ${when}, in both weeks before it went ${was} ${plain(usual)}`
  return { message, evidence: { feature: 'missed', seen: now, usual, from, per_week: state[at.chance]! } }
}

export function sayFlat(state: AnomalyState, value: number): Said {
  const run = state[at.run]!
  const longest = state[at.longestRun]!
  const chance = state[at.chance]!
  const message = `${state[at.counter] === 1 ? 'rate' : 'value'} is ${plain(value)} for the ${run}th time on end, a flat line; at most ${longest} times before`
  return { message, evidence: { feature: 'flat', seen: value, run, longest_run: longest, per_week: chance } }
}

export function sayAbsence(state: AnomalyState, after: number): Said {
  const last = new Date(state[at.time]!).toISOString()
  const usual = state[at.interval]! / 1000
  const message = `no sample has come since ${last}; usually one comes every ${plain(usual)} s`
  return { message, evidence: { feature: 'missing', after_s: after / 1000, usual_s: usual } }
}

function plain(value: number): string {
  return String(Number(value.toPrecision(4)))
}
