// What is remembered of a series: one list of numbers, so that a step touches few lines of memory, one after the other;
// what most steps need comes first. Several small whole numbers share a place where they are many.

import type { Series } from '../../core/model.ts'

/** Samples that the mean and the spread are taken over. */
export const window = 28
export const dimensions = 4
/** Points that are remembered, see anomaly-memory.ts. */
export const most = 76
/** How many share a place. */
export const pairs = 2
export const fours = 4
export const threes = 3
/** Fours of hours in a week. */
export const bins = 42

/** By `at`. */
export type AnomalyState = number[]

/** What comes before is one number each. */
const packed = 34 + 5 * dimensions

/** Numbers in a line of memory. */
const line = 8

/** Places in the state. */
export const at = {
  /** Samples taken in. */
  count: 0,
  /** Times of the first and the last sample, and the usual and the longest time between two, ms. */
  begun: 1,
  time: 2,
  interval: 3,
  longest: 4,
  /** The value before; of a counter, its reading. */
  value: 5,
  /** A weighted mean that follows in about ten samples. */
  level: 6,
  /** The least range that counts as one: a share of what the unit can be. */
  least: 7,
  /** Where forgetting goes on, and what was met last. */
  hand: 8,
  met: 9,
  /** The largest distance lately, and how many samples ago. */
  peak: 10,
  peakAge: 11,
  /** Samples, times that it left what was known, and the sum of how far beyond `reach`. */
  odds: 12,
  left: 13,
  beyond: 14,
  /** The same for what was not known at that time of day: samples, and the sum of the distances. */
  timed: 15,
  untimely: 16,
  /** The finding: since when (0: none), how far out when it was said last, familiar samples since. */
  since: 17,
  said: 18,
  calm: 19,
  /** How often a week at least this is to be expected by chance; 0: nothing is out of the way. */
  chance: 20,
  /** Of the recent values. */
  sum: 21,
  squares: 22,
  /** Where the mean has been for long, and how often the same value has come on end, now and at most. */
  homeLow: 23,
  homeHigh: 24,
  run: 25,
  longestRun: 26,
  lastValue: 27,
  /** For each feature: the usual range; which eighths of it were visited in this epoch, as bits; the frame's middle and step. */
  low: 28,
  high: 28 + dimensions,
  visited: 28 + 2 * dimensions,
  origin: 28 + 3 * dimensions,
  step: 28 + 4 * dimensions,
  /** The four hours it is in, by their number since 1970: how many samples, and how low and high they went. */
  bin: 28 + 5 * dimensions,
  binCount: 29 + 5 * dimensions,
  binLow: 30 + 5 * dimensions,
  binHigh: 31 + 5 * dimensions,
  /** The frame of the week. */
  weekLow: 32 + 5 * dimensions,
  weekStep: 33 + 5 * dimensions,
  /** 1 of a counter. */
  counter: packed,
  /** Points known; when each was seen; where each lies. */
  points: packed + 1,
  seen: packed + 2,
  place: packed + 2 + most / fours,
  /** The last values, in sixteenths of the first feature's steps from its frame's middle; the oldest is overwritten. */
  recent: packed + 2 + most / fours + most,
  /** See anomaly-week.ts. */
  week: packed + 2 + most / fours + most + window / pairs,
} as const

const places = at.week + bins / threes

/** Made of fractions, and never of whole numbers alone: V8 then keeps it as bare numbers of 8 bytes. */
const blank: readonly number[] = JSON.parse(`[${Array(places).fill('0.5').join()}]`)

export function startAnomaly(series: Series | undefined): AnomalyState {
  const state = blank.slice().fill(0)
  state[at.least] = leastRange(series)
  state[at.counter] = series?.kind === 'counter' ? 1 : 0
  return state
}

/**
 * Reads from each line of memory (64 bytes) that a step needs, so that they come together, where else it would wait for
 * one after the other: at 50,000 series a quarter of its time. The sum is to be kept, or the reads would be left out.
 */
export function touch(state: AnomalyState): number {
  const met = state[at.met]! | 0
  let sum = state[at.recent + (((state[at.count]! | 0) % window) >> 1)]!
  sum += state[at.place + met]! + state[at.seen + (met >> 2)]!
  for (let n = line - 1; n < at.seen; n += line) sum += state[n]!
  return sum
}

/** A share or a percentage is bounded: less than a fiftieth of what it can be is no change. */
function leastRange(series: Series | undefined): number {
  if (series === undefined || series.kind === 'counter') return 0
  if (series.unit === '%') return 2
  return series.unit === '1' ? 0.02 : 0
}
