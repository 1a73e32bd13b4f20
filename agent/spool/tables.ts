// spool.db: the tables, the pragmas and the statements.
//
// One b-tree holds the envelopes, key = stream number * 2^32 + seq, so that a put appends and a drain cuts a prefix.
// A row carries its node and stream name although they repeat: each row can be checked against its seal by itself,
// whatever else of the file is lost. `locking_mode=EXCLUSIVE` keeps the WAL index in memory (no -shm file, fewer calls).

import Database from 'better-sqlite3'
import { type Encoding, encodings, type Header, seal } from '../../core/envelope.ts'
import type { Parcel } from '../spool.ts'
import { Once } from './once.ts'

export type Open = (file: string) => Database.Database

/** Never waits for a lock: nobody else may hold one. */
export const openFile: Open = file => new Database(file, { timeout: 0 })

/** Keys of a stream lie above `n * seqRange`; 2^21 streams keep every key a safe integer. */
export const seqRange = 2 ** 32
export const version = 1
/** Salvage reads pages by itself, so the size is fixed. */
export const pageSize = 4096
/** About 4 MiB: most rows are drained before a checkpoint would write them a second time. */
const walPages = 1000

/** What a row costs beside its payload, bytes, as the cap counts it. */
export const rowOverhead = 100

export interface Row {
  readonly k: number
  /** When it was put, by this host's clock. */
  readonly put_time: number
  readonly first_time: number
  readonly last_time: number
  readonly samples: number
  readonly events: number
  /** Index in `encodings`. */
  readonly encoding: number
  readonly crc: number
  readonly node: string
  readonly stream: string
  readonly payload: Uint8Array
}

export interface Sum {
  readonly envelopes: number
  readonly bytes: number
}

const schema = `
  CREATE TABLE rows (k INTEGER PRIMARY KEY, put_time INTEGER, first_time INTEGER, last_time INTEGER, samples INTEGER,
    events INTEGER, encoding INTEGER, crc INTEGER, node TEXT, stream TEXT, payload BLOB);
  CREATE TABLE places (uplink TEXT, stream TEXT, seq INTEGER);
  CREATE TABLE refused (id INTEGER PRIMARY KEY, k INTEGER, put_time INTEGER, first_time INTEGER, last_time INTEGER,
    samples INTEGER, events INTEGER, encoding INTEGER, crc INTEGER, node TEXT, stream TEXT, payload BLOB,
    time INTEGER, uplink TEXT, reason TEXT);
  CREATE TABLE gaps (id INTEGER PRIMARY KEY, stream TEXT, cause TEXT, envelopes INTEGER, samples INTEGER,
    events INTEGER, first_time INTEGER, last_time INTEGER);
  CREATE TABLE spool (id TEXT, version INTEGER);
`
const rowColumns = 'k, put_time, first_time, last_time, samples, events, encoding, crc, node, stream, payload'

export type Tables = ReturnType<typeof openTables>

/** Opens the file; `newId` makes it, and then nothing of it is safe before the file was synced and given its name. Throws Damage or SQLite's error on anything it cannot work with. */
export function openTables(file: string, open: Open, newId?: string) {
  const db = open(file)
  try {
    setUp(db, newId === undefined ? 'FULL' : 'OFF')
    if (newId !== undefined) make(db, newId)
    return { db, id: readId(db), once: new Once(db), ...statements(db) }
  } catch (error) {
    db.close()
    throw error
  }
}

function setUp(db: Database.Database, synchronous: 'FULL' | 'OFF'): void {
  db.pragma(`page_size = ${pageSize}`)
  db.pragma('locking_mode = EXCLUSIVE')
  db.pragma('journal_mode = WAL')
  db.pragma(`synchronous = ${synchronous}`)
  db.pragma('cache_size = -1024')
  db.pragma('temp_store = MEMORY')
  db.pragma(`wal_autocheckpoint = ${walPages}`)
  db.pragma(`journal_size_limit = ${walPages * pageSize}`)
}

function make(db: Database.Database, newId: string): void {
  transact(db, () => {
    db.exec(schema)
    db.prepare('INSERT INTO spool VALUES (?, ?)').run(newId, version)
  })
}

