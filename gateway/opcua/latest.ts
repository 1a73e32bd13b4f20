// Remembers over restarts of the daemon up to when each node's values are safe, so that what was missed meanwhile is known.
// Written after each commit where the nodes are few, else every few seconds and at the end: after a crash the history of
// those seconds is told again. The text is a number and a time for each node, because there may be 100,000 of them.

import { createHash } from 'node:crypto'
import { type Keep, savedJson } from '../../agent/keep.ts'
import type { Surroundings } from '../../agent/source.ts'
import type { Extra } from './extra.ts'
import { keyOf } from './holes.ts'
import type { Tracked } from './nodes.ts'

/** Nodes that are few, and how often many are written, ms. */
const few = 1000
const pace = 10_000

export function latest({ host, keep }: Surroundings): Extra {
  let nodes: readonly Tracked[] = []
  let ids = new Float64Array()
  let savedAt = Number.NEGATIVE_INFINITY

  const save = (): void => {
    const pairs = nodes.flatMap(({ latest }, n) => (latest === 0 ? [] : [ids[n]!, latest]))
    keep.save(JSON.stringify(pairs))
    savedAt = host.monotonic()
  }

  return {
    starting: all => {
      nodes = all
      ids = Float64Array.from(all, idOf)
      const known = load(keep)
      for (const [n, node] of all.entries()) node.latest = known.get(ids[n]!) ?? 0
    },
    committed: () => {
      if (nodes.length <= few || host.monotonic() - savedAt >= pace) save()
    },
    stopped: save,
  }
}

/** 48 bits of a hash: what is configured may be ordered anew. */
function idOf({ options }: Tracked): number {
  return createHash('sha1').update(keyOf(options)).digest().readUIntBE(0, 6)
}

/** Without any the gap before this start stays unknown. */
function load(keep: Keep): ReadonlyMap<number, number> {
  const kept = savedJson(keep)
  const pairs = Array.isArray(kept) && kept.every(one => typeof one === 'number') ? (kept as number[]) : []
  return new Map(pairs.flatMap((id, n) => (n % 2 === 0 ? [[id, pairs[n + 1] ?? 0] as const] : [])))
}
