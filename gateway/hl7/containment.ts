// The tree of a device in OBX-4 (IHE PCD TF-2, appendix B.8): `MDS.VMD.channel.metric[.facet]`, ordinal numbers, 0 where
// a level does not apply. The numbers mean nothing beyond the message; what the containers are, their own OBX-3 says.

import { type Coded, readCoded } from './coded.ts'
import type { Segment } from './segment.ts'

export interface Node {
  readonly segment: Segment
  /** OBX-3, where it is a code that may leave. */
  readonly coded: Coded | undefined
  /** Its place without trailing zeros, `1.16.1.1`; empty where OBX-4 is no such place. */
  readonly key: string
  /** Levels that OBX-4 wrote, zeros too. */
  readonly depth: number
}

const dotted = /^\d{1,10}(?:\.\d{1,10}){0,7}$/

export function nodeOf(segment: Segment, local: ReadonlySet<string>): Node {
  const coded = readCoded(segment.field(3), local)
  const text = segment.field(4).component().trim()
  if (!dotted.test(text)) return { segment, coded, key: '', depth: 0 }
  return { segment, coded, key: text.replace(/(?:\.0)+$/, ''), depth: text.split('.').length }
}

export class Containment {
  readonly #nodes = new Map<string, Node>()

  constructor(nodes: readonly Node[]) {
    for (const node of nodes) if (node.key !== '' && !this.#nodes.has(node.key)) this.#nodes.set(node.key, node)
  }

  /** What contains it, the nearest first: metric of a facet, channel, VMD, MDS. */
  *above({ key }: Node): Generator<Node> {
    const parts = key.split('.')
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
    const parts = node.key.split('.')
    if (parts.length <= level || parts[level - 1] === '0') return undefined
    return this.#nodes.get(parts.slice(0, level).join('.'))
  }

  /** Facets of a metric, in their order. */
  facets({ key }: Node): readonly Node[] {
    return key === '' ? [] : [...this.#nodes.values()].filter(n => n.key.startsWith(`${key}.`))
  }
}
