// Grows boosted trees: histograms of binned features, leaf by leaf where it helps most, logistic loss, monotone where the
// features say so (a split that breaks the direction is not taken, and both sides keep to their side of its middle).
// Reproducible: all randomness is of the seed.

import type { Direction } from '../../judge/disks/features.ts'
import type { Forest, Tree } from '../../judge/disks/trees.ts'
import type { Binned, Rows } from './bins.ts'
import { random } from './random.ts'
import { answer, type Bounds, bestSplit, histogramOf, type Slopes, type Split, type Sums, type Terms } from './split.ts'

export interface Growth extends Terms {
  readonly trees: number
  readonly rate: number
  readonly leaves: number
  /** Share of features and of rows each tree sees. */
  readonly features: number
  readonly rows: number
  readonly bins: number
  readonly seed: number
}

export interface Columns extends Rows {
  readonly weight: ArrayLike<number>
  readonly directions: readonly Direction[]
}

/** A tree that grows, and the bin at which each of its nodes splits. */
interface Growing {
  readonly tree: { [key in keyof Tree]: Tree[key][number][] }
  readonly bins: number[]
}

interface Leaf extends Sums {
  readonly node: number
  readonly rows: Int32Array
  readonly split: Split | undefined
}

/** What one tree grows from. */
interface Ground {
  readonly data: Columns
  readonly binned: Binned
  readonly growth: Growth
  readonly slopes: Slopes
  readonly chosen: readonly number[]
}

export function grow(data: Columns, binned: Binned, growth: Growth): Forest {
  const { y, weight } = data
  const rng = random(growth.seed)
  const base = baseOf(data)
  const score = new Float64Array(y.length).fill(base)
  const slopes = { g: new Float64Array(y.length), h: new Float64Array(y.length) }
  const trees: Tree[] = []
  for (let t = 0; t < growth.trees; t++) {
    for (let n = 0; n < y.length; n++) {
      const p = 1 / (1 + Math.exp(-score[n]!))
      slopes.g[n] = weight[n]! * (p - y[n]!)
      slopes.h[n] = weight[n]! * p * (1 - p)
    }
    const rows = rowsOf(y.length, growth.rows, rng)
    const chosen = choose(data.width, growth.features, rng)
    const grown = growTree({ data, binned, growth, slopes, chosen }, rows)
    trees.push(grown.tree)
    addTo(score, grown, binned.columns)
  }
  return { base, trees }
}

/** Log-odds of all. */
function baseOf({ y, weight }: Columns): number {
  let positive = 0
  let total = 0
  for (let n = 0; n < y.length; n++) {
    total += weight[n]!
    positive += weight[n]! * y[n]!
  }
  return Math.log(positive / (total - positive))
}

function rowsOf(many: number, share: number, rng: () => number): Int32Array {
  const rows = new Int32Array(many)
  let used = 0
  for (let n = 0; n < many; n++) if (rng() < share) rows[used++] = n
  return rows.subarray(0, used)
}

function choose(width: number, share: number, rng: () => number): number[] {
  const all = Array.from({ length: width }, (_, n) => n)
  const many = Math.max(1, Math.round(width * share))
  for (let n = 0; n < many; n++) {
    const at = n + Math.floor(rng() * (width - n))
    const other = all[at]!
    all[at] = all[n]!
    all[n] = other
  }
  return all.slice(0, many).sort((a, b) => a - b)
}

function growTree(ground: Ground, rows: Int32Array): Growing {
  const { growth, binned, chosen, slopes } = ground
  const growing: Growing = {
    tree: { feature: [], limit: [], unknownLeft: [], left: [], right: [], value: [] },
    bins: [],
  }
  const free = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }
  const root = leafOf(ground, addNode(growing, 0), rows, free, histogramOf(binned, chosen, rows, slopes))
  growing.tree.value[0] = answer(root.g, root.h, free, growth.ridge) * growth.rate
  const open = [root]
  for (let leaves = 1; leaves < growth.leaves; leaves++) {
    const leaf = takeBest(open)
    if (leaf?.split === undefined) break
    open.push(...divide(ground, growing, leaf, leaf.split))
  }
  return growing
}

