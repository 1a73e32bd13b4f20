// Histograms and summaries: what makes a sound one, and how many numbers it holds.

import { Refused } from './errors.ts'
import type { Distribution, Histogram, Observation, Summary } from './model.ts'

export function isHistogram(value: Histogram | Summary): value is Histogram {
  return 'bounds' in value
}

/** How many series a collector makes of it. */
export function numbersIn({ value }: Distribution): number {
  return isHistogram(value) ? value.counts.length + (value.sum === undefined ? 1 : 2) : value.quantiles.length + 2
}

/** How many numbers an observation holds, those of its distributions among them. */
export function samplesIn({ samples, distributions = [] }: Observation): number {
  return distributions.reduce((sum, one) => sum + numbersIn(one), samples.length)
}

/** @throws Refused for one that OTLP cannot hold, or that contradicts itself. */
export function checkDistribution({ series, value }: Distribution): void {
  const wrong = isHistogram(value) ? wrongHistogram(value) : wrongSummary(value)
  if (wrong !== undefined) throw new Refused(`${series.name}: ${wrong}`)
}

export function wrongHistogram({ count, sum, bounds, counts }: Histogram): string | undefined {
  if (!isCount(count) || !counts.every(isCount)) return 'a count is not a whole number of 0 or more'
  if (counts.length !== bounds.length + 1) return `${counts.length} counts for ${bounds.length} bounds`
  if (!bounds.every((bound, n) => Number.isFinite(bound) && (n === 0 || bound > bounds[n - 1]!)))
    return 'the bounds do not rise'
  if (counts.reduce((all, one) => all + one, 0) !== count) return `its buckets do not hold ${count} in all`
  return sum === undefined || Number.isFinite(sum) ? undefined : `the sum ${sum} is not a finite number`
}

export function wrongSummary({ count, sum, quantiles }: Summary): string | undefined {
  if (!isCount(count)) return 'the count is not a whole number of 0 or more'
  if (!Number.isFinite(sum)) return `the sum ${sum} is not a finite number`
  const odd = quantiles.find(q => !(q.quantile >= 0 && q.quantile <= 1 && Number.isFinite(q.value)))
  return odd === undefined ? undefined : `its quantile ${odd.quantile} is ${odd.value}`
}

function isCount(count: number): boolean {
  return Number.isSafeInteger(count) && count >= 0
}
