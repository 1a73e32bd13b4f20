// The rows behind the registry: who a series is, and the extent of what is kept of it.

import type { Database, Statement } from 'better-sqlite3'
import { type Attributes, type Series, seriesKinds } from '../../core/model.ts'
import { canonical, Registry, SeriesRef } from './series.ts'

type SeriesRow = [number, string, string, string, string, string, number | null, number | null, number | null]

export class SeriesTable {
  readonly #db: Database
  readonly #insert: Statement
  readonly #remove: Statement
  readonly #extent: Statement
  readonly #shrink: Statement
  readonly #removeExtent: Statement
  readonly #setMeta: readonly Statement[]
  readonly #meta: Statement

  constructor(db: Database) {
    this.#db = db
    this.#insert = db.prepare('INSERT INTO series VALUES (?, ?, ?, ?, ?, ?)')
    this.#remove = db.prepare('DELETE FROM series WHERE id = ?')
    this.#extent = db.prepare('INSERT OR REPLACE INTO extent VALUES (?, ?, ?, ?)')
    this.#shrink = db.prepare('UPDATE extent SET first = max(first, ?), count = count - ? WHERE series = ?')
    this.#removeExtent = db.prepare('DELETE FROM extent WHERE series = ?')
    this.#setMeta = ['meta', 'meta_spare'].map(name => db.prepare(`INSERT OR REPLACE INTO ${name} VALUES (?, ?)`))
    this.#meta = db.prepare('SELECT value FROM meta WHERE key = ?').pluck()
  }

  get(key: 'cursor' | 'next_series'): number {
    return (this.#meta.get(key) as number | undefined) ?? 0
  }

  set(key: 'cursor' | 'next_series', value: number): void {
    for (const statement of this.#setMeta) statement.run(key, value)
  }

  /** All series of the file. */
  load(): Registry {
    const sql = `SELECT id, node, name, unit, kind, attributes, first, last, count
      FROM series LEFT JOIN extent ON series.id = extent.series ORDER BY id`
    const rows = this.#db.prepare(sql).raw().all() as SeriesRow[]
    const largest = rows.at(-1)?.[0] ?? 0
    const registry = new Registry(Math.max(this.get('next_series'), largest + 1))
    for (const row of rows) registry.list(refOf(row))
    return registry
  }

  add({ id, node, series: { name, unit, kind, attributes } }: SeriesRef): void {
    this.#insert.run(id, node, name, unit, kind, canonical(attributes))
  }

  /** The whole extent, when nothing is left in the head. */
  save(ref: SeriesRef): void {
    this.#extent.run(ref.id, ref.firstTime, ref.lastTime, ref.count)
  }

  /** Some of the oldest samples are gone, `first` is the time of the oldest left. */
  shrink(id: number, first: number, samples: number): void {
    this.#shrink.run(first, samples, id)
  }

  remove(id: number): void {
    this.#remove.run(id)
    this.#removeExtent.run(id)
  }
}

function refOf([id, node, name, unit, kind, attributes, first, last, count]: SeriesRow): SeriesRef {
  const known = seriesKinds.find(k => k === kind) ?? 'gauge'
  const series: Series = { name, unit, kind: known, attributes: JSON.parse(attributes) as Attributes }
  const ref = new SeriesRef(id, node, series)
  ref.stored = true
  ref.firstTime = ref.keptFirst = first ?? ref.firstTime
  ref.lastTime = last ?? ref.lastTime
  ref.count = count ?? 0
  return ref
}
