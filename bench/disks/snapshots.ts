// Replays a drive through the code that runs in production: one reading after another, asked at given days, and what
// comes after a day is not yet read then.

import { features, featuresOf } from '../../judge/disks/features.ts'
import { begin, day, observe, type Past } from '../../judge/disks/past.ts'
import { type Drive, epoch } from './data.ts'

/** Positive: it fails within so many days. */
export const horizon = 30

/** Fails within the horizon: 1; leaves the record within it without failing: undefined, nobody knows. */
export function labelAt(drive: Drive, at: number): 0 | 1 | undefined {
  if (drive.to - at > horizon) return 0
  return drive.failed ? 1 : undefined
}

/** The days at which drives are scored: every 30 from 60 to 1,260, for a drive alive then and at least a day old. */
export function scoredDays({ from, to }: Drive): number[] {
  const days: number[] = []
  for (let at = 60; at <= 1260; at += 30) if (at >= from + 1 && at < to) days.push(at)
  return days
}

export function replay(
  drive: Drive,
  days: readonly number[],
  ask: (past: Past, time: number, at: number) => void,
): void {
  const past = begin()
  let next = 0
  for (const at of days) {
    const time = epoch + at * day
    while (next < drive.readings.length && drive.readings[next]!.time < time) observe(past, drive.readings[next++]!)
    ask(past, time, at)
  }
}

/** Columns of a training or test table, grown as needed. */
export class Table {
  x: Float32Array = new Float32Array(1 << 16)
  readonly width: number = features.length
  readonly y: number[] = []
  readonly weight: number[] = []
  readonly day: number[] = []
  readonly drive: Drive[] = []
  #out = new Float64Array(features.length)

  add(past: Past, time: number, at: number, drive: Drive, y: number, weight: number): void {
    const end = (this.y.length + 1) * this.width
    if (end > this.x.length) {
      const more = new Float32Array(this.x.length * 2)
      more.set(this.x)
      this.x = more
    }
    this.x.set(featuresOf(past, time, this.#out), end - this.width)
    this.y.push(y)
    this.weight.push(weight)
    this.day.push(at)
    this.drive.push(drive)
  }

  row(n: number): Float32Array {
    return this.x.subarray(n * this.width, (n + 1) * this.width)
  }
}