function addNode({ tree, bins }: Growing, value: number): number {
  tree.feature.push(-1)
  tree.limit.push(0)
  tree.unknownLeft.push(true)
  tree.left.push(0)
  tree.right.push(0)
  tree.value.push(value)
  return bins.push(0) - 1
}

function leafOf(ground: Ground, node: number, rows: Int32Array, bounds: Bounds, histogram: Float64Array): Leaf {
  const { data, binned, growth, slopes, chosen } = ground
  let g = 0
  let h = 0
  for (const row of rows) {
    g += slopes.g[row]!
    h += slopes.h[row]!
  }
  const sums = { g, h, histogram, ...bounds }
  return { ...sums, node, rows, split: bestSplit(sums, chosen, binned, data.directions, growth) }
}

function takeBest(open: Leaf[]): Leaf | undefined {
  let pick = -1
  open.forEach(({ split }, n) => {
    if (split !== undefined && split.gain > (open[pick]?.split?.gain ?? Number.NEGATIVE_INFINITY)) pick = n
  })
  return pick < 0 ? undefined : open.splice(pick, 1)[0]
}

/** The smaller side is counted; the larger is what remains. */
function divide(ground: Ground, growing: Growing, leaf: Leaf, split: Split): [Leaf, Leaf] {
  const { data, binned, growth, slopes, chosen } = ground
  const [leftRows, rightRows] = sidesOf(leaf.rows, binned.columns[split.feature]!, split)
  const smaller = leftRows.length < rightRows.length ? leftRows : rightRows
  const counted = histogramOf(binned, chosen, smaller, slopes)
  const rest = leaf.histogram
  for (let n = 0; n < rest.length; n++) rest[n]! -= counted[n]!
  const { tree, bins } = growing
  tree.feature[leaf.node] = split.feature
  tree.limit[leaf.node] = binned.limits[split.feature]![split.bin - 1]!
  tree.unknownLeft[leaf.node] = split.unknownLeft
  bins[leaf.node] = split.bin
  const left = addNode(growing, split.left * growth.rate)
  const right = addNode(growing, split.right * growth.rate)
  tree.left[leaf.node] = left
  tree.right[leaf.node] = right
  const [leftBounds, rightBounds] = boundsOf(leaf, split, data.directions[split.feature]!)
  return [
    leafOf(ground, left, leftRows, leftBounds, smaller === leftRows ? counted : rest),
    leafOf(ground, right, rightRows, rightBounds, smaller === leftRows ? rest : counted),
  ]
}

/** The leaf's own rows, those that go left first. */
function sidesOf(rows: Int32Array, column: Uint8Array, { bin, unknownLeft }: Split): [Int32Array, Int32Array] {
  const others = new Int32Array(rows.length)
  let left = 0
  let right = 0
  for (const row of rows) {
    const at = column[row]!
    if (at === 0 ? unknownLeft : at <= bin) rows[left++] = row
    else others[right++] = row
  }
  rows.set(others.subarray(0, right), left)
  return [rows.subarray(0, left), rows.subarray(left)]
}

function boundsOf({ low, high }: Bounds, { left, right }: Split, direction: Direction): [Bounds, Bounds] {
  const middle = (left + right) / 2
  if (direction === 0)
    return [
      { low, high },
      { low, high },
    ]
  const lower = { low, high: middle }
  const upper = { low: middle, high }
  return direction > 0 ? [lower, upper] : [upper, lower]
}

function addTo(score: Float64Array, { tree, bins }: Growing, columns: readonly Uint8Array[]): void {
  for (let n = 0; n < score.length; n++) {
    let node = 0
    for (let f = tree.feature[0]!; f >= 0; f = tree.feature[node]!) {
      const b = columns[f]![n]!
      node = (b === 0 ? tree.unknownLeft[node]! : b <= bins[node]!) ? tree.left[node]! : tree.right[node]!
    }
    score[n]! += tree.value[node]!
  }
}
