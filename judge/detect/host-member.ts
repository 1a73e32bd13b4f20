// One series of a host: what came of it in this minute, and how far that is from what it usually does.
//
// - Four features a minute: how far the value is from where it has been for 5 minutes (a jump), how far those are from the last
//   30 (a bump), where those 30 are (its level), and how much it moves (a flat line, a flutter).
// - Each is measured in its own standard deviations. Mean and deviation are learned with every minute alike for a week, then
//   with a memory of 60 days; from the second day on what lies farther out than two deviations teaches as if it lay there, so
//   that a long trouble does not make itself usual.
// - Less than 1/200 of the series' own range is no change, so that what hardly ever moves does not shout.

import type { Series } from '../../core/model.ts'

export const features = ['jump', 'bump', 'level', 'movement'] as const
const count = features.length
/** Those that can be out of the way for long. */
const lasting = { level: 2, movement: 3 } as const

/** Where what stands in a member's numbers. */
export const of = {
  counter: 0,
  begun: 1,
  /** Of the newest sample, its reading (of counters), and the usual time between two, ms. */
  time: 2,
  reading: 3,
  interval: 4,
  /** What came in this minute. */
  sum: 5,
  came: 6,
  /** The mean of the newest minute in which something came. */
  value: 7,
  /** Minutes learned, and when the newest of them ended. */
  minutes: 8,
  judged: 9,
  low: 10,
  high: 11,
  least: 12,
  /** Its means over 5 and 30 minutes until the newest, and over 30 of how much it moves. */
  fast: 13,
  slow: 14,
  moves: 15,
  /** The part it has in how unusual its host is, and the feature that has most of it. */
  blame: 16,
  by: 17,
  /** Minutes on end that its level, or how much it moves, has been out of the way. */
  away: 18,
  /** The interval at which it was learned, ms, at least a minute. */
  pace: 19,
  /** The mean of its part over the last minutes, and over weeks: some are always out of the way. */
  recent: 20,
  usual: 21,
  mean: 22,
  variance: 22 + count,
} as const

export const minute = 60_000
export const day = 1440
const week = 7 * day
const memory = 60 * day
/** Minutes. */
const fast = 5
const slow = 30
const farthestTaught = 2
/** A value farther out counts no more: one wild series must not hide all others. */
const farthest = 20
const leastShare = 1 / 200
/** Deviations from which it counts as away, and for how many minutes on end until that is what is usual. */
const away = 3
const usualAfter = 3 * day
/** The logarithm of how much it moves is not known better than so. */
const leastMovement = 0.1
const most = 1e100
const newPace = 2.5
/** Minutes over which blame is laid. */
const minutesBlamed = 10
/** Of how often it usually comes, and at least so many minutes: then it is left out until it comes again. */
const patience = 3
const intervalWeight = 1 / 16

export type Member = number[]

export function newMember(series: Series): Member {
  const member = new Array<number>(of.variance + count).fill(0)
  member[of.pace] = minute
  member[of.counter] = series.kind === 'counter' ? 1 : 0
  if (series.kind === 'gauge') member[of.least] = series.unit === '%' ? 100 : series.unit === '1' ? 1 : 0
  return member
}

/** Takes a sample in; where its clock was set back, from the next one on. */
export function take(member: Member, time: number, reading: number): void {
  const passed = time - member[of.time]!
  const isFirst = member[of.begun] === 0
  if (!isFirst && passed <= 0) {
    member[of.time] = time
    member[of.reading] = reading + 0
    return
  }
  const value = member[of.counter] === 0 ? reading : rate(member, isFirst, passed, reading)
  member[of.begun] = 1
  member[of.time] = time
  if (!isFirst) {
    const usual = member[of.interval]!
    member[of.interval] = usual === 0 ? passed : usual + (Math.min(passed, 4 * usual) - usual) * intervalWeight
  }
  if (value === undefined) return
  member[of.sum]! += Math.max(-most, Math.min(most, value))
  member[of.came]!++
}

/** A counter's, per second; undefined at its first reading and at a reset. */
function rate(member: Member, isFirst: boolean, passed: number, reading: number): number | undefined {
  const before = member[of.reading]!
  member[of.reading] = reading + 0
  return isFirst || reading < before ? undefined : ((reading - before) / passed) * 1000
}

export function isLate(member: Member, now: number): boolean {
  return now - member[of.time]! > patience * Math.max(minute, member[of.interval]!)
}

