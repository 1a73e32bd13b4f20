// Takes what still reads of a damaged history.db into a new one: every table, row by row, ours and those of others.

import Database from 'better-sqlite3'
import { ownTables } from './schema.ts'

export interface Saved {
  readonly chunks: number
  readonly series: number
  /** Rows of all other tables. */
  readonly records: number
}

interface Table {
  readonly name: string
  readonly sql: string
  readonly type: string
}

type Row = readonly unknown[]

/** What the table `extent` should say. */
export const extents = `SELECT series, min(hour * 3600000 + first), max(hour * 3600000 + last), sum(count)
  FROM chunk GROUP BY series`

export function salvage(from: string, into: Database.Database): Saved {
  const old = openDamaged(from)
  if (old === undefined) return { chunks: 0, series: 0, records: 0 }
  try {
    return into.transaction(() => {
      const records = copyOthers(old, into)
      for (const name of ownTables) copyTable(old, into, name)
      dropOrphans(into)
      return { chunks: countOf(into, 'chunk'), series: countOf(into, 'series'), records }
    })()
  } finally {
    old.close()
  }
}

function openDamaged(path: string): Database.Database | undefined {
  try {
    const db = new Database(path, { readonly: true, fileMustExist: true })
    const tables = () => db.prepare('SELECT count(*) FROM sqlite_master').get()
    if (attempt(tables) !== undefined) return db
    // A description is damaged. With writable_schema SQLite goes on with those before it from the second statement on.
    db.unsafeMode().pragma('writable_schema = ON')
    attempt(tables)
    tables()
    return db
  } catch (error) {
    if (error instanceof Database.SqliteError) return undefined
    throw error
  }
}

/** Tables and indices of whoever else keeps something in the file; returns how many rows came over. */
function copyOthers(old: Database.Database, into: Database.Database): number {
  let rows = 0
  for (const { name, sql, type } of othersOf(old)) {
    // Where it is there already, or its description is damaged, what `into` has counts.
    attempt(() => into.exec(sql))
    if (type === 'table') rows += copyTable(old, into, name)
  }
  return rows
}

function othersOf(old: Database.Database): Table[] {
  const sql =
    "SELECT name, sql, type, tbl_name AS owner FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
  const own: readonly string[] = ownTables
  const all = attempt(() => old.prepare(sql).all() as (Table & { owner: string })[]) ?? []
  return all.filter(t => !own.includes(t.owner)).sort((a, b) => Number(b.type === 'table') - Number(a.type === 'table'))
}

/** Copies all rows that read: upwards to the first damaged page, past it by growing leaps, and downwards from the end. */
function copyTable(old: Database.Database, into: Database.Database, name: string): number {
  const columns = attempt(() => old.prepare(`SELECT * FROM "${name}" LIMIT 0`).columns().length)
  if (columns === undefined) return 0
  const insert = attempt(() =>
    into.prepare(`INSERT OR IGNORE INTO "${name}" VALUES (${Array(columns).fill('?').join(', ')})`),
  )
  if (insert === undefined) return 0
  let copied = 0
  const put: Put = row => {
    const { changes } = insert.run(...row)
    copied += changes
    return changes > 0
  }
  if (copyByRowid(old, name, put) === false) copyInOrder(old, name, put)
  return copied
}

/** False where the table has no rowid. */
function copyByRowid(old: Database.Database, name: string, put: Put): boolean {
  const sql = `SELECT rowid, * FROM "${name}" NOT INDEXED WHERE rowid > ? AND rowid < ? ORDER BY rowid`
  const up = attempt(() => old.prepare(sql).raw())
  if (up === undefined) return false
  const down = old.prepare(`${sql} DESC`).raw()
  const run = (rows: Database.Statement, above: number, below: number) => {
    const ahead = rows === up ? rises(above) : falls(below)
    return copyRun(rows.iterate(above, below), put, ahead)
  }
  let below = Number.MAX_SAFE_INTEGER
  let above = -1
  const end = run(down, above, below)
  if (end.whole) return true
  below = end.last ?? below
  for (let leap = 1; above + leap <= below; leap *= 2) {
    const { whole, first, last } = run(up, above + leap - 1, below)
    if (first !== undefined) run(down, above, first)
    if (whole) return true
    if (last === undefined) continue
    above = last
    leap = 1
  }
  return true
}

interface Run {
  /** It ended because there were no more rows. */
  readonly whole: boolean
  readonly first: number | undefined
  readonly last: number | undefined
}

/** Takes a row over; false where it was there already, or cannot be one. */
type Put = (row: Row) => boolean

/** Whether the next row lies further on than all before it. */
type Ahead = (rowid: number, isNew: boolean) => boolean

/**
 * Puts rows until there are no more, or damage stops the reading. A page that leads back to an earlier one would be read
 * for ever: rows that do not go on are damage, too.
 */
function copyRun(rows: IterableIterator<unknown>, put: Put, ahead: Ahead): Run {
  let first: number | undefined
  let last: number | undefined
  for (;;) {
    const step = attempt(() => rows.next())
    if (step === undefined || step.done) return { whole: step !== undefined, first, last }
    const [rowid, ...row] = step.value as [number, ...unknown[]]
    if (!ahead(rowid, put(row))) {
      rows.return?.()
      return { whole: false, first, last }
    }
    first ??= rowid
    last = rowid
  }
}

function rises(above: number): Ahead {
  let last = above
  return rowid => {
    const isAhead = rowid > last
    last = rowid
    return isAhead
  }
}

function falls(below: number): Ahead {
  const up = rises(-below)
  return (rowid, isNew) => up(-rowid, isNew)
}

/** Rows in a row that were there already: their keys are unique. */
const mostKnown = 1000

function copyInOrder(old: Database.Database, name: string, put: Put): void {
  const rows = attempt(() => old.prepare(`SELECT NULL, * FROM "${name}"`).raw())
  let known = 0
  const ahead: Ahead = (_, isNew) => {
    known = isNew ? 0 : known + 1
    return known < mostKnown
  }
  if (rows) copyRun(rows.iterate(), put, ahead)
}

/** What cannot be told whose it is, and series of which nothing is left; extents are counted again. */
function dropOrphans(into: Database.Database): void {
  into.exec(`
    DELETE FROM chunk WHERE series NOT IN (SELECT id FROM series);
    DELETE FROM extent;
    INSERT INTO extent ${extents};
    DELETE FROM series WHERE id NOT IN (SELECT series FROM extent);
    DELETE FROM series_seal WHERE id NOT IN (SELECT id FROM series);
    INSERT OR REPLACE INTO meta SELECT key, max(value) FROM
      (SELECT * FROM meta UNION ALL SELECT * FROM meta_spare) GROUP BY key;
  `)
}

function countOf(db: Database.Database, table: 'chunk' | 'series'): number {
  return db.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if (error instanceof Database.SqliteError) return undefined
    throw error
  }
}
