// Features in bins, so that a split is looked for among few limits. Bin 0: not known.

/** Row by row. */
export interface Rows {
  readonly x: Float32Array
  readonly width: number
  readonly y: ArrayLike<number>
}

/** Limits between bins; what is at most limits[b] and above limits[b - 1] is in bin b + 1. */
export interface Binned {
  readonly limits: readonly Float64Array[]
  readonly columns: readonly Uint8Array[]
}

export function bin({ x, width, y }: Rows, bins: number): Binned {
  const rows = y.length
  const limits: Float64Array[] = []
  const columns: Uint8Array[] = []
  for (let f = 0; f < width; f++) {
    const known: number[] = []
    for (let n = f; n < rows * width; n += width) if (!Number.isNaN(x[n]!)) known.push(x[n]!)
    const cut = limitsOf(Float64Array.from(known).sort(), bins)
    const column = new Uint8Array(rows)
    for (let n = 0; n < rows; n++) column[n] = binOf(x[n * width + f]!, cut)
    limits.push(cut)
    columns.push(column)
  }
  return { limits, columns }
}

/** Even shares of the values that are not the commonest: most counts are nought most of the time. */
function limitsOf(sorted: Float64Array, bins: number): Float64Array {
  const limits: number[] = []
  const zeros = sorted.lastIndexOf(0) + 1
  const rest = sorted.subarray(zeros)
  if (zeros > 0 && rest.length > 0) limits.push(between(0, rest[0]!))
  const steps = bins - 2
  for (let n = 1; n < steps; n++) {
    const at = Math.floor((n * rest.length) / steps)
    const low = rest[at]
    if (low === undefined) break
    const high = rest.subarray(at).find(v => v > low)
    if (high === undefined) break
    const limit = between(low, high)
    if (limit > (limits.at(-1) ?? Number.NEGATIVE_INFINITY)) limits.push(limit)
  }
  return Float64Array.from(limits)
}

const between = (low: number, high: number): number => Math.fround((low + high) / 2)

function binOf(value: number, limits: Float64Array): number {
  if (Number.isNaN(value)) return 0
  let low = 0
  let high = limits.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (value <= limits[middle]!) high = middle
    else low = middle + 1
  }
  return low + 1
}
