// A flat line: the same value so often on end as never before, where the series has always moved. What was seen for a
// while is compared with what would have to be seen by chance: what never was in so many samples is expected once in as
// many.

import { samplesAWeek } from './anomaly-odds.ts'
import { type AnomalyState, at, window } from './anomaly-state.ts'

/** Longest runs are told of only where so many of them fit into the window. */
const shorter = 4

/** Takes a value in; how often a week such a run is expected where it has just become one, else 0. */
export function flatten({ numbers }: AnomalyState, value: number): number {
  const before = numbers[at.lastValue]!
  numbers[at.lastValue] = value + 0
  if (value !== before) {
    numbers[at.longestRun] = Math.max(numbers[at.longestRun]!, numbers[at.run]!)
    numbers[at.run] = 1
    return 0
  }
  if (++numbers[at.run]! !== window || numbers[at.longestRun]! * shorter > window) return 0
  return samplesAWeek(numbers) / numbers[at.count]!
}

export function isFlat({ numbers }: AnomalyState): boolean {
  return numbers[at.run]! >= window
}
