// When flash is worn out: the share of its endurance that is used, as a line through the days on which the drive told a
// new figure. Theil and Sen's slope, with the interval in which nine of ten of the lines through two of them lie, widened
// by the step in which drives tell it. Pure.

import { day } from './past.ts'

export interface Wear {
  drive: string
  /** When a share was first told, and which (1: all of what its maker promises); both rise. */
  at: number[]
  used: number[]
  /** The newest reading. */
  time: number
}

export type WearOut =
  | { readonly known: false; readonly sentence: string }
  | {
      readonly known: true
      /** ms since 1970; the earliest and latest within which it is expected; absent: later than `farthest`. */
      readonly from: number | undefined
      readonly at: number | undefined
      readonly to: number | undefined
      readonly perYear: number
      readonly sentence: string
    }

const mostPoints = 64
/** Less grounds than that are none. */
const leastDays = 30
const leastPoints = 3
/** Drives tell whole hundredths. */
const step = 0.01
const year = 365.25 * day
/** Nobody can say what is farther away. */
const farthest = 20 * year

export function beginWear(): Wear {
  return { drive: '', at: [], used: [], time: -1 }
}

/** Whether the reading was taken; `used` is a share of 1 and may pass it. One that falls begins anew. */
export function observeWear(wear: Wear, drive: string, time: number, used: number): boolean {
  if (!Number.isFinite(time) || !(used >= 0) || used > 10) return false
  if (drive !== wear.drive) Object.assign(wear, beginWear(), { drive })
  if (time <= wear.time) return false
  wear.time = time
  const last = wear.used.at(-1)
  if (last !== undefined && used < last - 2 * step) Object.assign(wear, { at: [], used: [] })
  else if (last !== undefined && used <= last) return true
  wear.at.push(time)
  wear.used.push(used)
  if (wear.at.length > mostPoints) thin(wear)
  return true
}

/** Every second point of the older half goes; the first stays. */
function thin(wear: Wear): void {
  const stays = (_: number, n: number) => n === 0 || n > mostPoints / 2 || n % 2 === 0
  wear.at = wear.at.filter(stays)
  wear.used = wear.used.filter(stays)
}

export function wearOut(wear: Wear): WearOut {
  const { at, used, time } = wear
  const now = used.at(-1)
  if (now === undefined) return { known: false, sentence: 'it does not tell how worn it is' }
  const told = `${percent(now)} of its endurance is used`
  // The first share was there before anybody looked: it says nothing of when it was reached.
  const seen = at.length - 1
  const days = (time - at[0]!) / day
  if (now < 1 && (seen < leastPoints || days < leastDays)) {
    return { known: false, sentence: `${told}; how fast is unknown: ${seen} steps seen in ${Math.floor(days)} days` }
  }
  const slopes = slopesOf(at, used)
  const middle = quantile(slopes, 0.5)
  const slack = step / Math.max(day, time - at[1]!)
  const when = (slope: number) => (slope <= 0 ? undefined : within(time + Math.max(0, 1 - now) / slope, time))
  const [from, due, to] = [quantile(slopes, 0.95) + slack, middle, quantile(slopes, 0.05) - slack].map(when)
  return { known: true, from, at: due, to, perYear: middle * year, sentence: sentenceOf(told, now, from, due, to) }
}

/** Of the lines through two points at which a new share was first told. */
function slopesOf(at: readonly number[], used: readonly number[]): number[] {
  const slopes: number[] = []
  for (let a = 1; a < at.length; a++)
    for (let b = a + 1; b < at.length; b++) slopes.push((used[b]! - used[a]!) / (at[b]! - at[a]!))
  return slopes.sort((a, b) => a - b)
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.round(share * (sorted.length - 1))] ?? 0
}

function within(due: number, time: number): number | undefined {
  return due - time > farthest ? undefined : due
}

function sentenceOf(told: string, now: number, from?: number, due?: number, to?: number): string {
  if (now >= 1) return `${told}: it is past what its maker promises`
  if (due === undefined) return `${told}; at this pace it lasts more than 20 years`
  const latest = to === undefined ? 'later than 20 years' : date(to)
  return `${told}; worn out about ${date(due)} (between ${date(from ?? due)} and ${latest})`
}

const percent = (share: number): string => `${Math.round(share * 100)} %`
const date = (time: number): string => new Date(time).toISOString().slice(0, 10)
