// When a value was true. The source's time stamp counts, then the server's, then the moment at which it came. Clocks of
// plants are often wrong: what cannot be is not believed.

import type { DataValue } from 'node-opcua-client'

export interface Clocks {
  /** The gateway's clock when the value came, ms since the epoch. */
  readonly now: number
  /** How far the server's clock is ahead of it, ms. */
  readonly skew: number
  /** How far they may be apart, ms. */
  readonly maxSkew: number
}

/** 2000-01-01: what is dated before comes from a clock that was never set (1601, 1970, 1984, 1990). */
const first = 946_684_800_000

export type Stamped = Pick<DataValue, 'sourceTimestamp' | 'serverTimestamp'>

/**
 * Milliseconds since the epoch. Where the server's clock is wrong by more than `maxSkew` its time stamps are set right by
 * as much; a time stamp from before 2000 or from more than `maxSkew` ahead is no time stamp.
 */
export function timeOf({ sourceTimestamp, serverTimestamp }: Stamped, clocks: Clocks): number {
  return believed(sourceTimestamp, clocks) ?? believed(serverTimestamp, clocks) ?? clocks.now
}

/** Whether there is a time stamp of the source that cannot be. */
export function isImpossible({ sourceTimestamp }: Stamped, clocks: Clocks): boolean {
  return sourceTimestamp !== null && sourceTimestamp !== undefined && believed(sourceTimestamp, clocks) === undefined
}

/**
 * What time stamps are set right by, ms: whole seconds, because how wrong a clock is, is measured anew with each connection,
 * and the same value must have the same time then.
 */
export function correction({ skew, maxSkew }: Pick<Clocks, 'skew' | 'maxSkew'>): number {
  return Math.abs(skew) > maxSkew ? Math.round(skew / 1000) * 1000 : 0
}

function believed(stamp: Date | null | undefined, { now, skew, maxSkew }: Clocks): number | undefined {
  if (stamp === null || stamp === undefined) return undefined
  const time = stamp.getTime() - correction({ skew, maxSkew })
  return time >= first && time <= now + maxSkew ? time : undefined
}
