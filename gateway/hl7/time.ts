// Times of HL7: DTM, TS and DT (2.A.21, 2.A.22, 2.A.77), `YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]`. A time
// without offset is in the offset of MSH-7 and, where that has none either, in the configured zone of the ward.

import { offsetAt } from '../../core/time-zone.ts'

/** Offset from UTC in minutes, or the name of a zone whose offset changes (IANA). */
export type Zone = number | string

export interface Dated {
  /** ms since the epoch */
  readonly time: number
  /** Minutes, where the text had one. */
  readonly offset: number | undefined
}

// Some monitors write milliseconds without their point, so that 17 digits are a time too.
const pattern =
  /^(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:\.(\d{1,9})|(\d{3}))?)?)?)?)?)?([+-]\d{4})?$/

/** Undefined where it is no time; what a shortened one leaves out is its beginning. */
export function readTime(text: string, zone: Zone): Dated | undefined {
  const m = pattern.exec(text.trim())
  if (m === null) return undefined
  const [, year, month = '01', day = '01', hour = '00', minute = '00', second = '00'] = m
  const ms = Math.floor(Number(`0.${m[7] ?? m[8] ?? '0'}`) * 1000)
  const parts = [year, month, day, hour, minute, second].map(Number) as [number, number, number, number, number, number]
  const wall = wallClock(parts)
  if (wall === undefined) return undefined
  const offset = m[9] === undefined ? undefined : minutesOf(m[9])
  if (m[9] !== undefined && offset === undefined) return undefined
  return { time: toEpoch(wall, offset ?? zone) + ms, offset }
}

/** `+0800`, as MSH-7 may end; undefined where it is no offset. */
function minutesOf(text: string): number | undefined {
  const [hours, minutes] = [Number(text.slice(1, 3)), Number(text.slice(3))]
  if (hours > 14 || minutes > 59) return undefined
  return (text.startsWith('-') ? -1 : 1) * (hours * 60 + minutes)
}

/** The wall clock's reading as if it were UTC; undefined for the 31st of February. */
function wallClock([year, month, day, hour, minute, second]: readonly [number, number, number, number, number, number]):
  | number
  | undefined {
  if (year < 1000 || hour > 23 || minute > 59 || second > 60) return undefined
  const ms = Date.UTC(year, month - 1, day, hour, minute, second)
  const date = new Date(ms - (second === 60 ? 1000 : 0))
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? ms : undefined
}

function toEpoch(wall: number, zone: Zone): number {
  if (typeof zone === 'number') return wall - zone * 60_000
  // The offset depends on the moment that is sought: the second look is right but for the hour that a clock repeats.
  const first = wall - offsetAt(wall, zone)
  return wall - offsetAt(first, zone)
}

export interface Bounds {
  /** How far ahead of the gateway a sender's clock may be, ms. */
  readonly ahead: number
  /** How old a message may be, ms: it may have waited in the sender's queue. */
  readonly behind: number
}

/**
 * What to add to the times of a message, by when its sender says that it wrote it (MSH-7) and when it came. A sender a
 * little off is taken at its word; one that writes in the future, or from before anything could have waited, has a wrong
 * clock: all its times are moved by the error, so that what it sends now is dated now.
 */
export function correction(written: number | undefined, received: number, bounds: Bounds): number {
  if (written === undefined) return 0
  const skew = written - received
  return skew > bounds.ahead || skew < -bounds.behind ? -skew : 0
}
