// history.db: its tables, and how it is opened.

import Database from 'better-sqlite3'

export const version = 1
export const pageSize = 8192

/** `hour` is whole hours since the epoch, `first` and `last` are ms within it; `fresh` until compacted; `meta` twice, on two pages. */
export const schema = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE meta_spare (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE series (
  id INTEGER PRIMARY KEY, node TEXT NOT NULL, name TEXT NOT NULL, unit TEXT NOT NULL, kind TEXT NOT NULL,
  attributes TEXT NOT NULL);
CREATE TABLE extent (series INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, count INTEGER NOT NULL);
CREATE TABLE chunk (
  id INTEGER PRIMARY KEY, series INTEGER NOT NULL, hour INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
  count INTEGER NOT NULL, fresh INTEGER NOT NULL, minutes BLOB, samples BLOB NOT NULL);
CREATE INDEX chunk_fresh ON chunk (series, hour) WHERE fresh = 1;
CREATE INDEX chunk_kept ON chunk (series, hour) WHERE fresh = 0;
`
/** The tables above; whatever else lies in the file belongs to others. */
export const ownTables = ['meta', 'meta_spare', 'series', 'extent', 'chunk'] as const

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
  if (found === version) return
  if (found !== 0) throw new Error(`history.db has version ${found}, this Fieldline reads version ${version}`)
  db.transaction(() => {
    db.exec(schema)
    db.pragma(`user_version = ${version}`)
  })()
}
