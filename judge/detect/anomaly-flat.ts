// A flat line: the same value so often on end as never before, where the series has always moved. What was seen for a
// while is compared with what would have to be seen by chance: what never was in so many samples is expected once in as
// many.

import { samplesAWeek } from './anomaly-odds.ts'
import { type AnomalyState, at, window } from './anomaly-state.ts'

/** Longest runs are told of only where so many of them fit into the window. */
const shorter = 4

/** Takes a value in; how often a week such a run is expected where it has just become one, else 0. */
export function flatten(state: AnomalyState, value: number): number {
  const before = state[at.lastValue]!
  state[at.lastValue] = value + 0
  if (value !== before) {
    state[at.longestRun] = Math.max(state[at.longestRun]!, state[at.run]!)
    state[at.run] = 1
    return 0
  }
  if (++state[at.run]! !== window || state[at.longestRun]! * shorter > window) return 0
  return samplesAWeek(state) / state[at.count]!
}

export function isFlat(state: AnomalyState): boolean {
  return state[at.run]! >= window
}
