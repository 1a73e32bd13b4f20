// A forest of boosted trees: the sum of one leaf of each tree is the log-odds of failing. Every node knows what it would
// answer itself, so that a path tells how much each question moved the answer.

export interface Tree {
  /** Asked at a node; -1: a leaf. */
  readonly feature: readonly number[]
  /** At most this goes left. */
  readonly limit: readonly number[]
  /** Whether what is not known goes left. */
  readonly unknownLeft: readonly boolean[]
  readonly left: readonly number[]
  readonly right: readonly number[]
  readonly value: readonly number[]
}

export interface Forest {
  readonly base: number
  readonly trees: readonly Tree[]
}

export function logOdds({ base, trees }: Forest, x: ArrayLike<number>): number {
  let sum = base
  for (const tree of trees) sum += tree.value[leafOf(tree, x)]!
  return sum
}

/** What each feature adds to the log-odds: along the path through each tree, the change at the node that asked. */
export function contributions({ trees }: Forest, x: ArrayLike<number>, out: Float64Array): Float64Array {
  out.fill(0)
  for (const tree of trees) {
    for (let node = 0; tree.feature[node]! >= 0; ) {
      const next = stepOf(tree, node, x)
      out[tree.feature[node]!]! += tree.value[next]! - tree.value[node]!
      node = next
    }
  }
  return out
}

function leafOf(tree: Tree, x: ArrayLike<number>): number {
  let node = 0
  while (tree.feature[node]! >= 0) node = stepOf(tree, node, x)
  return node
}

function stepOf(tree: Tree, node: number, x: ArrayLike<number>): number {
  const value = x[tree.feature[node]!]!
  const left = Number.isNaN(value) ? tree.unknownLeft[node]! : value <= tree.limit[node]!
  return left ? tree.left[node]! : tree.right[node]!
}
