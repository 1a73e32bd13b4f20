// Opening inbox.db whatever state it is in. A damaged file is read as far as it can be into a new one.

import type { Database } from 'better-sqlite3'
import { reason } from '../../core/errors.ts'
import type { Say } from '../../core/log.ts'
import { finishReplacing, replaceFile } from '../../core/replaced-file.ts'
import { isEmptied } from '../emptied.ts'
import { InboxStore, type Mark, type Row, rowColumns, type StoredRow, toRow } from './inbox-store.ts'

export type Open = (file: string) => Database

const pageSize = 4096
/** Places tried in a row without finding anything, where a table cannot be walked. */
const maxProbes = 2000

export interface Opening {
  readonly file: string
  readonly open: Open
  readonly now: number
  readonly say: Say
}

export function openStore(opening: Opening): { store: InboxStore; salvaged: boolean } {
  const { file, open, now } = opening
  finishReplacing(file, now)
  let db: Database | undefined
  try {
    if (isEmptied(file, pageSize)) throw new Damaged('it has no bytes left')
    db = open(file)
    const verdict = db.pragma('quick_check(1)', { simple: true })
    if (verdict !== 'ok') throw new Damaged(String(verdict))
    return { store: new InboxStore(db), salvaged: false }
  } catch (error) {
    db?.close()
    if (!isDamage(error)) throw error
    return { store: salvage(opening, error), salvaged: true }
  }
}

class Damaged extends Error {
  override readonly name = 'Damaged'
}

export function isDamage(error: unknown): boolean {
  if (error instanceof Damaged) return true
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB'
}

/** Moves the damaged file aside and goes on with what still reads. */
export function salvage({ file, open, now, say }: Opening, cause: unknown): InboxStore {
  const { made, aside } = replaceFile(file, now, fresh => copyReadable(file, fresh, open))
  say('error', `inbox: ${file} was damaged and is set aside; what still reads goes on`, {
    aside,
    ...made,
    reason: reason(cause),
  })
  return new InboxStore(open(file))
}

interface Saved {
  rows: number
  /** Row ids between the first and the last known one that hold nothing readable. */
  unreadable: number
  streams: number
}

function copyReadable(from: string, to: string, open: Open): Saved {
  const found = readDamaged(from, open)
  const target = open(to)
  try {
    return fill(new InboxStore(target), found)
  } finally {
    // In one file, so that one rename moves it.
    target.pragma('journal_mode = DELETE')
    target.close()
  }
}

interface Found {
  readonly rows: readonly Row[]
  readonly marks: readonly Mark[]
  readonly sequence: number
}

function fill(store: InboxStore, { rows, marks, sequence }: Found): Saved {
  store.transaction(() => {
    for (const row of rows) {
      store.startAfter(row.id - 1)
      store.insert(row)
      if (row.stream !== '') store.advance(row.node, row.stream, row.seq, row.received)
    }
    for (const { node, stream, watermark, seen } of marks) store.advance(node, stream, watermark, seen)
    store.startAfter(sequence)
  })
  const first = rows[0]?.id
  const span = first === undefined ? 0 : Math.max(sequence, rows.at(-1)!.id) - first + 1
  return { rows: rows.length, unreadable: span - rows.length, streams: marks.length }
}

function readDamaged(file: string, open: Open): Found {
  let db: Database | undefined
  try {
    db = open(file)
    // A file shorter than its header says is otherwise refused as a whole.
    db.unsafeMode(true)
    db.pragma('writable_schema = ON')
    return { rows: readRows(db), marks: readMarks(db), sequence: readSequence(db) }
  } catch (error) {
    if (!isUnreadable(error)) throw error
    return { rows: [], marks: [], sequence: 0 }
  } finally {
    db?.close()
  }
}

/** Whatever SQLite says of a file like this; running out of memory or descriptors is not that. */
function isUnreadable(error: unknown): boolean {
  return (
    isDamage(error) || (error instanceof Error && 'code' in error && /^SQLITE_(ERROR|IOERR)/.test(String(error.code)))
  )
}

/** From both ends until the damage, then what lies between one by one. */
function readRows(db: Database): Row[] {
  const found = new Map<number, Row>()
  const keep = (stored: StoredRow): void => {
    const row = toRow(stored)
    if (row !== undefined) found.set(row.id, row)
  }
  const low = walk<StoredRow>(db, `SELECT ${rowColumns} FROM row WHERE id > ? ORDER BY id LIMIT 1`, 0, keep)
  const high = walk<StoredRow>(db, `SELECT ${rowColumns} FROM row WHERE id < ? ORDER BY id DESC LIMIT 1`, 2 ** 53, keep)
  const one = `SELECT ${rowColumns} FROM row WHERE id = ?`
  for (let id = low + 1, last = low; id < high && id - last <= maxProbes; id++) {
    attempt(() => db.prepare<[number], StoredRow>(one).all(id).forEach(keep))
    if (found.has(id)) last = id
  }
  return [...found.values()].sort((a, b) => a.id - b.id)
}

/** Steps through a table from `start` until its end or the first damage; returns the last id read. */
function walk<T extends { id: number }>(db: Database, sql: string, start: number, keep: (row: T) => void): number {
  const up = start === 0
  let at = start
  attempt(() => {
    const next = db.prepare<[number], T>(sql)
    // In a damaged tree a search may answer with a key on the wrong side, and again and again.
    for (let row = next.get(at); row !== undefined && (up ? row.id > at : row.id < at); row = next.get(at)) {
      keep(row)
      at = row.id
    }
  })
  return at
}

function readMarks(db: Database): Mark[] {
  const found = new Map<string, Mark>()
  for (const order of ['', ' DESC']) {
    attempt(() => {
      const all = db.prepare<[], Mark>(
        `SELECT node, stream, watermark, seen FROM stream ORDER BY node${order}, stream${order}`,
      )
      const seen = new Set<string>()
      for (const mark of all.iterate()) {
        const key = `${mark.node} ${mark.stream}`
        // Pages that lead back to earlier ones would be read for ever.
        if (seen.has(key)) return
        seen.add(key)
        if (isMark(mark)) found.set(key, mark)
      }
    })
  }
  return [...found.values()]
}

function isMark({ node, stream, watermark, seen }: Mark): boolean {
  const named = typeof node === 'string' && typeof stream === 'string'
  return named && Number.isSafeInteger(watermark) && typeof seen === 'number'
}

function readSequence(db: Database): number {
  let sequence = 0
  attempt(() => {
    sequence = db.prepare<[], { seq: number }>(`SELECT seq FROM sqlite_sequence WHERE name = 'row'`).get()?.seq ?? 0
  })
  return sequence
}

/** Damage ends an attempt, not the salvage: what was read until then is kept. */
function attempt(work: () => void): void {
  try {
    work()
  } catch (error) {
    if (!isUnreadable(error)) throw error
  }
}
