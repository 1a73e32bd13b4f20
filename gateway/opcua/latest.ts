// Remembers over restarts of the daemon up to when each node's values are safe, so that what was missed meanwhile is known.
// Written after each commit where the nodes are few, else every few seconds and at the end: after a crash the history of
// those seconds is told again.

import type { Surroundings } from '../../agent/source.ts'
import type { Extra } from './extra.ts'
import { keyOf } from './holes.ts'
import type { Tracked } from './nodes.ts'

/** Nodes that are few, and how often many are written, ms. */
const few = 1000
const pace = 10_000

export function latest({ host, keep }: Surroundings): Extra {
  let nodes: readonly Tracked[] = []
  let savedAt = Number.NEGATIVE_INFINITY
  let saved = ''

  const save = (): void => {
    const text = JSON.stringify(Object.fromEntries(nodes.flatMap(entryOf)))
    if (text !== saved) keep.save(text)
    saved = text
    savedAt = host.monotonic()
  }

  return {
    starting: all => {
      nodes = all
      const known = load(keep.load())
      for (const node of all) node.latest = known.get(keyOf(node.options)) ?? 0
    },
    committed: () => {
      if (nodes.length <= few || host.monotonic() - savedAt >= pace) save()
    },
    stopped: save,
  }
}

function entryOf({ options, latest }: Tracked): readonly [string, number][] {
  return latest === 0 ? [] : [[keyOf(options), latest]]
}

function load(text: string | undefined): ReadonlyMap<string, number> {
  try {
    const kept: unknown = JSON.parse(text ?? '{}')
    const entries = typeof kept === 'object' && kept !== null ? Object.entries(kept) : []
    return new Map(entries.filter((entry): entry is [string, number] => typeof entry[1] === 'number'))
  } catch {
    // What a damaged disk gives is as good as absent: the gap before this start stays unknown.
    return new Map()
  }
}
