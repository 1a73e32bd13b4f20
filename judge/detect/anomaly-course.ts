// From samples to the features that are compared: the value, its mean and spread over the last 28, and its step away
// from where it has been. All are measured in ranges of the series itself, so that nothing needs a unit.
//
// - The range of each feature is that of the first 150 samples; then it grows by a twentieth of what lies beyond it, so
//   that one wild value makes nothing else look small; it shrinks by half where no more than a quarter was visited in an
//   epoch of 4,096 samples, so that a change of unit does not blind for ever.
// - What is remembered is kept in steps of a frame, 1/256 of a range, that moves when the range has doubled.

import { coordinate, inFrame, middle, type Point, reframe } from './anomaly-memory.ts'
import { reach } from './anomaly-odds.ts'
import { type AnomalyState, at, dimensions, window } from './anomaly-state.ts'

export const learning = 150
const epoch = 4096
const eighths = 8
/** Once halved, a range of which no more than an eighth is visited is halved again after so many samples. */
const haste = 256
const halvedBit = 1 << eighths
/** How much of what lies beyond the range it grows by a sample, and how many ranges count at most. */
const growth = 0.05
const farthest = 4
/** What a range counts for in each dimension: mean and spread tell much of what the value has told already. */
const weights = [1, 0.7, 0.5, 1] as const
const levelWeight = 0.1
/** Ranges that one value can be off at most for the level: a wild one must not carry it off for long. */
const farthestStep = 16
const stepsOfRange = 256
/** Recent values are kept finer than steps. */
const fine = 16
const farthestRecent = 2 ** 24
const pairShare = 2 ** 26
/** A change of less than this share of the value itself is none. */
const leastShare = 1e-3
/** Squares of larger ones could not be added up. */
const largest = 1e150

export interface Course {
  /** What the features are, in the series' own unit. */
  readonly features: Float64Array
  readonly point: Point
}

export function newCourse(): Course {
  const point = {
    at: new Float64Array(dimensions),
    weight: new Float64Array(dimensions),
    within: new Float64Array(dimensions),
    now: 0,
  }
  return { features: new Float64Array(dimensions), point }
}

/** Takes a value in; `course` is overwritten. */
export function follow(state: AnomalyState, raw: number, course: Course): void {
  const { features } = course
  const value = Math.max(-largest, Math.min(largest, raw)) + 0
  const count = state[at.count]!++
  if (count === 0) begin(state, value)
  features[0] = value
  if (count < learning) stretch(state, 0, value)
  remember(state, count, value, features)
  features[3] = value - state[at.level]!
  const most = farthestStep * rangeOf(state, 0)
  state[at.level]! += levelWeight * Math.max(-most, Math.min(most, features[3]))
  if (count < learning)
    for (let d = 1; d < dimensions; d++) if (d !== 2 || count >= window) stretch(state, d, features[d]!)
  place(state, course)
}

/** After the judgement: the ranges give way. */
export function giveWay(state: AnomalyState, { features }: Course): void {
  const count = state[at.count]!
  for (let d = 0; d < dimensions; d++) {
    const feature = features[d]!
    const low = state[at.low + d]!
    const high = state[at.high + d]!
    if (feature < low || feature > high) {
      state[at.visited + d]! |= feature < low ? 1 : 1 << (eighths - 1)
      if (count > learning) grow(state, d, feature)
    } else if (high > low)
      state[at.visited + d]! |= 1 << Math.min(eighths - 1, ((feature - low) / (high - low)) * eighths)
  }
  if ((count | 0) % haste === 0) for (let d = 0; d < dimensions; d++) endEpoch(state, d, (count | 0) % epoch === 0)
}

export function rangeOf(state: AnomalyState, d: number): number {
  return Math.max(state[at.high + d]! - state[at.low + d]!, leastRange(state))
}

/** The least of all features follows from the value's own range. */
function leastRange(state: AnomalyState): number {
  const farthest = Math.max(Math.abs(state[at.low]!), Math.abs(state[at.high]!))
  return Math.max(state[at.least]!, leastShare * farthest, Number.MIN_VALUE * 2 ** 60)
}

/** What the point at `index` of the memory was, in the series' own unit. */
export function remembered(state: AnomalyState, index: number, d: number): number {
  return state[at.origin + d]! + (coordinate(state, index, d) - middle) * state[at.step + d]!
}

function begin(state: AnomalyState, value: number): void {
  state[at.level] = value
  for (let d = 0; d < dimensions; d++) {
    const feature = d < 2 ? value : 0
    state[at.low + d] = feature
    state[at.high + d] = feature
  }
  for (let d = 0; d < dimensions; d++) moveFrame(state, d)
}

/** While learning: what came is usual. The range of the spread begins at none, and waits until the window is full. */
function stretch(state: AnomalyState, d: number, feature: number): void {
  if (feature >= state[at.low + d]! && feature <= state[at.high + d]!) return
  if (feature < state[at.low + d]!) state[at.low + d] = feature
  else state[at.high + d] = feature
  fitFrames(state, d)
}

