// How often what is seen now would be seen by chance: the distance from what is known, as a rate of false alarms.
//
// A series leaves what is known (by more than `reach`) so and so often a sample, and goes so far beyond it: the rate and
// the mean excess of its tail. Both begin with what is usual for series at large and give way to what this
// series does: twenty departures of its own weigh as much as the prior rate, fifty as much as the prior excess. The tail
// falls with the square of the excess, because real series surprise more than an exponential one allows.

import { type AnomalyState, at } from './anomaly-state.ts'

/** Ranges from the nearest known point within which a point counts as known. */
export const reach = 0.12
/** After a peak only what lies farther out is news for so many samples. */
export const rest = 120
const week = 604_800_000
const minute = 60_000
/** At one sample a minute; it rises with the square root of the interval: the slower, the less alike. */
const priorRate = 8e-4
const priorExcess = 0.1
const rateWeight = 20
const excessWeight = 50
/** One wild departure must not teach that wild ones are usual. */
const mostExcess = 1
/** Counts are halved here, so that what a series does now weighs more than what it once did. */
const memory = 32_768

/** Takes a distance in; returns how often a week one so large is expected where it is news, else 0. */
export function weigh(state: AnomalyState, distance: number): number {
  const before = recentPeak(state)
  if (++state[at.odds]! > memory) for (const count of [at.odds, at.left, at.beyond]) state[count]! /= 2
  if (distance <= before || distance <= reach) return 0
  const chance = expected(state, distance)
  state[at.beyond]! += excess(distance) - excess(before)
  if (before <= reach) state[at.left]!++
  state[at.peak] = distance
  state[at.peakAge] = 0
  return chance
}

function recentPeak(state: AnomalyState): number {
  if (++state[at.peakAge]! > rest) state[at.peak] = 0
  return state[at.peak]!
}

function expected(state: Readonly<AnomalyState>, distance: number): number {
  const usual = priorRate * Math.sqrt(interval(state) / minute)
  const rate = (state[at.left]! + rateWeight) / (state[at.odds]! + rateWeight / usual)
  const mean = (state[at.beyond]! + excessWeight * priorExcess) / (state[at.left]! + excessWeight)
  return (samplesAWeek(state) * rate) / (1 + (distance - reach) / mean) ** 2
}

export function samplesAWeek(state: Readonly<AnomalyState>): number {
  return week / interval(state)
}

function interval(state: Readonly<AnomalyState>): number {
  return Math.max(1, state[at.interval]!)
}

function excess(distance: number): number {
  return Math.max(0, Math.min(mostExcess, distance - reach))
}
