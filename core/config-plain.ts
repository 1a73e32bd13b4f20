// A parsed YAML document as plain data, and where each value stands. Not the parser's own conversion, because that one
// neither bounds what aliases expand to nor says where a key was first given.

import { type Document, isAlias, isMap, isScalar, isSeq, type ParsedNode } from 'yaml'
import type { Mistake } from './config-text.ts'
import type { Path, Problem } from './shape.ts'

const maxDepth = 64
/** Values that may be reached through aliases, a long text counting as several; aliases of aliases grow without end. */
const maxAliased = 10_000
const charactersAValue = 100

export interface Plain {
  readonly value: unknown
  readonly mistakes: readonly Mistake[]
  /** Where a problem's value or key begins; of an absent value the map that lacks it. */
  offsetOf(problem: Pick<Problem, 'path' | 'key'>): number
}

interface Walk {
  readonly mistakes: Mistake[]
  readonly values: Map<string, number>
  readonly keys: Map<string, number>
  readonly anchors: Map<string, ParsedNode>
  aliased: number
}

export function plainOf(doc: Document.Parsed): Plain {
  const walk: Walk = { mistakes: [], values: new Map(), keys: new Map(), anchors: new Map(), aliased: 0 }
  const value = plain(walk, doc.contents, [], undefined)
  const offsetOf = ({ path, key }: Pick<Problem, 'path' | 'key'>): number => {
    if (key) return walk.keys.get(idOf(path)) ?? 0
    for (let end = path.length; end > 0; end--) {
      const at = walk.values.get(idOf(path.slice(0, end)))
      if (at !== undefined) return at
    }
    return walk.values.get(idOf([])) ?? 0
  }
  return { value, mistakes: walk.mistakes, offsetOf }
}

function idOf(path: Path): string {
  return JSON.stringify(path)
}

/** `alias` is the offset of the alias that led here, which is then the place to name. */
function plain(walk: Walk, node: ParsedNode | null, path: Path, alias: number | undefined): unknown {
  if (node === null) return null
  const offset = alias ?? node.range[0]
  walk.values.set(idOf(path), offset)
  if (alias !== undefined && !spend(walk, node, offset)) return null
  if (path.length > maxDepth) {
    walk.mistakes.push({ offset, path: path.slice(0, 3), message: `nested deeper than ${maxDepth} levels` })
    return null
  }
  if (isAlias(node)) return plainAlias(walk, node.source, path, offset)
  if (alias === undefined && node.anchor !== undefined) walk.anchors.set(node.anchor, node)
  if (isMap(node)) return plainMap(walk, node.items, path, alias)
  if (isSeq(node)) return node.items.map((item, n) => plain(walk, item as ParsedNode, [...path, n], alias))
  return isScalar(node) ? plainScalar(walk, node.value, offset, path) : null
}

/** Whether the aliases may go on; says so where they may not. */
function spend(walk: Walk, node: ParsedNode, offset: number): boolean {
  if (walk.aliased > maxAliased) return false
  walk.aliased += isScalar(node) && typeof node.value === 'string' ? 1 + node.value.length / charactersAValue : 1
  if (walk.aliased <= maxAliased) return true
  walk.mistakes.push({ offset, path: [], message: `aliases expand to more than ${maxAliased} values` })
  return false
}

/** An alias stands for the last anchor of its name before it, YAML 1.2.2 clause 7.1. */
function plainAlias(walk: Walk, name: string, path: Path, offset: number): unknown {
  const target = walk.anchors.get(name)
  if (target !== undefined) return plain(walk, target, path, offset)
  walk.mistakes.push({ offset, path, message: `no anchor &${name} stands before this alias` })
  return null
}

function plainScalar(walk: Walk, value: unknown, offset: number, path: Path): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  walk.mistakes.push({ offset, path, message: 'expected a text, a finite number, true or false' })
  return null
}

type Pairs = readonly { readonly key: ParsedNode; readonly value: ParsedNode | null }[]

function plainMap(walk: Walk, items: Pairs, path: Path, alias: number | undefined): Record<string, unknown> {
  const map = new Map<string, unknown>()
  const first = new Map<string, number>()
  for (const { key, value } of items) {
    const offset = alias ?? key.range[0]
    if (!isScalar(key) || (typeof key.value !== 'string' && typeof key.value !== 'number')) {
      walk.mistakes.push({ offset, path, message: 'expected a plain word as the key' })
      continue
    }
    const name = String(key.value)
    const before = first.get(name)
    if (before !== undefined) {
      walk.mistakes.push({ offset, path, message: `the key ${name} is given twice`, first: before })
      continue
    }
    first.set(name, offset)
    const here = [...path, name]
    walk.keys.set(idOf(here), offset)
    map.set(name, plain(walk, value, here, alias))
    if (value === null) walk.values.set(idOf(here), offset)
  }
  return Object.fromEntries(map)
}
