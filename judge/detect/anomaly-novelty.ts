// How far a sample lies from everything known of its series, in ranges of the series; what is new becomes known.
//
// The time of day counts from the second week on: then a sample is also compared with only what was seen at this time of
// day before. How much it counts is for the series to show: nothing where that is often far off, all where it never is.

import { type Course, follow, giveWay, learning, newCourse, rangeOf, remembered } from './anomaly-course.ts'
import { keep, type Met, meet, recall } from './anomaly-memory.ts'
import { reach } from './anomaly-odds.ts'
import { type AnomalyState, at, dimensions, window } from './anomaly-state.ts'
import { type Miss, week } from './anomaly-week.ts'

const day = 86_400_000
const halfHour = 1_800_000
const knowsDay = 7 * day
/** Where what was seen at this time of day is so far off on average, the time of day says nothing. */
const mostUntimely = 0.01
/** One wild sample says little of the time of day; so many timely ones are taken for granted. */
const farthest = 1
const granted = 50
const memory = 32_768
/** Home follows by so much of the way a sample; faster in the beginning. */
const settles = 1 / 2048
const settling = 4

/** What is made of one sample; overwritten by the next. */
export interface Look {
  readonly course: Course
  readonly met: Met
  /** Features of the nearest that is known, or known at this time of day. */
  readonly nearest: Float64Array
  /** Which comparison told most. */
  by: 'all' | 'time of day' | 'home' | 'week'
  readonly miss: Miss
  /** See `touch`. */
  readonly touched: Float64Array
}

export function newLook(): Look {
  const met = { distance: 0, atThisTime: 0, nearest: 0, nearestNow: 0 }
  return {
    course: newCourse(),
    met,
    nearest: new Float64Array(dimensions),
    by: 'all',
    miss: { distance: 0, from: 0, usual: 0, now: 0 },
    touched: new Float64Array(1),
  }
}

/** 0 where it is known, and until the window is full; `look` is overwritten. */
export function novelty(state: AnomalyState, time: number, value: number, look: Look): number {
  const { course, met } = look
  const { point } = course
  follow(state, value, course)
  if (state[at.count]! < window) return 0
  point.now = 1 << timeOfDay(time)
  meet(state, point, reach, met)
  const timed = untimely(state, time, met.atThisTime)
  const drifted = drift(state, course.features[1]!)
  const { miss } = look
  if (state[at.count]! > learning) week(state, time, course.features[0]!, miss)
  const distance = Math.max(met.distance, timed, drifted, miss.distance)
  look.by =
    distance === met.distance ? 'all' : distance === timed ? 'time of day' : distance === drifted ? 'home' : 'week'
  if (distance > 0) note(state, look)
  if (met.distance > reach) keep(state, point)
  else {
    state[at.met] = met.nearest
    recall(state, met.nearest, point.now)
  }
  giveWay(state, course)
  return distance
}

/** How far the mean has gone from where it was for long, in ranges: so slowly that each step was near the one before. */
function drift(state: AnomalyState, mean: number): number {
  const count = state[at.count]!
  if (count <= learning) {
    state[at.homeLow] = state[at.low + 1]!
    state[at.homeHigh] = state[at.high + 1]!
    return 0
  }
  const below = state[at.homeLow]! - mean
  const above = mean - state[at.homeHigh]!
  const follows = Math.max(settles, settling / count)
  if (below > 0) state[at.homeLow]! -= below * follows
  else if (above > 0) state[at.homeHigh]! += above * follows
  return Math.max(0, below, above) / rangeOf(state, 0)
}

/** Once it was told, the mean is at home where it is. */
export function settle(state: AnomalyState, mean: number): void {
  if (mean < state[at.homeLow]!) state[at.homeLow] = mean
  if (mean > state[at.homeHigh]!) state[at.homeHigh] = mean
}

/** One of twelve, from half past to half past: what begins at full hours begins well within. */
function timeOfDay(time: number): number {
  const halfHours = Math.floor(time / halfHour) + 1
  return (halfHours - Math.floor(halfHours / 48) * 48) >> 2
}

function note(state: AnomalyState, look: Look): void {
  const index = look.by === 'time of day' ? look.met.nearestNow : look.met.nearest
  for (let d = 0; d < dimensions; d++) look.nearest[d] = state[at.points] === 0 ? 0 : remembered(state, index, d)
}

function untimely(state: AnomalyState, time: number, distance: number): number {
  const known = time - state[at.begun]!
  if (known < knowsDay - day) return 0
  const usual = state[at.untimely]! / (state[at.timed]! + granted)
  state[at.untimely]! += Math.min(farthest, distance)
  if (++state[at.timed]! > memory) for (const count of [at.timed, at.untimely]) state[count]! /= 2
  return known < knowsDay ? 0 : distance * Math.max(0, 1 - usual / mostUntimely)
}
