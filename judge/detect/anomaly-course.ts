// From samples to the features that are compared: the value, its mean and spread over the last 28, and its step away
// from where it has been. All are measured in ranges of the series itself, so that nothing needs a unit.
//
// - The range of each feature is that of the first 150 samples; then it grows by a twentieth of what lies beyond it, so
//   that one wild value makes nothing else look small; it shrinks by half where no more than a quarter was visited in an
//   epoch of 4,096 samples, so that a change of unit does not blind for ever.
// - What is remembered is kept in steps of a frame, 1/256 of a range, that moves when the range has doubled.

import { coordinate, dimensions, inFrame, middle, type Point, reframe } from './anomaly-memory.ts'
import { type AnomalyState, at, window } from './anomaly-state.ts'

export const learning = 150
const epoch = 4096
const eighths = 8
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
  const point = { at: new Float64Array(dimensions), weight: new Float64Array(dimensions), now: 0 }
  return { features: new Float64Array(dimensions), point }
}

/** Takes a value in; `course` is overwritten. */
export function follow(state: AnomalyState, raw: number, course: Course): void {
  const { numbers } = state
  const { features } = course
  const value = Math.max(-largest, Math.min(largest, raw)) + 0
  const count = numbers[at.count]!++
  if (count === 0) begin(state, value)
  features[0] = value
  if (count < learning) stretch(state, 0, value)
  remember(state, count, value, features)
  features[3] = value - numbers[at.level]!
  const most = farthestStep * rangeOf(state, 0)
  numbers[at.level]! += levelWeight * Math.max(-most, Math.min(most, features[3]))
  if (count < learning)
    for (let d = 1; d < dimensions; d++) if (d !== 2 || count >= window) stretch(state, d, features[d]!)
  place(state, course)
}

/** After the judgement: the ranges give way. */
export function giveWay(state: AnomalyState, { features }: Course): void {
  const { numbers } = state
  const count = numbers[at.count]!
  for (let d = 0; d < dimensions; d++) {
    const feature = features[d]!
    const low = numbers[at.low + d]!
    const high = numbers[at.high + d]!
    if (feature < low || feature > high) {
      numbers[at.visited + d]! |= feature < low ? 1 : 1 << (eighths - 1)
      if (count > learning) grow(state, d, feature)
    } else if (high > low)
      numbers[at.visited + d]! |= 1 << Math.min(eighths - 1, ((feature - low) / (high - low)) * eighths)
  }
  if (count % epoch === 0) for (let d = 0; d < dimensions; d++) endEpoch(state, d)
}

export function rangeOf({ numbers }: AnomalyState, d: number): number {
  const least = Math.max(
    numbers[at.least]!,
    leastShare * Math.max(Math.abs(numbers[at.low]!), Math.abs(numbers[at.high]!)),
  )
  return Math.max(numbers[at.high + d]! - numbers[at.low + d]!, least, Number.MIN_VALUE * 2 ** 60)
}

/** What the point at `index` of the memory was, in the series' own unit. */
export function remembered({ known, numbers }: AnomalyState, index: number, d: number): number {
  return numbers[at.origin + d]! + (coordinate(known, index, d) - middle) * numbers[at.step + d]!
}

function begin(state: AnomalyState, value: number): void {
  const { numbers } = state
  numbers[at.level] = value
  for (let d = 0; d < dimensions; d++) {
    const feature = d < 2 ? value : 0
    numbers[at.low + d] = feature
    numbers[at.high + d] = feature
  }
  for (let d = 0; d < dimensions; d++) moveFrame(state, d)
}

/** While learning: what came is usual. The range of the spread begins at none, and waits until the window is full. */
function stretch(state: AnomalyState, d: number, feature: number): void {
  const { numbers } = state
  if (feature >= numbers[at.low + d]! && feature <= numbers[at.high + d]!) return
  if (feature < numbers[at.low + d]!) numbers[at.low + d] = feature
  else numbers[at.high + d] = feature
  fitFrames(state, d)
}

