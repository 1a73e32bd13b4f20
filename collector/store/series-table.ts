// The rows behind the registry: who a series is, and the extent of what is kept of it.

import { crc32 } from 'node:zlib'
import type { Database, Statement } from 'better-sqlite3'
import { type Attributes, type Series, seriesKinds } from '../../core/model.ts'
import { canonical, Registry, SeriesRef } from './series.ts'

type Identity = [id: number, node: string, name: string, unit: string, kind: string, attributes: string]
type SeriesRow = [...Identity, first: number | null, last: number | null, count: number | null, crc: number | null]

export class SeriesTable {
  readonly #db: Database
  readonly #insert: Statement
  readonly #seal: Statement
  readonly #removals: readonly Statement[]
  readonly #extent: Statement
  readonly #shrink: Statement
  readonly #setMeta: readonly Statement[]
  readonly #meta: Statement

  constructor(db: Database) {
    this.#db = db
    this.#insert = db.prepare('INSERT INTO series VALUES (?, ?, ?, ?, ?, ?)')
    this.#seal = db.prepare('INSERT OR REPLACE INTO series_seal VALUES (?, ?)')
    this.#removals = ['series WHERE id', 'series_seal WHERE id', 'extent WHERE series'].map(where =>
      db.prepare(`DELETE FROM ${where} = ?`),
    )
    this.#extent = db.prepare('INSERT OR REPLACE INTO extent VALUES (?, ?, ?, ?)')
    this.#shrink = db.prepare('UPDATE extent SET first = max(first, ?), count = count - ? WHERE series = ?')
    this.#setMeta = ['meta', 'meta_spare'].map(name => db.prepare(`INSERT OR REPLACE INTO ${name} VALUES (?, ?)`))
    this.#meta = db.prepare('SELECT value FROM meta WHERE key = ?').pluck()
  }

  get(key: 'cursor' | 'next_series'): number {
    return (this.#meta.get(key) as number | undefined) ?? 0
  }

  set(key: 'cursor' | 'next_series', value: number): void {
    for (const statement of this.#setMeta) statement.run(key, value)
  }

  /** All series of the file; those whose row is not what was written are left out, and given by their ids. */
  load(): { registry: Registry; damaged: readonly number[] } {
    const sql = `SELECT series.id, node, name, unit, kind, attributes, first, last, count, crc
      FROM series LEFT JOIN extent ON series.id = extent.series LEFT JOIN series_seal ON series.id = series_seal.id
      ORDER BY series.id`
    const rows = this.#db.prepare(sql).raw().all() as SeriesRow[]
    const largest = rows.at(-1)?.[0] ?? 0
    const registry = new Registry(Math.max(this.get('next_series'), largest + 1))
    const damaged: number[] = []
    for (const row of rows) {
      if (isWhole(row)) registry.list(refOf(row))
      else damaged.push(row[0])
    }
    return { registry, damaged }
  }

  add({ id, node, series: { name, unit, kind, attributes } }: SeriesRef): void {
    const row: Identity = [id, node, name, unit, kind, canonical(attributes)]
    this.#insert.run(...row)
    this.#seal.run(id, sealOf(row))
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
    for (const statement of this.#removals) statement.run(id)
  }
}

function sealOf(row: Identity): number {
  return crc32(JSON.stringify(row))
}

/** One that was written without a seal has nothing to be checked against but its own form. */
function isWhole([id, node, name, unit, kind, attributes, , , , crc]: SeriesRow): boolean {
  if (crc !== null) return crc === sealOf([id, node, name, unit, kind, attributes])
  try {
    return typeof JSON.parse(attributes) === 'object'
  } catch {
    return false
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
