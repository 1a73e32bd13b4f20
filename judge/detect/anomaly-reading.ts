// From a reading to the value that is judged, and what is usual between two readings.

import { type AnomalyState, at } from './anomaly-state.ts'

/** Weight of one new interval in the usual one, and how many usual ones it counts at most. */
const weight = 1 / 16
const mostUsual = 4
/** The longest pause is forgotten by this share a sample; a longer one than a long weekend teaches nothing. */
const fading = 1e-4
const mostPause = 3 * 86_400_000

/** A counter's rate per second; undefined at its first reading, at a reset, and where no time has passed. */
export function takeReading(state: AnomalyState, time: number, reading: number): number | undefined {
  if (!Number.isFinite(reading)) return undefined
  if (state[at.counter] === 0) return reading
  const before = state[at.value]!
  const first = state[at.begun] === 0
  const passed = time - state[at.time]!
  if (!first && passed <= 0) return undefined
  state[at.value] = reading + 0
  if (first || reading < before) return undefined
  const rate = ((reading - before) / passed) * 1000
  return Number.isFinite(rate) ? rate : undefined
}

/** One long pause must not teach that long pauses are usual. */
export function takeTime(state: AnomalyState, time: number): void {
  const interval = time - state[at.time]!
  state[at.time] = time
  if (state[at.begun] === 0) {
    state[at.begun] = time
    return
  }
  if (interval <= 0) return
  const usual = state[at.interval]!
  if (usual === 0) state[at.interval] = interval
  else state[at.interval] = usual + (Math.min(interval, mostUsual * usual) - usual) * weight
  state[at.longest] = Math.max(Math.min(interval, mostPause), state[at.longest]! * (1 - fading))
}