function readId(db: Database.Database): string {
  const row = db.prepare<[], { id: string; version: number }>('SELECT id, version FROM spool').get()
  if (row === undefined || row.version !== version || !/^[0-9a-z]{10}$/.test(row.id)) {
    throw new Damage('the spool id cannot be read')
  }
  return row.id
}

/** What was read cannot be what was written. */
export class Damage extends Error {
  override readonly name = 'Damage'
}

/** All or nothing; a throw leaves no transaction open if the disk lets it. */
export function transact(db: Database.Database, work: () => void): void {
  if (db.inTransaction) db.exec('ROLLBACK')
  db.exec('BEGIN IMMEDIATE')
  try {
    work()
    db.exec('COMMIT')
  } catch (error) {
    if (db.inTransaction) rollBack(db, error)
    throw error
  }
}

function rollBack(db: Database.Database, error: unknown): void {
  try {
    db.exec('ROLLBACK')
  } catch (second) {
    throw new AggregateError([error, second], 'the transaction failed and could not be rolled back', { cause: error })
  }
}

function statements(db: Database.Database) {
  const keys = 'WHERE k > ? AND k <= ?'
  return {
    /** Replaces: a row under a key that was never acknowledged may be left by a commit that failed half-way. */
    insert: db.prepare(`INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    read: db.prepare<[number, number], Row>(`SELECT ${rowColumns} FROM rows ${keys} ORDER BY k`),
    brief: db.prepare<[number, number], Omit<Row, 'payload' | 'node' | 'stream'> & { size: number }>(
      `SELECT k, put_time, first_time, last_time, samples, events, length(payload) AS size FROM rows ${keys} ORDER BY k`,
    ),
    keysBack: db.prepare<[number, number], { k: number }>(`SELECT k FROM rows ${keys} ORDER BY k DESC`),
    erase: db.prepare(`DELETE FROM rows ${keys}`),
    oldest: db.prepare<[number, number], Pick<Row, 'put_time'>>(`SELECT put_time FROM rows ${keys} ORDER BY k LIMIT 1`),
    sum: db.prepare<[number, number], Sum>(
      `SELECT count(*) AS envelopes, coalesce(sum(length(payload)), 0) + count(*) * ${rowOverhead} AS bytes FROM rows ${keys}`,
    ),
    places: db.prepare<[], { uplink: string; stream: string; seq: number }>('SELECT * FROM places'),
    forgetPlaces: db.prepare<[string]>('DELETE FROM places WHERE stream = ?'),
    storePlace: db.prepare('INSERT INTO places VALUES (?, ?, ?)'),
  }
}

export function insertRow(tables: Pick<Tables, 'insert'>, row: Row): void {
  const { k, put_time, first_time, last_time, samples, events, encoding, crc, node, stream, payload } = row
  tables.insert.run(k, put_time, first_time, last_time, samples, events, encoding, crc, node, stream, payload)
}

/** A parcel with its place, sealed. */
export function sealed(parcel: Parcel, node: string, stream: string, n: number, seq: number, now: number): Row {
  const { lane: _, once: __, payload, ...rest } = parcel
  return {
    k: n * seqRange + seq,
    put_time: now,
    first_time: rest.firstTime,
    last_time: rest.lastTime,
    samples: rest.samples,
    events: rest.events,
    encoding: encodings.indexOf(rest.encoding),
    crc: seal({ ...rest, node, stream, seq }, payload),
    node,
    stream,
    payload,
  }
}

export function headerOf(row: Row): Header {
  return {
    node: row.node,
    stream: row.stream,
    seq: row.k % seqRange,
    firstTime: row.first_time,
    lastTime: row.last_time,
    samples: row.samples,
    events: row.events,
    encoding: encodings[row.encoding] as Encoding,
  }
}

const numbers = ['k', 'put_time', 'first_time', 'last_time', 'samples', 'events', 'encoding', 'crc'] as const

/** Whether the row is as it was put; anything may stand in the columns. */
export function isWhole(row: Row): boolean {
  if (!(row.payload instanceof Uint8Array) || typeof row.node !== 'string' || typeof row.stream !== 'string')
    return false
  if (!numbers.every(column => Number.isSafeInteger(row[column]) && row[column] >= 0)) return false
  // The stream's number is not under the seal, but its name is.
  if (!row.stream.split('.')[2]?.startsWith(`${Math.floor(row.k / seqRange)}-`)) return false
  return seal(headerOf(row), row.payload) === row.crc
}
