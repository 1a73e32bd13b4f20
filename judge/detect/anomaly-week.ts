// The week of a series: how high and how low it went in each four hours of the last two weeks, so that what came in both
// and does not come now is missed: a job that runs on its one day, a Monday that does not begin.
//
// Format: 16 bits for each of the 42 fours of hours, three in a number: the highest level of the last week and of the one
// before, and the lowest, each 1 to 15 (0: not known), in a frame that holds all of them. The frame is made anew where a level
// lies outside of it, and smaller where they take less than half of it, so that one wild value blinds for two weeks at most.

import { rangeOf } from './anomaly-course.ts'
import { type AnomalyState, at, bins, threes } from './anomaly-state.ts'

const hour = 3_600_000
const length = 4 * hour
/** From half past: what begins at full hours begins well within. The first began on a Thursday. */
const shift = hour / 2
const top = 15
/** Levels a new frame takes up. */
const spread = 13
/** Of the samples that four hours usually have, so many must have come. */
const leastShare = 0.75
/** Of two weeks, beyond chance: 1 is the same. */
const leastAgreement = 0.75
const bits = 4
const levels = 4
/** Where the highest of the last week and of the one before are, and the lowest. */
const highs = 0
const lows = 2
const share = 2 ** 16
const shares = [1, share, share ** 2] as const

export interface Miss {
  /** In ranges; 0: nothing is missed. */
  distance: number
  /** The four hours began here, in ms. */
  from: number
  /** How far it went in both weeks before, at least, and how far now. */
  usual: number
  now: number
}

/** Takes a value in; where it is the first after four hours, what these lacked. `miss` is overwritten. */
export function week(state: AnomalyState, time: number, value: number, miss: Miss): void {
  const bin = Math.floor((time + shift) / length)
  miss.distance = 0
  if (bin !== state[at.bin]) {
    if (state[at.binCount]! * state[at.interval]! >= leastShare * length) close(state, miss)
    state[at.bin] = bin
    state[at.binCount] = 0
    state[at.binLow] = value
    state[at.binHigh] = value
  }
  state[at.binCount]!++
  if (value < state[at.binLow]!) state[at.binLow] = value
  else if (value > state[at.binHigh]!) state[at.binHigh] = value
}

function close(state: AnomalyState, miss: Miss): void {
  const bin = state[at.bin]!
  const place = ((bin % bins) + bins) % bins
  fit(state, place)
  const low = levelOf(state, state[at.binLow]!)
  const high = levelOf(state, state[at.binHigh]!)
  const known = bitsOf(state, place)
  if (levelIn(known, highs + 1) !== 0) {
    const upTo = Math.min(levelIn(known, highs), levelIn(known, highs + 1))
    const downTo = Math.max(levelIn(known, lows), levelIn(known, lows + 1))
    const apart = Math.max(upTo - high, low - downTo) - 1
    const isShort = upTo - high > apart
    if (
      apart > 0 &&
      (isShort ? agrees(state, highs, level => level > high) : agrees(state, lows, level => level < low))
    ) {
      miss.distance = (apart * state[at.weekStep]!) / rangeOf(state, 0)
      miss.from = bin * length - shift
      miss.usual = lowerEdge(state, isShort ? upTo : downTo + 1)
      miss.now = state[isShort ? at.binHigh : at.binLow]!
    }
  }
  const before = (n: number): number => levelIn(known, n) << ((n + 1) * bits)
  setBits(state, place, high | before(highs) | (low << (lows * bits)) | before(lows))
}

/**
 * Whether the two weeks are alike in which fours of hours went so far, more than chance has it (Cohen's kappa): these did
 * then by rule, and not as any may or as nearly all do.
 */
function agrees(state: AnomalyState, of: number, wentFar: (level: number) => boolean): boolean {
  let [all, last, before, same] = [0, 0, 0, 0]
  for (let bin = 0; bin < bins; bin++) {
    const known = bitsOf(state, bin)
    if (levelIn(known, of + 1) === 0) continue
    const far = [wentFar(levelIn(known, of)), wentFar(levelIn(known, of + 1))]
    all++
    if (far[0]) last++
    if (far[1]) before++
    if (far[0] === far[1]) same++
  }
  const byChance = (last * before + (all - last) * (all - before)) / all
  return same - byChance >= leastAgreement * (all - byChance) && same > byChance
}

/** The frame holds all that is known and what came now; it is looked over once a week, and where that does not fit. */
function fit(state: AnomalyState, place: number): void {
  const frame = state[at.weekStep]! * top
  const fits = state[at.binLow]! >= state[at.weekLow]! && state[at.binHigh]! <= state[at.weekLow]! + frame
  if (fits && place !== 0) return
  let low = state[at.binLow]!
  let high = state[at.binHigh]!
  for (let n = 0; n < bins * levels; n++) {
    const level = levelIn(bitsOf(state, Math.floor(n / levels)), n % levels)
    if (level === 0) continue
    low = Math.min(low, lowerEdge(state, level))
    high = Math.max(high, lowerEdge(state, level + 1))
  }
  if (fits && (high - low) * 2 > frame) return
  reframe(state, low, Math.max(high - low, rangeOf(state, 0)) / spread)
}

function reframe(state: AnomalyState, low: number, step: number): void {
  const { [at.weekLow]: lowBefore = 0, [at.weekStep]: stepBefore = 0 } = state
  state[at.weekLow] = low - step
  state[at.weekStep] = step
  for (let bin = 0; bin < bins; bin++) {
    const known = bitsOf(state, bin)
    let now = 0
    for (let n = 0; n < levels; n++) {
      const level = levelIn(known, n)
      if (level > 0) now |= levelOf(state, lowBefore + (level - 0.5) * stepBefore) << (n * bits)
    }
    setBits(state, bin, now)
  }
}

function levelOf(state: AnomalyState, value: number): number {
  return Math.max(1, Math.min(top, 1 + Math.floor((value - state[at.weekLow]!) / state[at.weekStep]!)))
}

function lowerEdge(state: AnomalyState, level: number): number {
  return state[at.weekLow]! + (level - 1) * state[at.weekStep]!
}

function levelIn(known: number, n: number): number {
  return (known >> (n * bits)) & top
}

function bitsOf(state: AnomalyState, bin: number): number {
  return (state[at.week + Math.floor(bin / threes)]! / shares[bin % threes]!) & (share - 1)
}

function setBits(state: AnomalyState, bin: number, value: number): void {
  state[at.week + Math.floor(bin / threes)]! += (value - bitsOf(state, bin)) * shares[bin % threes]!
}