function grow(state: AnomalyState, d: number, feature: number): void {
  const side = feature < state[at.low + d]! ? at.low : at.high
  const beyond = feature - state[side + d]!
  const flat = state[at.low + d] === state[at.high + d]
  const most = farthest * rangeOf(state, d)
  state[side + d]! += flat ? beyond : growth * Math.max(-most, Math.min(most, beyond))
  fitFrames(state, d)
}

/**
 * To half where no more than two neighbouring eighths were visited, about them. Before the epoch ends only what has been
 * halved already and still is far too wide: what garbage has stretched comes back five times as soon.
 */
function endEpoch(state: AnomalyState, d: number, isEnd: boolean): void {
  const before = state[at.visited + d]!
  const visited = before & (halvedBit - 1)
  const lowest = visited & -visited
  const isOne = visited === lowest
  if (!isEnd && !(isOne && before >= halvedBit)) return
  const low = state[at.low + d]!
  const range = state[at.high + d]! - low
  state[at.visited + d] = 0
  if (range === 0 || !(isOne || visited === 3 * lowest)) return
  const centre = low + ((Math.log2(lowest) + (isOne ? 0.5 : 1)) / eighths) * range
  state[at.low + d] = centre - range / 4
  state[at.high + d] = centre + range / 4
  state[at.visited + d] = halvedBit
  if (d === 1) narrowHome(state)
  fitFrames(state, d)
}

/** The mean is at home no farther than it goes. */
function narrowHome(state: AnomalyState): void {
  state[at.homeLow] = Math.max(state[at.homeLow]!, state[at.low + 1]!)
  state[at.homeHigh] = Math.min(state[at.homeHigh]!, state[at.high + 1]!)
}

/** The least range of all features follows from the value's own. */
function fitFrames(state: AnomalyState, changed: number): void {
  fitFrame(state, changed)
  if (changed === 0) for (let d = 1; d < dimensions; d++) fitFrame(state, d)
}

function fitFrame(state: AnomalyState, d: number): void {
  const steps = rangeOf(state, d) / state[at.step + d]!
  const centre = (state[at.low + d]! + state[at.high + d]!) / 2
  const away = Math.abs(centre - state[at.origin + d]!) / state[at.step + d]!
  if (steps > 2 * stepsOfRange || steps < stepsOfRange / 4 || away > middle / 2) moveFrame(state, d)
}

function moveFrame(state: AnomalyState, d: number): void {
  const step = rangeOf(state, d) / stepsOfRange
  const origin = (state[at.low + d]! + state[at.high + d]!) / 2
  const factor = state[at.step + d]! / step
  const shift = (state[at.origin + d]! - origin) / step
  reframe(state, d, factor, middle - middle * factor + shift)
  if (d === 0) reframeRecent(state, factor, shift * fine)
  state[at.step + d] = step
  state[at.origin + d] = origin
}

/** Mean and spread over the window. Whole numbers add up exactly, so that the sums need never be made anew. */
function remember(state: AnomalyState, count: number, value: number, features: Float64Array): void {
  const step = state[at.step]! / fine
  const come = rounded((value - state[at.origin]!) / step)
  const slot = (count | 0) % window
  const gone = recentAt(state, slot)
  setRecent(state, slot, come)
  const sum = state[at.sum]! + come - gone
  const squares = state[at.squares]! + come * come - gone * gone
  state[at.sum] = sum
  state[at.squares] = squares
  const length = count < window ? count + 1 : window
  features[1] = state[at.origin]! + (sum / length) * step
  features[2] = (Math.sqrt(Math.max(0, length * squares - sum * sum)) / length) * step
}

/** Two recent values share a number: the second, and 2 ** 26 times the first. */
export function recentAt(state: AnomalyState, n: number): number {
  const both = state[at.recent + (n >> 1)]!
  const first = Math.round(both / pairShare) + 0
  return (n & 1) === 0 ? first : both - first * pairShare
}

export function setRecent(state: AnomalyState, n: number, value: number): void {
  const change = value - recentAt(state, n)
  state[at.recent + (n >> 1)]! += (n & 1) === 0 ? change * pairShare : change
}

/** In another frame; places not yet taken stay empty. */
function reframeRecent(state: AnomalyState, factor: number, shift: number): void {
  const taken = Math.min(window, state[at.count]! - 1)
  state[at.sum] = 0
  state[at.squares] = 0
  for (let n = 0; n < taken; n++) {
    const value = rounded(recentAt(state, n) * factor + shift)
    setRecent(state, n, value)
    state[at.sum]! += value
    state[at.squares]! += value * value
  }
}

/** Within 4,096 ranges, so that the sum of the squares stays exact. */
function rounded(value: number): number {
  return Math.round(value > -farthestRecent ? Math.min(farthestRecent, value) : -farthestRecent) + 0
}

function place(state: AnomalyState, { features, point }: Course): void {
  const least = leastRange(state)
  for (let d = 0; d < dimensions; d++) {
    const step = state[at.step + d]!
    const weight = (weights[d]! * step) / Math.max(state[at.high + d]! - state[at.low + d]!, least)
    point.at[d] = inFrame((features[d]! - state[at.origin + d]!) / step + middle)
    point.weight[d] = weight
    point.within[d] = reach / weight
  }
}
