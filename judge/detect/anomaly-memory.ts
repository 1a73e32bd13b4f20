// What a series has looked like: up to 76 points in the space of its features, and at which times of day each was seen.
//
// Format, in the state's list of numbers:
//   place  one number a point: its 4 features in steps of a frame that belongs to the series, 0 to 8,463, as digits
//   seen   13 bits a point, four points in a number: one for each two hours of the day (UTC) in which it was seen, and one
//          that says it was of use lately
//
// Forgetting: the hand goes round like a clock's; a point that was of use since it last passed gets another round.

import { type AnomalyState, at, dimensions, fours, most } from './anomaly-state.ts'

/** The first of them tell of the level; only they are compared with a time of day. */
export const levels = 2
/** Four digits of this base are a whole number that stays exact. */
export const span = 8464
export const middle = span / 2
const square = span ** 2
const cube = span ** 3
const powers = [cube, square, span, 1] as const
const seenBits = 13
const usedBit = 1 << (seenBits - 1)
const seenShare = 2 ** seenBits
const shares = Array.from({ length: fours }, (_, n) => seenShare ** n)

export interface Point {
  /** In steps of the frame, within [0, span). */
  readonly at: Float64Array
  /** What a step counts for in each dimension. */
  readonly weight: Float64Array
  /** How many steps are within reach. */
  readonly within: Float64Array
  /** The time of day, as its bit. */
  now: number
}

export interface Met {
  /** Distance to the nearest known point; 0 if that is within `reach`. */
  distance: number
  /** How far the level is from the nearest seen at this time of day; 0 if within reach, and where none was seen. */
  atThisTime: number
  /** The index of the nearest, and of the nearest seen at this time of day. */
  nearest: number
  nearestNow: number
}

/** Looks first where it was found last; `met` is overwritten. What is known at this time of day ends the search. */
export function meet(state: AnomalyState, point: Point, reach: number, met: Met): void {
  met.distance = 0
  met.atThisTime = 0
  met.nearest = familiar(state, point)
  if (met.nearest < 0) measure(state, point, reach, met)
}

/** The first point within reach that was seen at this time of day, from what was met last on round; -1: there is none. */
function familiar(state: AnomalyState, { at: here, within, now }: Point): number {
  const x = here[0]!
  const dx = within[0]!
  // The first digit alone rules most of them out.
  const low = Math.floor(x - dx) * cube
  const high = (Math.floor(x + dx) + 1) * cube
  const end = state[at.points]! | 0
  let index = state[at.met]! | 0
  for (let n = 0; n < end; n++) {
    const place = state[at.place + index]!
    if (place >= low && place < high && isWithin(place, here, within) && (seen(state, index) & now) !== 0) return index
    index++
    if (index >= end) index = 0
  }
  return -1
}

function isWithin(place: number, here: Float64Array, within: Float64Array): boolean {
  const { x, y, z, w } = digits(place)
  return (
    Math.abs(x - here[0]!) <= within[0]! &&
    Math.abs(y - here[1]!) <= within[1]! &&
    Math.abs(z - here[2]!) <= within[2]! &&
    Math.abs(w - here[3]!) <= within[3]!
  )
}

/** The distances to the nearest of all, and to the nearest of those seen at this time of day. */
function measure(state: AnomalyState, { at: here, weight, now }: Point, reach: number, met: Met): void {
  let best = Number.POSITIVE_INFINITY
  let bestNow = Number.POSITIVE_INFINITY
  for (let index = 0; index < state[at.points]!; index++) {
    const { x, y, z, w } = digits(state[at.place + index]!)
    const level = Math.max(Math.abs(here[0]! - x) * weight[0]!, Math.abs(here[1]! - y) * weight[1]!)
    const other = Math.max(Math.abs(here[2]! - z) * weight[2]!, Math.abs(here[3]! - w) * weight[3]!)
    const distance = Math.max(level, other)
    if (distance < best) {
      best = distance
      met.nearest = index
    }
    if (level < bestNow && (seen(state, index) & now) !== 0) {
      bestNow = level
      met.nearestNow = index
    }
  }
  if (best > reach) met.distance = best
  if (bestNow > reach && bestNow < Number.POSITIVE_INFINITY) met.atThisTime = bestNow
}

interface Digits {
  readonly x: number
  readonly y: number
  readonly z: number
  readonly w: number
}

/** The features of a point, in steps. */
function digits(place: number): Digits {
  const first = Math.floor(place / square)
  const last = place - first * square
  const x = Math.floor(first / span)
  const z = Math.floor(last / span)
  return { x, y: first - x * span, z, w: last - z * span }
}

/** Notes that the point at `index` was seen now. */
export function recall(state: AnomalyState, index: number, now: number): void {
  const before = seen(state, index)
  const after = before | now | usedBit
  if (after !== before) see(state, index, after - before)
}

/** Takes a new point in. */
export function keep(state: AnomalyState, { at: here, now }: Point): void {
  const index = state[at.points]! < most ? state[at.points]!++ : makeRoom(state)
  setPoint(state, index, here, now | usedBit)
}

/** `here` in steps. */
export function setPoint(state: AnomalyState, index: number, here: ArrayLike<number>, seenAt: number): void {
  let place = 0
  for (let d = 0; d < dimensions; d++) place = place * span + step(here[d]!)
  state[at.place + index] = place
  see(state, index, seenAt - seen(state, index))
}

function makeRoom(state: AnomalyState): number {
  for (;;) {
    const index = state[at.hand]!
    state[at.hand] = (index + 1) % most
    if ((seen(state, index) & usedBit) === 0) return index
    see(state, index, -usedBit)
  }
}

/** The same points in another frame of one dimension: each step x becomes x * `factor` + `shift`. */
export function reframe(state: AnomalyState, dimension: number, factor: number, shift: number): void {
  for (let index = 0; index < state[at.points]!; index++) {
    const before = coordinate(state, index, dimension)
    state[at.place + index]! += (step(before * factor + shift) - before) * powers[dimension]!
  }
}

/** Where the point at `index` lies in one dimension, in steps. */
export function coordinate(state: AnomalyState, index: number, dimension: number): number {
  const digits = Math.floor(state[at.place + index]! / powers[dimension]!)
  return digits - Math.floor(digits / span) * span
}

/** Times of day and the bit of use. */
export function seen(state: AnomalyState, index: number): number {
  return (state[at.seen + (index >> 2)]! / shares[index & 3]!) & (seenShare - 1)
}

function see(state: AnomalyState, index: number, change: number): void {
  state[at.seen + (index >> 2)]! += change * shares[index & 3]!
}

export function inFrame(at: number): number {
  return at > 0 ? Math.min(at, span - 1) : 0
}

function step(at: number): number {
  return Math.round(inFrame(at))
}
