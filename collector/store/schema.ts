// history.db: its tables, and how it is opened.

import Database from 'better-sqlite3'

export const version = 1
export const pageSize = 8192

/**
 * `hour` is whole hours since the epoch, `first` and `last` are ms within it; `fresh` until compacted; `meta` twice, on
 * two pages; `series_seal` is a CRC-32 over the row of `series`.
 */
export const schema = `
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta_spare (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS series (
  id INTEGER PRIMARY KEY, node TEXT NOT NULL, name TEXT NOT NULL, unit TEXT NOT NULL, kind TEXT NOT NULL,
  attributes TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS series_seal (id INTEGER PRIMARY KEY, crc INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS extent (series INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, count INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS chunk (
  id INTEGER PRIMARY KEY, series INTEGER NOT NULL, hour INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
  count INTEGER NOT NULL, fresh INTEGER NOT NULL, minutes BLOB, samples BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS chunk_fresh ON chunk (series, hour) WHERE fresh = 1;
CREATE INDEX IF NOT EXISTS chunk_kept ON chunk (series, hour) WHERE fresh = 0;
`
/** The tables above; whatever else lies in the file belongs to others. */
export const ownTables = ['meta', 'meta_spare', 'series', 'series_seal', 'extent', 'chunk'] as const

/** Opens or creates; throws what SQLite says of a file that is not a whole history, and of one that another process has. */
export function openFile(path: string): Database.Database {
  const db = new Database(path, { timeout: 1000 })
  try {
    db.pragma('locking_mode = EXCLUSIVE')
    db.pragma(`page_size = ${pageSize}`)
    db.pragma('auto_vacuum = INCREMENTAL')
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = FULL')
    db.pragma('cache_size = -32768')
    db.pragma('journal_size_limit = 67108864')
    prepareTables(db)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

function prepareTables(db: Database.Database): void {
  const found = db.pragma('user_version', { simple: true })
  if (found !== 0 && found !== version) {
    throw new Error(`history.db has version ${found}, this Fieldline reads version ${version}`)
  }
  db.transaction(() => {
    db.exec(schema)
    db.pragma(`user_version = ${version}`)
  })()
}

/** Throws where a table or an index is not as these statements make it: its description is damaged. */
export function checkSchema(db: Database.Database, others: readonly string[]): void {
  const found = new Map(describe(db))
  for (const [name, sql] of describePristine(others)) {
    if (found.get(name) !== sql) throw new Database.SqliteError(`${name} is not described as it was`, 'SQLITE_CORRUPT')
  }
}

function describePristine(others: readonly string[]): [string, string][] {
  const pristine = new Database(':memory:')
  try {
    for (const sql of [schema, ...others]) pristine.exec(sql)
    return describe(pristine)
  } finally {
    pristine.close()
  }
}

function describe(db: Database.Database): [string, string][] {
  return db.prepare('SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL').raw().all() as [string, string][]
}
