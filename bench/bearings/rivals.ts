// What else could be foretold at the same moment: each knows the onset, the past of its own series, and the other bearings.

import type { Forecast } from '../../judge/detect/rul-forecast.ts'
import type { Moment, Run } from './replay.ts'

/** Undefined: it foretells nothing. Only `at`: it gives no interval. */
export type Rival = (moment: Moment, others: readonly Run[]) => Partial<Forecast> | undefined

export const rivals: Readonly<Record<string, Rival>> = { exponential, wiener, constant }

/** A straight line through the logarithms since onset, up to the mean level at which the others ended. */
function exponential({ run, row, state }: Moment, others: readonly Run[]): Partial<Forecast> | undefined {
  const first = run.times.findIndex(time => time >= run.since!)
  const times = run.times.slice(first, row + 1)
  const levels = run.values.slice(first, row + 1).map(Math.log)
  const [meanTime, meanLevel] = [mean(times), mean(levels)]
  const slope =
    sum(times.map((time, n) => (time - meanTime) * (levels[n]! - meanLevel))) /
    sum(times.map(time => (time - meanTime) ** 2))
  if (!(slope > 0)) return undefined
  const end = state.healthy + mean(others.map(other => other.rise))
  return { at: Math.max(0, meanTime + (end - meanLevel) / slope - run.times[row]!) }
}

/** A Wiener process with drift, both fitted since onset: the first passage of the same end is inverse Gaussian. */
function wiener({ run, row, state }: Moment, others: readonly Run[]): Partial<Forecast> | undefined {
  const first = run.times.findIndex(time => time >= run.since!)
  const levels = run.values.slice(first, row + 1).map(Math.log)
  const every = (run.times[row]! - run.times[first]!) / (levels.length - 1)
  const steps = levels.slice(1).map((level, n) => level - levels[n]!)
  const drift = (levels.at(-1)! - state.healthy) / steps.length
  if (!(drift > 0)) return undefined
  const variance = sum(steps.map(step => (step - drift) ** 2)) / Math.max(1, steps.length - 1)
  const distance = state.healthy + mean(others.map(other => other.rise)) - levels.at(-1)!
  if (distance <= 0) return { from: 0, at: 0, to: 0 }
  const [from, at, to] = [0.1, 0.5, 0.9].map(p => every * firstPassage(p, distance, drift, variance))
  return { from: from!, at: at!, to: to! }
}

/** The same for every moment: half of what the others lasted after onset. */
function constant(_: Moment, others: readonly Run[]): Partial<Forecast> {
  return { at: mean(others.map(({ times, told }) => times.at(-1)! - times[told!]!)) / 2 }
}

/** Quantile of the inverse Gaussian, by halving. */
function firstPassage(p: number, distance: number, drift: number, variance: number): number {
  let [low, high] = [0, (1000 * distance) / drift]
  for (let n = 0; n < 60; n++) {
    const middle = (low + high) / 2
    if (passed(middle, distance, drift, variance) < p) low = middle
    else high = middle
  }
  return high
}

function passed(steps: number, distance: number, drift: number, variance: number): number {
  const spread = Math.sqrt(variance * steps)
  const beyond = normal(-(distance + drift * steps) / spread)
  const back = beyond === 0 ? 0 : Math.exp((2 * drift * distance) / variance + Math.log(beyond))
  return normal((drift * steps - distance) / spread) + back
}

/** Of the normal distribution, to 7 digits (Abramowitz and Stegun 26.2.17). */
function normal(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x))
  const poly = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  const tail = (Math.exp(-(x * x) / 2) / Math.sqrt(2 * Math.PI)) * poly
  return x > 0 ? 1 - tail : tail
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

export function mean(values: readonly number[]): number {
  return sum(values) / values.length
}
