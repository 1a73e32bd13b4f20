// From a reading to the value that is judged, and what is usual between two readings.

import { type AnomalyState, at } from './anomaly-state.ts'

/** Weight of one new interval in the usual one, and how many usual ones it counts at most. */
const weight = 1 / 16
const mostUsual = 4
/** The longest pause is forgotten by this share a sample; a longer one than a long weekend teaches nothing. */
const fading = 1e-4
const mostPause = 3 * 86_400_000

/** A counter's rate per second; undefined at its first reading, at a reset, and where no time has passed. */
export function takeReading({ counter, numbers }: AnomalyState, time: number, reading: number): number | undefined {
  if (!Number.isFinite(reading)) return undefined
  if (!counter) return reading
  const before = numbers[at.value]!
  const first = numbers[at.begun] === 0
  const passed = time - numbers[at.time]!
  if (!first && passed <= 0) return undefined
  numbers[at.value] = reading + 0
  if (first || reading < before) return undefined
  const rate = ((reading - before) / passed) * 1000
  return Number.isFinite(rate) ? rate : undefined
}

/** One long pause must not teach that long pauses are usual. */
export function takeTime({ numbers }: AnomalyState, time: number): void {
  const interval = time - numbers[at.time]!
  numbers[at.time] = time
  if (numbers[at.begun] === 0) {
    numbers[at.begun] = time
    return
  }
  if (interval <= 0) return
  const usual = numbers[at.interval]!
  if (usual === 0) numbers[at.interval] = interval
  else numbers[at.interval] = usual + (Math.min(interval, mostUsual * usual) - usual) * weight
  numbers[at.longest] = Math.max(Math.min(interval, mostPause), numbers[at.longest]! * (1 - fading))
}