/**
 * Judges the minute that ends now. Its part stays while nothing comes. False where it has none: it is late, or not known for
 * a day yet.
 */
export function judge(member: Member, now: number): boolean {
  if (member[of.came]! > 0) takeMinute(member, now)
  const isHeard = member[of.minutes]! > day && !isLate(member, now)
  if (!isHeard) member[of.blame] = 0
  member[of.recent]! += (member[of.blame]! - member[of.recent]!) / minutesBlamed
  member[of.usual]! += (member[of.recent]! - member[of.usual]!) / week
  return isHeard
}

/** How much more its part has been of late than it usually is. */
export function blameOf(member: Member): number {
  return member[of.recent]! - member[of.usual]!
}

function takeMinute(member: Member, now: number): void {
  const value = member[of.sum]! / member[of.came]!
  member[of.sum] = 0
  member[of.came] = 0
  const before = member[of.judged]!
  member[of.judged] = now
  if (hasNewPace(member)) member[of.minutes] = 0
  // A pause says nothing of what was in it.
  const passed = Math.max(1, Math.min(now - before, member[of.pace]!) / minute)
  if (member[of.minutes] === 0) begin(member, value)
  else follow(member, passed)
  compare(member, value, passed)
}

/** Features of a series that comes so much slower or faster are others. */
function hasNewPace(member: Member): boolean {
  const times = Math.max(minute, member[of.interval]!) / member[of.pace]!
  return times > newPace || times < 1 / newPace
}

function begin(member: Member, value: number): void {
  for (const n of [of.value, of.low, of.high, of.fast, of.slow]) member[n] = value
  for (const n of [of.moves, of.blame, of.away]) member[n] = 0
  for (let n = of.mean; n < of.variance + count; n++) member[n] = 0
  member[of.pace] = Math.max(minute, member[of.interval]!)
}

/** Lets the means follow to where it was until now. */
function follow(member: Member, passed: number): void {
  member[of.fast]! += (1 - Math.exp(-passed / fast)) * (member[of.value]! - member[of.fast]!)
  member[of.slow]! += (1 - Math.exp(-passed / slow)) * (member[of.fast]! - member[of.slow]!)
}

function compare(member: Member, value: number, passed: number): void {
  const jump = value - member[of.fast]!
  member[of.moves]! += (Math.abs(jump) - member[of.moves]!) / slow
  member[of.value] = value
  const least = leastChange(member)
  const bump = member[of.fast]! - member[of.slow]!
  const values = [jump, bump, member[of.slow]!, Math.log(member[of.moves]! + least)]
  const minutes = member[of.minutes]! + passed
  member[of.minutes] = minutes
  const weight = minutes <= week ? passed / minutes : passed / memory
  const off = values.map((value, n) => learn(member, n, value, n === lasting.movement ? leastMovement : least, weight))
  if (minutes <= day) return
  const greatest = Math.max(...off)
  member[of.blame] = off.reduce((sum, one) => sum + one * one, 0)
  member[of.by] = off.indexOf(greatest)
  member[of.away] = Math.max(off[lasting.level]!, off[lasting.movement]!) > away ? member[of.away]! + passed : 0
  if (member[of.away]! > usualAfter) accept(member, values)
}

/** By the range that it has been seen in, this minute included. */
function leastChange(member: Member): number {
  const value = member[of.value]!
  member[of.low] = Math.min(member[of.low]!, value)
  member[of.high] = Math.max(member[of.high]!, value)
  const range = Math.max(member[of.least]!, member[of.high]! - member[of.low]!)
  return leastShare * range + Number.EPSILON * Math.abs(value) + Number.MIN_VALUE
}

/** What has lasted so long is usual from now on; how far it strays from there is no other for that. */
function accept(member: Member, values: readonly number[]): void {
  for (const n of Object.values(lasting)) member[of.mean + n] = values[n]!
  member[of.away] = 0
}

/** How many standard deviations the value is off. */
function learn(member: Member, n: number, value: number, least: number, weight: number): number {
  const deviation = Math.max(least, Math.sqrt(member[of.variance + n]!))
  const off = value - member[of.mean + n]!
  const most = member[of.minutes]! <= day ? Math.abs(off) : farthestTaught * deviation
  const taught = Math.max(-most, Math.min(most, off))
  member[of.mean + n]! += weight * taught
  member[of.variance + n] = (1 - weight) * (member[of.variance + n]! + weight * taught * taught)
  return Math.min(farthest, Math.abs(off) / deviation)
}
