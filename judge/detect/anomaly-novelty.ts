// How far a sample lies from everything known of its series, in ranges of the series; what is new becomes known.
//
// The time of day counts from the second week on: then a sample is also compared with only what was seen at this time of
// day before. How much it counts is for the series to show: nothing where that is often far off, all where it never is.

import { type Course, follow, giveWay, newCourse, remembered } from './anomaly-course.ts'
import { dimensions, keep, type Met, meet, type Point, recall } from './anomaly-memory.ts'
import { reach } from './anomaly-odds.ts'
import { type AnomalyState, at, window } from './anomaly-state.ts'

const day = 86_400_000
const hour = 3_600_000
const knowsDay = 7 * day
/** Where what was seen at this time of day is so far off on average, the time of day says nothing. */
const mostUntimely = 0.02
/** One wild sample says little of the time of day; so many timely ones are taken for granted. */
const farthest = 1
const granted = 50
const memory = 32_768

/** What is made of one sample; overwritten by the next. */
export interface Look {
  readonly course: Course
  readonly met: Met
  /** Features of the nearest that is known, and whether it was only compared with this time of day. */
  readonly nearest: Float64Array
  untimely: boolean
}

export function newLook(): Look {
  const met = { distance: 0, atThisTime: 0, nearest: 0, nearestNow: 0 }
  return { course: newCourse(), met, nearest: new Float64Array(dimensions), untimely: false }
}

/** 0 where it is known, and until the window is full; `look` is overwritten. */
export function novelty(state: AnomalyState, time: number, value: number, look: Look): number {
  const { course, met } = look
  const { point } = course
  const { numbers } = state
  follow(state, value, course)
  if (numbers[at.count]! < window) return 0
  tellTime(point, time)
  meet(state.known, point, reach, numbers[at.met]!, met)
  const timed = untimely(numbers, time, met.atThisTime)
  const distance = Math.max(met.distance, timed)
  if (distance > 0) note(state, look, timed > met.distance)
  if (met.distance > reach) learn(state, course)
  else {
    numbers[at.met] = met.nearest
    state.known = recall(state.known, met.nearest, point.now)
  }
  giveWay(state, course)
  return distance
}

/** Two hours at a time; an hour belongs to its neighbour too. */
function tellTime(point: Point, time: number): void {
  const hours = ((Math.floor(time / hour) % 24) + 24) % 24
  const block = hours >> 1
  const other = (block + ((hours & 1) === 0 ? 11 : 1)) % 12
  point.now = 1 << block
  point.near = point.now | (1 << other)
}

function note(state: AnomalyState, look: Look, untimely: boolean): void {
  look.untimely = untimely
  const index = untimely ? look.met.nearestNow : look.met.nearest
  for (let d = 0; d < dimensions; d++) look.nearest[d] = state.known === '' ? 0 : remembered(state, index, d)
}

function learn(state: AnomalyState, { point }: Course): void {
  const { numbers } = state
  const kept = keep(state.known, point, numbers[at.hand]!)
  state.known = kept.known
  numbers[at.hand] = kept.hand
}

function untimely(numbers: number[], time: number, distance: number): number {
  const known = time - numbers[at.begun]!
  if (known < knowsDay - day) return 0
  const usual = numbers[at.untimely]! / (numbers[at.timed]! + granted)
  numbers[at.untimely]! += Math.min(farthest, distance)
  if (++numbers[at.timed]! > memory) for (const count of [at.timed, at.untimely]) numbers[count]! /= 2
  return known < knowsDay ? 0 : distance * Math.max(0, 1 - usual / mostUntimely)
}
