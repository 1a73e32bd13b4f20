// How often a host is as unusual as it is now, as a rate of false alarms.
//
// A host's strangeness is the logarithm of the mean part of its series. It goes beyond what is usual (by more than `reach` of
// its own deviations) so and so often, and so much farther: the rate and the mean excess of its tail. Both begin with
// what is usual for hosts at large and give way to what this one does.

import { day } from './host-member.ts'
import { at, type HostState } from './host-state.ts'

/** Deviations from the usual strangeness within which nothing is news. */
export const reach = 3
/** After a peak only what lies farther out is news for so many minutes. */
const rest = 60
const rowsAWeek = 7 * day
/** Departures a minute, and their mean excess in deviations. */
const priorRate = 1 / 1000
const priorExcess = 0.5
const rateWeight = 10
const excessWeight = 20
const farthestTaught = 3
const memory = 60 * day
const leastDeviation = 0.1

/** Takes a strangeness in; returns how often a week one so large is expected where it is news, else 0. */
export function weigh({ numbers }: HostState, strangeness: number): number {
  const rows = ++numbers[at.rows]!
  const deviation = Math.max(leastDeviation, Math.sqrt(numbers[at.variance]!))
  const off = strangeness - numbers[at.mean]!
  const most = rows <= day ? Math.abs(off) : farthestTaught * deviation
  const taught = Math.max(-most, Math.min(most, off))
  const weight = Math.max(1 / rows, 1 / memory)
  numbers[at.mean]! += weight * taught
  numbers[at.variance] = (1 - weight) * (numbers[at.variance]! + weight * taught * taught)
  numbers[at.off] = off / deviation
  return rows <= day ? 0 : depart(numbers)
}

function depart(numbers: number[]): number {
  const off = numbers[at.off]!
  if (++numbers[at.peakAge]! > rest) numbers[at.peak] = 0
  const before = numbers[at.peak]!
  if (off <= reach) return 0
  if (off <= before) {
    numbers[at.peakAge] = 0
    return 0
  }
  const expected = expectedAWeek(numbers, off)
  numbers[at.beyond]! += off - Math.max(reach, before)
  if (before <= reach) numbers[at.left]!++
  numbers[at.peak] = off
  numbers[at.peakAge] = 0
  return expected
}

function expectedAWeek(numbers: readonly number[], off: number): number {
  const rate = (numbers[at.left]! + rateWeight) / (numbers[at.rows]! + rateWeight / priorRate)
  const excess = (numbers[at.beyond]! + excessWeight * priorExcess) / (numbers[at.left]! + excessWeight)
  return rowsAWeek * rate * Math.exp(-(off - reach) / excess)
}
