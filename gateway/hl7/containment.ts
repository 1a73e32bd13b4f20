// The tree of a device in OBX-4 (IHE PCD TF-2, appendix B.8): `MDS.VMD.channel.metric[.facet]`, ordinal numbers, 0 where
// a level does not apply. The numbers mean nothing beyond the message; what the containers are, their own OBX-3 says.

import type { Coded } from './coded.ts'
import type { Words } from './lexicon.ts'
import type { Segment } from './segment.ts'

/** What an observation says of its place. */
export interface Spot {
  /** OBX-3, where it is a code that may leave. */
  readonly coded: Coded | undefined
  /** Its place without trailing zeros, `1.16.1.1`; empty where OBX-4 is no such place. */
  readonly key: string
  /** The numbers of the key. */
  readonly parts: readonly string[]
  /** Levels that OBX-4 wrote, zeros too. */
  readonly depth: number
}

export interface Node extends Spot {
  readonly segment: Segment
}

const dotted = /^\d{1,10}(?:\.\d{1,10}){0,7}$/

export function nodeOf(segment: Segment, words: Pick<Words, 'coded'>): Node {
  const coded = words.coded(segment.field(3))
  const text = segment.field(4).component().trim()
  if (!dotted.test(text)) return { segment, coded, key: '', parts: [], depth: 0 }
  const all = text.split('.')
  const last = all.findLastIndex(part => part !== '0')
  const parts = all.slice(0, Math.max(1, last + 1))
  return { segment, coded, key: parts.join('.'), parts, depth: all.length }
}

/** The node of a segment whose spot is known. */
export function nodeAt({ coded, key, parts, depth }: Spot, segment: Segment): Node {
  return { segment, coded, key, parts, depth }
}

export class Containment {
  readonly #all: readonly Node[]
  #byKey: ReadonlyMap<string, Node> | undefined

  constructor(nodes: readonly Node[]) {
    this.#all = nodes
  }

  /** Most messages never ask: all their observations have their times. */
  get #nodes(): ReadonlyMap<string, Node> {
    this.#byKey ??= firstOfEach(this.#all)
    return this.#byKey
  }

  /** What contains it, the nearest first: metric of a facet, channel, VMD, MDS. */
  *above({ key, parts }: Node): Generator<Node> {
    const seen = new Set([key])
    for (let n = parts.length - 1; n > 0; n--) {
      const above = parts
        .slice(0, n)
        .join('.')
        .replace(/(?:\.0)+$/, '')
      if (seen.has(above)) continue
      seen.add(above)
      const node = this.#nodes.get(above)
      if (node !== undefined) yield node
    }
  }

  /** The container at a level: 1 MDS, 2 VMD, 3 channel, 4 metric. */
  at(node: Node, level: number): Node | undefined {
    const { parts } = node
    if (parts.length <= level || parts[level - 1] === '0') return undefined
    return this.#nodes.get(parts.slice(0, level).join('.'))
  }

  /** Facets of a metric, in their order. */
  facets({ key }: Node): readonly Node[] {
    return key === '' ? [] : [...this.#nodes.values()].filter(n => n.key.startsWith(`${key}.`))
  }
}

function firstOfEach(nodes: readonly Node[]): ReadonlyMap<string, Node> {
  const first = new Map<string, Node>()
  for (const node of nodes) if (node.key !== '' && !first.has(node.key)) first.set(node.key, node)
  return first
}
