// Where a leaf of a growing tree is best split: sums of the loss's first and second slope in each bin of each feature, and
// the limit between bins that gains most.

import type { Direction } from '../../judge/disks/features.ts'
import type { Binned } from './bins.ts'

export interface Bounds {
  /** Leaf values must stay within. */
  readonly low: number
  readonly high: number
}

/** First (g) and second slope (h) of the loss, of each row. */
export interface Slopes {
  readonly g: Float64Array
  readonly h: Float64Array
}

export interface Sums extends Bounds {
  /** A pair of sums for each bin, one feature after another. */
  readonly histogram: Float64Array
  readonly g: number
  readonly h: number
}

export interface Split {
  readonly gain: number
  readonly feature: number
  /** Bins 1..bin go left. */
  readonly bin: number
  readonly unknownLeft: boolean
  readonly left: number
  readonly right: number
}

export interface Terms {
  /** Least sum of h in a leaf. */
  readonly leastHessian: number
  readonly leastGain: number
  /** Ridge on leaf values. */
  readonly ridge: number
}

/** Numbers of a histogram for one feature: two for each of at most 256 bins. */
const size = 512

export function answer(g: number, h: number, { low, high }: Bounds, ridge: number): number {
  return Math.min(high, Math.max(low, -g / (h + ridge)))
}

/** What rows of these sums gain when they are answered `w`. */
function worth(g: number, h: number, w: number, ridge: number): number {
  return -(g * w + 0.5 * (h + ridge) * w * w)
}

export function histogramOf({ columns }: Binned, chosen: readonly number[], rows: Int32Array, slopes: Slopes) {
  const histogram = new Float64Array(chosen.length * size)
  const g = Float64Array.from(rows, row => slopes.g[row]!)
  const h = Float64Array.from(rows, row => slopes.h[row]!)
  chosen.forEach((feature, c) => {
    const column = columns[feature]!
    const part = histogram.subarray(c * size, (c + 1) * size)
    for (let n = 0; n < rows.length; n++) {
      const at = column[rows[n]!]! << 1
      part[at]! += g[n]!
      part[at + 1]! += h[n]!
    }
  })
  return histogram
}

export function bestSplit(
  leaf: Sums,
  chosen: readonly number[],
  { limits }: Binned,
  directions: readonly Direction[],
  terms: Terms,
): Split | undefined {
  let found: Split | undefined
  const attempt = (split: Split | undefined) => {
    if (split !== undefined && split.gain > (found?.gain ?? terms.leastGain)) found = split
  }
  chosen.forEach((feature, c) => {
    const part = leaf.histogram.subarray(c * size, (c + 1) * size)
    const [ug, uh] = [part[0]!, part[1]!]
    const direction = directions[feature]!
    let [g, h] = [0, 0]
    for (let bin = 1; bin <= limits[feature]!.length; bin++) {
      g += part[2 * bin]!
      h += part[2 * bin + 1]!
      attempt(splitOf(leaf, { feature, bin, unknownLeft: true, direction, g: g + ug, h: h + uh }, terms))
      if (uh > 0) attempt(splitOf(leaf, { feature, bin, unknownLeft: false, direction, g, h }, terms))
    }
  })
  return found
}

interface Try {
  readonly feature: number
  readonly bin: number
  readonly unknownLeft: boolean
  readonly direction: Direction
  /** Sums of what would go left. */
  readonly g: number
  readonly h: number
}

function splitOf(leaf: Sums, { direction, g, h, ...split }: Try, terms: Terms): Split | undefined {
  const { ridge, leastHessian } = terms
  const [rg, rh] = [leaf.g - g, leaf.h - h]
  if (h < leastHessian || rh < leastHessian) return undefined
  const left = answer(g, h, leaf, ridge)
  const right = answer(rg, rh, leaf, ridge)
  if (direction * (right - left) < 0) return undefined
  const now = worth(leaf.g, leaf.h, answer(leaf.g, leaf.h, leaf, ridge), ridge)
  return { ...split, left, right, gain: worth(g, h, left, ridge) + worth(rg, rh, right, ridge) - now }
}
