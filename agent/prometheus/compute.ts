// The arithmetic of derived series, on numbers and histograms.

import { isHistogram } from '../../core/distribution.ts'
import type { Histogram, Summary } from '../../core/model.ts'
import type { Aggregation, Operator } from './expression.ts'

export type Value = number | Histogram | Summary

/** Of a histogram, one of what came since then; only its shape counts. */
export function growth(past: Value, value: Value, seconds: number): Value | undefined {
  if (typeof past === 'number' || typeof value === 'number') {
    if (typeof past !== 'number' || typeof value !== 'number' || value < past) return undefined
    return (value - past) / seconds
  }
  if (!isHistogram(past) || !isHistogram(value)) return undefined
  if (past.bounds.length !== value.bounds.length || past.bounds.some((b, n) => b !== value.bounds[n])) return undefined
  const counts = value.counts.map((count, n) => count - past.counts[n]!)
  if (counts.some(count => count < 0)) return undefined
  return { count: value.count - past.count, sum: undefined, bounds: value.bounds, counts }
}

/** As PromQL: linear within its bucket, which begins at 0 if it is the first and ends above 0; the last gives its bound. */
export function quantileOf(quantile: number, value: Value): number | undefined {
  if (typeof value === 'number') return undefined
  if (!isHistogram(value)) return value.quantiles.find(q => q.quantile === quantile)?.value
  const { bounds, counts, count } = value
  if (count === 0 || bounds.length === 0) return undefined
  const rank = quantile * count
  let below = 0
  for (let n = 0; n < bounds.length; n++) {
    const inside = counts[n]!
    if (below + inside >= rank && inside > 0) {
      const upper = bounds[n]!
      const lower = n > 0 ? bounds[n - 1]! : Math.min(0, upper)
      return lower + ((upper - lower) * (rank - below)) / inside
    }
    below += inside
  }
  return bounds.at(-1)
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0)

export const aggregate: Readonly<Record<Aggregation, (values: readonly number[], quantile: number) => number>> = {
  sum: total,
  count: values => values.length,
  avg: values => total(values) / values.length,
  min: values => values.reduce((a, b) => Math.min(a, b)),
  max: values => values.reduce((a, b) => Math.max(a, b)),
  quantile(values, quantile) {
    const sorted = values.toSorted((a, b) => a - b)
    const at = quantile * (sorted.length - 1)
    const lower = sorted[Math.floor(at)]!
    return lower + (sorted[Math.ceil(at)]! - lower) * (at - Math.floor(at))
  },
}

/** Compared with a scalar before it, it is the element that stays. */
export function computeFrom(a: number, operator: Operator, value: number): number | undefined {
  const computed = compute(a, operator, value)
  return computed !== undefined && operator in compare ? value : computed
}

/** Undefined where a comparison does not hold. */
export function compute(a: number, operator: Operator, b: number): number | undefined {
  switch (operator) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '/':
      return a / b
    case 'and':
      return a
    default:
      return compare[operator](a, b) ? a : undefined
  }
}

const compare = {
  '>': (a: number, b: number) => a > b,
  '<': (a: number, b: number) => a < b,
  '>=': (a: number, b: number) => a >= b,
  '<=': (a: number, b: number) => a <= b,
  '==': (a: number, b: number) => a === b,
  '!=': (a: number, b: number) => a !== b,
} as const
