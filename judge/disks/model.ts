// A trained model, and the text it is kept as. Nodes of a tree are written in the order they grew: the right child follows
// the left one.

import { features } from './features.ts'
import type { Forest, Tree } from './trees.ts'

export const levels = ['watch', 'warning', 'critical'] as const
export type Level = (typeof levels)[number]

/** Which share of snapshots of drives that go on living is above the level's limit. */
export const falsePositiveRate: Readonly<Record<Level, number>> = { watch: 0.01, warning: 0.005, critical: 0.001 }

export interface Model {
  readonly forest: Forest
  /** Log-odds of failing within 30 days: offset + slope * what the forest says; fitted on drives it was not grown on. */
  readonly slope: number
  readonly offset: number
  /** In log-odds, of drives the forest was not grown on. */
  readonly limits: Readonly<Record<Level, number>>
  /** Where it comes from: data, date, how it was grown, how well it does. */
  readonly about: Readonly<Record<string, string | number>>
}

interface Packed extends Omit<Model, 'forest'> {
  readonly features: readonly string[]
  readonly base: number
  /** Of each tree: features (-1: a leaf), limits, whether unknown goes left, left child, value. */
  readonly trees: readonly (readonly number[])[][]
}

export function pack(model: Model): string {
  const { forest, ...rest } = model
  const trees = forest.trees.map(t => [
    [...t.feature],
    t.limit.map(short),
    t.unknownLeft.map(Number),
    [...t.left],
    t.value.map(value => Number(value.toPrecision(4))),
  ])
  const packed: Packed = { ...rest, features: features.map(f => f.name), base: forest.base, trees }
  return JSON.stringify(packed)
}

/** Limits lie between two values that occur: seven digits keep them there. */
function short(limit: number): number {
  return Number(limit.toPrecision(7))
}

export function unpack(text: string): Model {
  const { features: names, base, trees, ...rest } = JSON.parse(text) as Packed
  if (names.join() !== features.map(f => f.name).join())
    throw new Error('the weights are of other features: train anew')
  return { ...rest, forest: { base, trees: trees.map(treeOf) } }
}

function treeOf([feature, limit, unknown, left, value]: readonly (readonly number[])[]): Tree {
  if (!feature || !limit || !unknown || !left || !value) throw new Error('a tree of the weights is cut short')
  return { feature, limit, unknownLeft: unknown.map(Boolean), left, right: left.map(n => n + 1), value }
}
