// The history as a plain array: what every query must say, computed the slow way.

import type { Columns, Ref } from '../../../collector/store/history.ts'

export interface Kept {
  readonly ref: Ref
  readonly time: number
  readonly value: number
}

/** Those of one series in [from, to), in time order, of the same time in order of arrival. */
export function expectRange(all: readonly Kept[], ref: Ref, from: number, to: number): Kept[] {
  return all.filter(s => s.ref === ref && s.time >= from && s.time < to).sort((a, b) => a.time - b.time)
}

export interface Bucket {
  count: number
  min: number
  max: number
  mean: number
  last: number
  rate: number
}

/** The buckets of a grid over samples in time order. */
export function expectBuckets(samples: readonly Kept[], start: number, step: number, buckets: number): Bucket[] {
  const deltas = samples.map((s, n) => growth(samples[n - 1], s))
  return Array.from({ length: buckets }, (_, k) => {
    const within = (s: Kept) => Math.floor((s.time - start) / step) === k
    const mine = samples.filter(within)
    const values = mine.map(s => s.value)
    const grown = deltas.filter((_, n) => within(samples[n]!))
    const elapsed = grown.reduce((sum, d) => sum + d.elapsed, 0)
    return {
      count: mine.length,
      min: values.length ? Math.min(...values) : Number.NaN,
      max: values.length ? Math.max(...values) : Number.NaN,
      mean: values.reduce((a, b) => a + b, 0) / values.length,
      last: values.at(-1) ?? Number.NaN,
      rate: (grown.reduce((sum, d) => sum + d.increase, 0) / elapsed) * 1000,
    }
  })
}

function growth(before: Kept | undefined, s: Kept): { increase: number; elapsed: number } {
  if (before === undefined || before.time === s.time) return { increase: 0, elapsed: 0 }
  return { increase: s.value < before.value ? s.value : s.value - before.value, elapsed: s.time - before.time }
}

/** What differs between the columns and the expected buckets; sums and means may differ by rounding. */
export function differences(columns: Columns, expected: readonly Bucket[]): string[] {
  const wrong: string[] = []
  expected.forEach((bucket, k) => {
    for (const key of ['count', 'min', 'max', 'mean', 'last', 'rate'] as const) {
      const got = columns[key]?.[k]
      if (got !== undefined && !close(got, bucket[key]))
        wrong.push(`bucket ${k} ${key}: ${got}, expected ${bucket[key]}`)
    }
  })
  return wrong
}

function close(a: number, b: number): boolean {
  return Object.is(a, b) || Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a), Math.abs(b))
}
