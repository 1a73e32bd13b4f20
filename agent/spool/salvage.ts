// Makes a new spool.db from what still reads of the old one, and moves the old one aside.
//
// The new file is complete and on disk before the old one moves, and `spool.db.ready` marks that moment: a crash before
// it begins again, a crash after it only finishes the renames. Nothing is lost in between.

import { closeSync, existsSync, fsyncSync, openSync, readdirSync, readSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { hasCode } from './damage.ts'
import { sizeOf, withFile, withImages } from './image.ts'
import type { KeyRow } from './once.ts'
import { entries, type Image, type Value } from './pages.ts'
import { insertRow, isWhole, type Open, openTables, pageSize, type Row, type Tables, transact } from './tables.ts'
import { scanWal } from './wal.ts'

const keptAside = 3
/** Rows a transaction while copying. */
const batch = 200

export interface Salvaged {
  readonly kept: number
  /** Rows that were there but do not match their seal: what their other columns say was lost. */
  readonly torn: readonly Row[]
  /** Whether the new file took all that was found; a full disk may end it early. */
  readonly complete: boolean
  /** Where the old file went. */
  readonly aside: string
}

export function spoolFile(folder: string): string {
  return join(folder, 'spool.db')
}

/** Ends what a crash interrupted. */
export function finish(folder: string, now: number): void {
  remove(`${spoolFile(folder)}.new`)
  if (existsSync(`${spoolFile(folder)}.ready`)) swap(folder, now)
}

/** A new, empty file. */
export function create(folder: string, open: Open, id: string): void {
  const file = spoolFile(folder)
  remove(`${file}.new`)
  openTables(`${file}.new`, open, id).db.close()
  sync(`${file}.new`)
  renameSync(`${file}.new`, file)
  sync(folder)
}

/** Whether SQLite would silently leave out or lose something of the files as they are. */
export function isQuietlyDamaged(folder: string): boolean {
  const file = spoolFile(folder)
  const size = sizeOf(file)
  if (size === undefined) return (sizeOf(`${file}-wal`) ?? 0) > 0
  if (size < pageSize || !isWritable(file)) return true
  return withFile(`${file}-wal`, (fd, length) => fd !== undefined && length! > 0 && scanWal(fd, length!).damaged)
}

/** Offsets 18 and 19, the format versions: with another one SQLite opens the file for reading only, or without its log. */
function isWritable(file: string): boolean {
  const header = Buffer.alloc(20)
  withFile(file, fd => readSync(fd!, header, 0, 20, 0))
  return header[18] === 2 && header[19] === 2
}

/** `wanted` says which rows the spool still holds; asked of whole rows only. */
export function salvage(folder: string, open: Open, id: string, wanted: (row: Row) => boolean, now: number): Salvaged {
  const file = spoolFile(folder)
  remove(`${file}.new`)
  const copy = new Copy(openTables(`${file}.new`, open, id), wanted)
  try {
    withImages(file, (image, committed) => copy.take(image, committed))
    copy.finish()
  } finally {
    copy.tables.db.close()
  }
  sync(`${file}.new`)
  renameSync(`${file}.new`, `${file}.ready`)
  return { ...copy.result(), aside: swap(folder, now) }
}

/** The id of the spool, if a row or the table that keeps it still reads. */
export function findId(folder: string): string | undefined {
  let id: string | undefined
  withImages(spoolFile(folder), image => {
    for (const { rowid, values } of entries(image)) {
      const row = values.length === 11 ? asRow(rowid, values) : undefined
      const told = row !== undefined && isWhole(row) ? row.stream.split('.')[0] : values.length === 2 ? values[0] : ''
      if (typeof told === 'string' && /^[0-9a-z]{10}$/.test(told)) id = told
      if (id !== undefined && row !== undefined) return
    }
  })
  return id
}

class Copy {
  readonly tables: Tables
  readonly #wanted: (row: Row) => boolean
  readonly #kept = new Set<number>()
  readonly #torn = new Map<number, Row>()
  #waiting: (() => void)[] = []
  #full = false

  constructor(tables: Tables, wanted: (row: Row) => boolean) {
    this.tables = tables
    this.#wanted = wanted
  }

  /** Keys count where they were committed: one that was not would deny its sender a second try. */
  take(image: Image, committed: boolean): void {
    for (const { rowid, values } of entries(image)) {
      if (this.#full) return
      if (values.length === 11) this.#row(asRow(rowid, values))
      else if (values.length === 15) this.#refused(values)
      else if (values.length === 8) this.#gap(values)
      else if (values.length === 5 && committed) this.#key(rowid, values)
      if (this.#waiting.length >= batch) this.#flush()
    }
    this.#flush()
  }

  #row(row: Row): void {
    if (this.#kept.has(row.k)) return
    if (!isWhole(row)) {
      this.#torn.set(row.k, { ...row, payload: new Uint8Array(0) })
      return
    }
    if (!this.#wanted(row)) return
    this.#kept.add(row.k)
    const kept = { ...row, payload: Buffer.from(row.payload) }
    this.#waiting.push(() => insertRow(this.tables, kept))
  }

  #refused([, k = null, ...rest]: readonly Value[]): void {
    const row = asRow(Number(k), [null, ...rest.slice(0, 10)])
    if (!isWhole(row)) return
    const values = [k, ...rest.slice(0, 9), Buffer.from(row.payload), ...rest.slice(10)]
    this.#waiting.push(() => this.#once('refused', values))
  }

  #gap([, ...values]: readonly Value[]): void {
    const [stream, cause, ...numbers] = values
    if (typeof stream !== 'string' || typeof cause !== 'string') return
    if (!numbers.every(value => typeof value === 'number')) return
    this.#waiting.push(() => this.#once('gaps', values))
  }

  #key(id: number, [, hash, rest, time, k]: readonly Value[]): void {
    const row = { id, hash, rest, time, k } as KeyRow
    if (![hash, rest, time, k].every(value => Number.isSafeInteger(value) && (value as number) >= 0)) return
    this.#waiting.push(() => this.tables.once.restore(row))
  }

  /** After all images. */
  finish(): void {
    this.tables.once.forgetLost([...this.#torn.keys()].filter(k => !this.#kept.has(k)))
  }

  /** Into a table whose rows have no identity of their own; the old file may show one twice. */
  #once(table: 'refused' | 'gaps', values: readonly Value[]): void {
    const columns = table === 'gaps' ? ['stream', 'cause'] : ['k', 'time', 'uplink']
    const known = table === 'gaps' ? values.slice(0, 2) : [values[0], values[11], values[12]]
    const where = columns.map(column => `${column} IS ?`).join(' AND ')
    if (this.tables.db.prepare(`SELECT 1 FROM ${table} WHERE ${where}`).get(...known) !== undefined) return
    this.tables.db.prepare(`INSERT INTO ${table} VALUES (NULL, ${values.map(() => '?').join(', ')})`).run(...values)
  }

  /** A disk that is full ends the copy with what fits. */
  #flush(): void {
    const waiting = this.#waiting
    this.#waiting = []
    try {
      transact(this.tables.db, () => {
        for (const write of waiting) write()
      })
    } catch (error) {
      if (!hasCode(error, 'SQLITE_FULL')) throw error
      this.#full = true
    }
  }

  result(): Omit<Salvaged, 'aside'> {
    const torn = [...this.#torn.values()].filter(row => !this.#kept.has(row.k))
    return { kept: this.#kept.size, torn, complete: !this.#full }
  }
}

function asRow(k: number, [, ...values]: readonly Value[]): Row {
  const [put_time, first_time, last_time, samples, events, encoding, crc, node, stream, payload] = values
  return { k, put_time, first_time, last_time, samples, events, encoding, crc, node, stream, payload } as Row
}

/** Moves the old file and its log aside and the ready one into place. */
function swap(folder: string, now: number): string {
  const file = spoolFile(folder)
  const aside = freeName(file, now)
  for (const suffix of ['', '-wal']) if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix)
  remove(`${file}-shm`)
  renameSync(`${file}.ready`, file)
  sync(folder)
  forgetOldest(folder, aside)
  return aside
}

function freeName(file: string, now: number): string {
  const stamp = new Date(now).toISOString().replace(/[-:.]/g, '')
  const name = `${file}.corrupt-${stamp}`
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? name : `${name}-${n}`
    if (!existsSync(candidate) && !existsSync(`${candidate}-wal`)) return candidate
  }
}

function forgetOldest(folder: string, newest: string): void {
  const names = readdirSync(folder).filter(name => name.startsWith('spool.db.corrupt-'))
  const files = new Set(names.map(name => join(folder, name.replace(/-wal$/, ''))))
  files.delete(newest)
  const older = [...files].sort()
  for (const file of older.slice(0, Math.max(0, older.length + 1 - keptAside))) remove(file)
}

export function remove(file: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(file + suffix, { force: true })
}

function sync(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
