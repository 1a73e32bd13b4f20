// How good forecasts of remaining life are.

import type { Forecast } from '../../judge/detect/rul-forecast.ts'
import { median } from '../process.ts'
import { mean } from './rivals.ts'

/** What was foretold at a moment (undefined: nothing), and what was left, ms. */
export interface Told {
  readonly share: number
  readonly left: number
  readonly said: Partial<Forecast> | undefined
}

/** Shares of the time between onset and end at which everything is asked, and those whose error is shown one by one. */
export const shares = Array.from({ length: 19 }, (_, n) => (n + 1) / 20)
export const shown = [0.25, 0.5, 0.75, 0.9]

export interface Figures {
  /** Median of |foretold - true| / true at each share shown, over those that were foretold. */
  readonly relative_error: Readonly<Record<string, number>>
  /** Median of |ln foretold - ln true| over all shares: 0.69 is wrong by a factor of 2, either way. */
  readonly log_error: number
  /** Of intervals, those that held what was true. */
  readonly coverage: number | undefined
  /** Mean score of the PHM 2012 challenge; nothing foretold scores 0. */
  readonly phm_score: number
  /** Of moments, those at which something was foretold. */
  readonly told: number
}

export function measure(those: readonly Told[]): Figures {
  const told = those.filter(({ said }) => said?.at !== undefined)
  const at = (share: number) => told.filter(one => one.share === share).map(relativeError)
  const intervals = told.filter(({ said }) => said?.to !== undefined)
  return {
    relative_error: Object.fromEntries(shown.map(share => [`at_${share * 100}`, round(median(at(share)))])),
    log_error: round(median(told.map(logError))),
    coverage: intervals.length === 0 ? undefined : round(intervals.filter(holds).length / intervals.length),
    phm_score: round(mean(those.map(phmScore)), 3),
    told: round(told.length / those.length),
  }
}

function relativeError({ left, said }: Told): number {
  return Math.abs((said?.at ?? 0) - left) / left
}

function logError({ left, said }: Told): number {
  return Math.abs(Math.log(Math.max(1000, said?.at ?? 0) / left))
}

function holds({ left, said }: Told): boolean {
  return left >= (said?.from ?? 0) && left <= (said?.to ?? 0)
}

/** Nectoux et al. 2012, PRONOSTIA: a platform for accelerated degradation tests, section V: late costs more than early. */
function phmScore({ left, said }: Told): number {
  if (said?.at === undefined) return 0
  const percent = (100 * (left - said.at)) / left
  return percent > 0 ? 0.5 ** (percent / 20) : 0.5 ** (-percent / 5)
}

export function round(value: number, digits = 2): number {
  return Number.isFinite(value) ? Number(value.toFixed(digits)) : value
}