function grow(state: AnomalyState, d: number, feature: number): void {
  const { numbers } = state
  const side = feature < numbers[at.low + d]! ? at.low : at.high
  const beyond = feature - numbers[side + d]!
  const flat = numbers[at.low + d] === numbers[at.high + d]
  const most = farthest * rangeOf(state, d)
  numbers[side + d]! += flat ? beyond : growth * Math.max(-most, Math.min(most, beyond))
  fitFrames(state, d)
}

/** To half where no more than two neighbouring eighths were visited, about them. */
function endEpoch(state: AnomalyState, d: number): void {
  const { numbers } = state
  const visited = numbers[at.visited + d]!
  const lowest = visited & -visited
  const low = numbers[at.low + d]!
  const range = numbers[at.high + d]! - low
  numbers[at.visited + d] = 0
  if (range === 0 || (visited !== lowest && visited !== 3 * lowest)) return
  const centre = low + ((Math.log2(lowest) + (visited === lowest ? 0.5 : 1)) / eighths) * range
  numbers[at.low + d] = centre - range / 4
  numbers[at.high + d] = centre + range / 4
  fitFrames(state, d)
}

/** The least range of all features follows from the value's own. */
function fitFrames(state: AnomalyState, changed: number): void {
  fitFrame(state, changed)
  if (changed === 0) for (let d = 1; d < dimensions; d++) fitFrame(state, d)
}

function fitFrame(state: AnomalyState, d: number): void {
  const { numbers } = state
  const steps = rangeOf(state, d) / numbers[at.step + d]!
  const centre = (numbers[at.low + d]! + numbers[at.high + d]!) / 2
  const away = Math.abs(centre - numbers[at.origin + d]!) / numbers[at.step + d]!
  if (steps > 2 * stepsOfRange || steps < stepsOfRange / 4 || away > middle / 2) moveFrame(state, d)
}

function moveFrame(state: AnomalyState, d: number): void {
  const { numbers } = state
  const step = rangeOf(state, d) / stepsOfRange
  const origin = (numbers[at.low + d]! + numbers[at.high + d]!) / 2
  const factor = numbers[at.step + d]! / step
  const shift = (numbers[at.origin + d]! - origin) / step
  state.known = reframe(state.known, d, factor, middle - middle * factor + shift)
  if (d === 0) reframeRecent(state, factor, shift * fine)
  numbers[at.step + d] = step
  numbers[at.origin + d] = origin
}

/** Mean and spread over the window. Whole numbers add up exactly, so that the sums need never be made anew. */
function remember({ numbers }: AnomalyState, count: number, value: number, features: Float64Array): void {
  const step = numbers[at.step]! / fine
  const slot = at.recent + (count % window)
  const gone = numbers[slot]!
  const come = rounded((value - numbers[at.origin]!) / step)
  numbers[slot] = come
  const sum = numbers[at.sum]! + come - gone
  const squares = numbers[at.squares]! + come * come - gone * gone
  numbers[at.sum] = sum
  numbers[at.squares] = squares
  const length = count < window ? count + 1 : window
  features[1] = numbers[at.origin]! + (sum / length) * step
  features[2] = (Math.sqrt(Math.max(0, length * squares - sum * sum)) / length) * step
}

/** In another frame; places not yet taken stay empty. */
function reframeRecent({ numbers }: AnomalyState, factor: number, shift: number): void {
  const taken = Math.min(window, numbers[at.count]! - 1)
  numbers[at.sum] = 0
  numbers[at.squares] = 0
  for (let n = at.recent; n < at.recent + taken; n++) {
    const value = rounded(numbers[n]! * factor + shift)
    numbers[n] = value
    numbers[at.sum]! += value
    numbers[at.squares]! += value * value
  }
}

/** Within 4,096 ranges, so that the sum of the squares stays exact. */
function rounded(value: number): number {
  return Math.round(value > -farthestRecent ? Math.min(farthestRecent, value) : -farthestRecent) + 0
}

function place(state: AnomalyState, { features, point }: Course): void {
  const { numbers } = state
  for (let d = 0; d < dimensions; d++) {
    const step = numbers[at.step + d]!
    point.at[d] = inFrame((features[d]! - numbers[at.origin + d]!) / step + middle)
    point.weight[d] = (weights[d]! * step) / rangeOf(state, d)
  }
}
