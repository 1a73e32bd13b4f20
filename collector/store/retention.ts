// Retention: whole hours go, oldest first, a slice of series at a time.

import type { Database, Statement } from 'better-sqlite3'
import { hourMs } from './chunks.ts'
import type { Registry, SeriesRef } from './series.ts'
import type { SeriesTable } from './series-table.ts'

export interface Limits {
  /** Samples older than this many ms go, by whole hours. */
  readonly age: number
  /** Bytes of history.db in use; above them the oldest hours go. */
  readonly max_bytes: number
}

/** What one series lost, to be told to its Ref once committed. */
export interface Cut {
  readonly ref: SeriesRef
  readonly samples: number
  /** Time of the oldest sample left in the file; Infinity if none is, and then the series' row is gone too. */
  readonly first: number
}

/** Series whose old hours go in one call. */
const slice = 500
/** Free pages given back to the file system in one call, once an eighth of the file is free. */
const vacuumPages = 1024

const matching = [
  'FROM chunk WHERE fresh = 0 AND series = $series',
  'FROM chunk WHERE fresh = 1 AND series = $series',
] as const

export class Retention {
  readonly #db: Database
  readonly #registry: Registry
  readonly #table: SeriesTable
  readonly #counts: readonly Statement[]
  readonly #deletes: readonly Statement[]
  readonly #firsts: readonly Statement[]

  constructor(db: Database, registry: Registry, table: SeriesTable) {
    this.#db = db
    this.#registry = registry
    this.#table = table
    this.#counts = matching.map(from => db.prepare(`SELECT total(count) ${from} AND hour < $hour`).pluck())
    this.#deletes = matching.map(from => db.prepare(`DELETE ${from} AND hour < $hour`))
    this.#firsts = matching.map(from =>
      db.prepare(`SELECT hour * ${hourMs} + min(first) ${from} AND hour = (SELECT min(hour) ${from})`).pluck(),
    )
  }

  /** Deletes one slice, inside the caller's transaction. */
  run(now: number, limits: Limits): { cuts: Cut[]; more: boolean } {
    const aged = Math.floor((now - limits.age) / hourMs)
    const over = this.bytes() > limits.max_bytes
    const hour = over ? Math.max(aged, this.#oldestHour() + 1) : aged
    const refs = this.#before(hour)
    const cuts = refs.slice(0, slice).map(ref => this.#cut(ref, hour))
    return { cuts, more: refs.length > slice || (cuts.length > 0 && this.bytes() > limits.max_bytes) }
  }

  /** Bytes of the file in use. */
  bytes(): number {
    return (this.#pragma('page_count') - this.#pragma('freelist_count')) * this.#pragma('page_size')
  }

  /** Gives free pages back to the file system, some at a time; what stays free is used again by new chunks. */
  vacuum(): void {
    if (this.#pragma('freelist_count') * 8 > this.#pragma('page_count')) {
      this.#db.pragma(`incremental_vacuum(${vacuumPages})`)
    }
  }

  #oldestHour(): number {
    let first = Number.POSITIVE_INFINITY
    for (const ref of this.#registry.all()) first = Math.min(first, ref.keptFirst)
    return Math.floor(first / hourMs)
  }

  #before(hour: number): SeriesRef[] {
    const refs: SeriesRef[] = []
    for (const ref of this.#registry.all()) if (ref.keptFirst < hour * hourMs) refs.push(ref)
    return refs
  }

  #cut(ref: SeriesRef, hour: number): Cut {
    const old = { series: ref.id, hour }
    const samples = this.#counts.reduce((sum, s) => sum + (s.get(old) as number), 0)
    for (const statement of this.#deletes) statement.run(old)
    const first = Math.min(
      ...this.#firsts.map(s => (s.get({ series: ref.id }) as number | null | undefined) ?? Number.POSITIVE_INFINITY),
    )
    if (first !== Number.POSITIVE_INFINITY) this.#table.shrink(ref.id, first, samples)
    else this.#table.remove(ref.id)
    return { ref, samples, first }
  }

  #pragma(name: string): number {
    return this.#db.pragma(name, { simple: true }) as number
  }
}
