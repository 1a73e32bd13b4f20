// The chunk table: rows in, rows out. Knows hours, not what a blob says.

import type { Database, Statement } from 'better-sqlite3'

export const hourMs = 3_600_000

/** A chunk as a row: id, hour, first, last, count, minutes, samples (null where the minutes were to be enough). */
export type ChunkRow = [number, number, number, number, number, Buffer | null, Buffer | null]

export interface NewChunk {
  readonly series: number
  readonly hour: number
  /** Ms within the hour. */
  readonly first: number
  readonly last: number
  readonly count: number
  readonly fresh: boolean
  readonly minutes: Buffer | null
  readonly samples: Buffer
}

const some = 'id, hour, first, last, count'
const either = `${some}, minutes, CASE WHEN minutes IS NULL THEN samples END`
const all = `${some}, NULL, samples`
// Kept before fresh and by id: among samples of one time the older chunk's stand first.
const where = (fresh: 0 | 1) =>
  `FROM chunk WHERE fresh = ${fresh} AND series = ? AND hour BETWEEN ? AND ? ORDER BY hour, id`

export class Chunks {
  readonly #db: Database
  readonly #insert: Statement
  readonly #remove: Statement
  readonly #keep: Statement
  readonly #samples: Statement
  readonly #brief: readonly [Statement, Statement]
  readonly #full: readonly [Statement, Statement]
  /** Hours that may have fresh chunks. */
  readonly #freshHours = new Set<number>()
  #doubted = true

  constructor(db: Database) {
    this.#db = db
    this.#insert = db.prepare(
      'INSERT INTO chunk (series, hour, first, last, count, fresh, minutes, samples) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    )
    this.#remove = db.prepare('DELETE FROM chunk WHERE id = ?')
    this.#keep = db.prepare('UPDATE chunk SET fresh = 0 WHERE id = ?')
    this.#samples = db.prepare('SELECT samples FROM chunk WHERE id = ?').pluck()
    this.#brief = [this.#select(either, 0), this.#select(either, 1)]
    this.#full = [this.#select(all, 0), this.#select(all, 1)]
  }

  #select(columns: string, fresh: 0 | 1): Statement {
    return this.#db.prepare(`SELECT ${columns} ${where(fresh)}`).raw()
  }

  insert(c: NewChunk): void {
    this.#insert.run(c.series, c.hour, c.first, c.last, c.count, c.fresh ? 1 : 0, c.minutes, c.samples)
    if (c.fresh) this.#freshHours.add(c.hour)
  }

  /** Rows of these hours, both included; `brief` leaves out the samples of rows that have minutes. */
  select(series: number, fromHour: number, toHour: number, brief: boolean): ChunkRow[] {
    const [kept, fresh] = brief ? this.#brief : this.#full
    const rows = kept.all(series, fromHour, toHour) as ChunkRow[]
    if (!this.#anyFresh(fromHour, toHour)) return rows
    return rows.concat(fresh.all(series, fromHour, toHour) as ChunkRow[])
  }

  /** A series' chunks of one hour: how many are kept and how many fresh, and all rows in order. */
  selectHour(series: number, hour: number): { kept: ChunkRow[]; fresh: ChunkRow[] } {
    const [kept, fresh] = this.#full
    return { kept: kept.all(series, hour, hour) as ChunkRow[], fresh: fresh.all(series, hour, hour) as ChunkRow[] }
  }

  samples(id: number): Buffer {
    return this.#samples.get(id) as Buffer
  }

  removeAll(rows: readonly ChunkRow[]): void {
    for (const row of rows) this.#remove.run(row[0])
  }

  /** All chunks of a series. */
  forget(series: number): void {
    this.#db.prepare('DELETE FROM chunk WHERE series = ?').run(series)
  }

  /** Marks a fresh chunk as one that needs no compaction any more. */
  keep(id: number): void {
    this.#keep.run(id)
  }

  /** The oldest hour with fresh chunks that ended by `time`. */
  staleHour(time: number): number | undefined {
    let oldest: number | undefined
    for (const hour of this.#hours()) {
      if ((hour + 1) * hourMs <= time && (oldest === undefined || hour < oldest)) oldest = hour
    }
    return oldest
  }

  freshSeries(hour: number): number[] {
    const sql = 'SELECT DISTINCT series FROM chunk INDEXED BY chunk_fresh WHERE fresh = 1 AND hour = ?'
    return this.#db.prepare(sql).pluck().all(hour) as number[]
  }

  /** Nothing fresh is left in the hour. */
  settled(hour: number): void {
    this.#freshHours.delete(hour)
  }

  /** A transaction failed: which hours have fresh chunks must be asked of the file again. */
  doubt(): void {
    this.#doubted = true
  }

  #hours(): ReadonlySet<number> {
    if (!this.#doubted) return this.#freshHours
    const sql = 'SELECT DISTINCT hour FROM chunk INDEXED BY chunk_fresh WHERE fresh = 1'
    for (const hour of this.#db.prepare(sql).pluck().all() as number[]) this.#freshHours.add(hour)
    this.#doubted = false
    return this.#freshHours
  }

  #anyFresh(fromHour: number, toHour: number): boolean {
    for (const hour of this.#hours()) if (hour >= fromHour && hour <= toHour) return true
    return false
  }
}
