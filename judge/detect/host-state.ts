// What is remembered of a host: a few numbers, and some for each of its series.

import type { Series } from '../../core/model.ts'
import { labelOf } from '../rule.ts'
import type { Member } from './host-member.ts'

export interface HostState {
  readonly numbers: number[]
  /** By `keyOf`. */
  readonly members: Record<string, Member>
}

/** Where what stands in the numbers. */
export const at = {
  begun: 0,
  /** Of the newest sample; when the minute being gathered is over; the first that came in it from long before. */
  time: 1,
  end: 2,
  behind: 16,
  /** Minutes weighed, the usual strangeness and its variance; how many deviations off it is now. */
  rows: 3,
  mean: 4,
  variance: 5,
  off: 6,
  /** Departures from what is usual, how far beyond they went in all, the newest peak and its age. */
  left: 7,
  beyond: 8,
  peak: 9,
  peakAge: 10,
  /** The finding: since when, how far off it was when last told, minutes since it was out of the way. */
  since: 11,
  said: 12,
  calm: 13,
  /** The newest mean part of the series, and how often a week it is expected (0: no news). */
  score: 14,
  expected: 15,
} as const

export function newHost(): HostState {
  return { numbers: new Array<number>(17).fill(0), members: {} }
}

/** Another unit is another series. */
export function keyOf(series: Series): string {
  return `${series.kind}/${series.unit.replaceAll(' ', '')} ${labelOf(series)}`
}

export function nameOf(key: string): string {
  return key.slice(key.indexOf(' ') + 1)
}
