// The demo's books: what its sources were told is safe against what is in history, sample by sample.

import type { Scene } from './scene.ts'

/** Readings are dated to their tick, which may lie a little before the moment of reading, ms. */
const earlier = 25

export interface Account {
  readonly read: number
  /** Distinct samples of this run in history. */
  readonly committed: number
  readonly lost: number
  readonly duplicated: number
  /** From sample time to commit. */
  readonly p99_ms: number | null
  readonly series: number
  /** Opened since the start. */
  readonly findings: number
}

export function account({ agent, gateway, collector, nodes, startedAt }: Scene): Account {
  const read = agent.edge.stats().samples + gateway.edge.stats().samples
  const { stored, distinct, series } = count(collector, nodes, startedAt - earlier)
  return {
    read,
    committed: distinct,
    lost: Math.max(0, read - distinct),
    duplicated: stored - distinct,
    p99_ms: collector.view.vitals().p99Ms ?? null,
    series,
    findings: collector.view.findings({ limit: 1000 }).filter(f => f.since >= startedAt).length,
  }
}

function count({ history }: Scene['collector'], nodes: readonly string[], from: number) {
  let stored = 0
  let distinct = 0
  let series = 0
  for (const node of nodes) {
    for (const ref of history.find({ node })) {
      const { times } = history.range(ref, from, Number.MAX_SAFE_INTEGER)
      stored += times.length
      distinct += new Set(times).size
      if (times.length > 0) series++
    }
  }
  return { stored, distinct, series }
}
