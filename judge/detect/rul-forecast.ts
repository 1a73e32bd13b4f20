// How long it lasts. The moment at which one asks is any of the life from onset to end: the share of it that is used is as
// likely as not to be anything between 0 and 1. The level rises from healthy to its end with that share (the feature grows
// exponentially), give or take a step. Given the level, the share has a distribution, and the rest of life is what has
// passed since onset times (1 - share) / share. No rate and no length of life is assumed, so the same holds for a test rig
// that wears out bearings in hours and for a fan that lasts years. Pure.

import { levelNow, look, type RulState, step } from './rul-state.ts'

/** Of the level at the end above healthy, both logarithms: mean and standard deviation. */
export interface EndLevel {
  readonly mean: number
  readonly deviation: number
}

export interface Forecast {
  /** Running time left, ms: nine of ten last longer than `from`, one of ten longer than `to`. */
  readonly from: number
  readonly at: number
  readonly to: number
  /** Why that is no ground to go by; absent: it is. */
  readonly groundless?: string
}

/**
 * Without a limit: worn out at 2.5 to 10 times what is healthy (8 to 20 dB), two times in three. The quality bands of
 * ISO 2372 are 1 : 2.5, and from the best to what is not permissible it is two of them.
 */
const usualEnd: EndLevel = { mean: Math.log(5), deviation: Math.log(2) }

/** Looks: a rise must be as old as that, or its beginning is not known well enough. */
const leastAge = 10
const cells = 400

function endLevel(state: RulState): EndLevel {
  return hasLimit(state) ? { mean: (state.limit ?? 0) - state.healthy, deviation: 0 } : usualEnd
}

/** A limit that is not above healthy says nothing of wear. */
export function hasLimit({ limit, healthy }: RulState): boolean {
  return limit !== null && limit >= healthy + step
}

export function isAtLimit(state: RulState, level: number): boolean {
  return hasLimit(state) && level >= (state.limit ?? 0)
}

/** Of a machine that is worn. */
export function forecast(state: RulState, end: EndLevel = endLevel(state)): Forecast {
  const rise = levelNow(state) - state.healthy
  const age = state.ran - state.sinceRan
  const weights = Array.from({ length: cells }, (_, n) => likelihood(rise, shareOf(n), end))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const left = (probability: number): number => {
    let sum = 0
    const n = weights.findIndex(weight => {
      sum += weight
      return sum >= probability * total
    })
    const share = shareOf(n < 0 ? cells - 1 : n)
    return (age * (1 - share)) / share
  }
  const groundless = whyGroundless(state, rise, age)
  return { from: left(0.9), at: left(0.5), to: left(0.1), ...(groundless === undefined ? {} : { groundless }) }
}

function shareOf(cell: number): number {
  return (cell + 0.5) / cells
}

/** Of the level, where such a share of life is used. */
function likelihood(rise: number, share: number, { mean, deviation }: EndLevel): number {
  const variance = step ** 2 + (deviation * share) ** 2
  // Beyond every end the last cell is as good as certain, and nothing may underflow to 0.
  const away = Math.min(5 * Math.sqrt(variance), rise - mean * share)
  return Math.exp(-(away ** 2) / (2 * variance)) / Math.sqrt(variance)
}

function whyGroundless(state: RulState, rise: number, age: number): string | undefined {
  if (age < leastAge * Math.max(look, state.usual)) return 'its rise is too young'
  const fallen = state.highest - state.healthy - rise
  // Once unknown, it must have come back nearly there to be known again.
  return fallen > (state.due === null ? step / 4 : step / 2)
    ? `it has come down from ${times(state.highest - state.healthy)}`
    : undefined
}

/** A difference of logarithms in words. */
export function times(rise: number): string {
  return `${Number(Math.exp(rise).toPrecision(2))} times`
}
