// Columns of an answer as the chart wants them.

import type { Column } from '../api/answers.ts'

/**
 * Empty buckets between readings of a slow series are `undefined` (the line goes on); those of a real gap, longer than
 * three usual distances, stay `null` (the line breaks).
 */
export function bridged(column: Column): (number | null | undefined)[] {
  const filled = column.flatMap((value, n) => (value === null ? [] : [n]))
  const distances = filled.slice(1).map((at, n) => at - filled[n]!)
  const usual = distances.toSorted((a, b) => a - b)[distances.length >> 1] ?? 1
  const result: (number | null | undefined)[] = [...column]
  for (const [n, distance] of distances.entries()) {
    if (distance > 1 && distance <= usual * 3) result.fill(undefined, filled[n]! + 1, filled[n]! + distance)
  }
  return result
}

export function largest(columns: readonly Column[]): number {
  let most = 0
  for (const column of columns) for (const value of column) if (value !== null) most = Math.max(most, Math.abs(value))
  return most
}

export function lastOf(column: Column): number | undefined {
  return column.findLast(value => value !== null) ?? undefined
}
