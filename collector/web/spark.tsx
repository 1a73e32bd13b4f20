// A line without axes: where a value has been going.

import type { Column } from '../api/answers.ts'

const width = 96
const height = 24

export function Spark({ column, label }: { readonly column: Column; readonly label: string }) {
  const path = pathOf(column)
  return (
    <svg class="spark" viewBox={`0 0 ${width} ${height}`} width={width} height={height} role="img" aria-label={label}>
      <title>{label}</title>
      <path d={path} />
    </svg>
  )
}

/** Buckets without a value are passed over. */
function pathOf(column: Column): string {
  const points = column.flatMap((value, n) => (value === null ? [] : [{ n, value }]))
  const values = points.map(p => p.value)
  const low = Math.min(...values)
  const room = Math.max(...values) - low
  const x = (n: number): number => (n / Math.max(column.length - 1, 1)) * width
  const y = (value: number): number => height - 3 - (room > 0 ? (value - low) / room : 0.5) * (height - 6)
  return points.map(({ n, value }, at) => `${at > 0 ? 'L' : 'M'}${x(n).toFixed(1)} ${y(value).toFixed(1)}`).join('')
}
