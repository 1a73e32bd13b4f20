// What is remembered of one drive: plain data, bounded, and the same whether a reading came every hour or only when
// something had changed. Readings that are not newer than the last are not taken; values that are no count are as if
// the drive had not reported them.

import { type CountName, comeAndGo, counts, type Medium, type Reading } from './reading.ts'

export const day = 86_400_000
/** How far back growth is remembered day by day. */
export const longest = 120 * day
/** Raw values have 48 bits; what is beyond is not a value. */
const most = 2 ** 48

export interface Count {
  value: number
  /** The highest ever seen. */
  high: number
  /** What it was when the drive was first seen: what came before is not this past. */
  readonly first: number
  /** Days of growth within `longest` by the time at which it began, rising, and by how much. */
  at: number[]
  by: number[]
  /** On how many days it grew since the drive was first seen, and when last. */
  rises: number
  risen: number | null
  /** When it first grew. */
  began: number | null
}

export interface Past {
  drive: string
  time: number
  hours: number | null
  terabytes: number | null
  /** When it was first read. */
  since: number
  medium: Medium
  counts: Partial<Record<CountName, Count>>
  /** What it scored, at most one a day. */
  scores: { readonly time: number; readonly odds: number }[]
}

export function begin(): Past {
  return {
    drive: '',
    time: -1,
    hours: null,
    terabytes: null,
    since: 0,
    medium: 'spinning',
    counts: {},
    scores: [],
  }
}

/** Whether the reading was taken. */
export function observe(past: Past, reading: Reading): boolean {
  if (!Number.isFinite(reading.time)) return false
  if (reading.drive !== past.drive) Object.assign(past, begin(), { drive: reading.drive, since: reading.time })
  if (reading.time <= past.time) return false
  past.time = reading.time
  past.medium = reading.medium ?? past.medium
  if (isCount(reading.hours)) past.hours = reading.hours
  if (isCount(reading.terabytes)) past.terabytes = reading.terabytes
  for (const name of counts) {
    const value = reading.counts[name]
    if (isCount(value)) take(past, name, value, reading.time)
  }
  return true
}

function isCount(value: number | undefined): value is number {
  return value !== undefined && value >= 0 && value < most
}

function take(past: Past, name: CountName, value: number, time: number): void {
  const count = past.counts[name]
  if (count === undefined) {
    past.counts[name] = { value, high: value, first: value, at: [], by: [], rises: 0, risen: null, began: null }
    return
  }
  const grown = growth(count, value, comeAndGo.has(name))
  count.value = value
  count.high = Math.max(count.high, value)
  if (grown > 0) remember(count, grown, time)
}

/** By how much it grew in the last so many ms, at most `longest`. */
export function grownWithin({ at, by }: Count, time: number, within: number): number {
  return by.reduce((sum, grown, n) => (time - at[n]! < within ? sum + grown : sum), 0)
}

/** A count that only grows and comes back to what it was had been misread in between: no growth. */
function growth({ value: before, high }: Count, value: number, goes: boolean): number {
  if (value <= before) return 0
  return !goes && value >= high ? value - high : value - before
}

/** A day's growth is one step, however often the drive is read. */
function remember(count: Count, grown: number, time: number): void {
  const last = count.at.length - 1
  if (last >= 0 && sameDay(count.at[last]!, time)) {
    count.by[last]! += grown
  } else {
    count.rises++
    count.risen = time
    count.began ??= time
    count.at.push(time)
    count.by.push(grown)
  }
  while (count.at[0]! <= time - longest) drop(count)
}

function sameDay(a: number, b: number): boolean {
  return Math.floor(a / day) === Math.floor(b / day)
}

function drop(count: Count): void {
  count.at.shift()
  count.by.shift()
}
