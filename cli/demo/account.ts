// The demo's books: what its sources were told is safe against what is in history, sample by sample.

import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { Scene } from './scene.ts'

/** Readings are dated to their tick, which may lie a little before the moment of reading, ms. */
const earlier = 25

export interface Account {
  readonly read: number
  /** Distinct samples of this run in history. */
  readonly committed: number
  /** In the spools when it ended: they go with the next start. */
  readonly waiting: number
  readonly lost: number
  readonly duplicated: number
  /** From sample time to commit. */
  readonly p99_ms: number | null
  readonly series: number
  /** Opened since the start. */
  readonly findings: number
  /** Of these findings. */
  readonly incidents: number
  /** Seconds from the injected fault until its incident was told. */
  readonly fault_to_incident_s: number | null
}

export function account({ edges, collector, nodes, startedAt, faultToIncident }: Scene): Account {
  const waiting = edges.reduce((sum, { state }) => sum + waitingIn(state), 0)
  const read = edges.reduce((sum, { edge }) => sum + edge.stats().samples, 0)
  const { stored, distinct, series } = count(collector, nodes, startedAt - earlier)
  return {
    read,
    committed: distinct,
    waiting,
    lost: Math.max(0, read - distinct - waiting),
    duplicated: stored - distinct,
    p99_ms: collector.view.vitals().p99Ms ?? null,
    series,
    findings: collector.view.findings({ limit: 1000 }).filter(f => f.since >= startedAt).length,
    incidents: collector.view.incidents({ limit: 1000 }).filter(i => i.latest >= startedAt).length,
    fault_to_incident_s: faultToIncident() ?? null,
  }
}

/** Samples in a spool that is closed. */
function waitingIn(state: string): number {
  const db = new Database(join(state, 'spool.db'), { readonly: true })
  try {
    return db.prepare<[], { n: number }>('SELECT total(samples) AS n FROM rows').get()!.n
  } finally {
    db.close()
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
