// Opening: finishing what a crash interrupted, finding damage before it is built on, and reading what the file holds.

import { existsSync, statSync } from 'node:fs'
import { reason } from '../../core/errors.ts'
import { finishReplacing } from '../../core/replaced-file.ts'
import type { SpoolOptions } from '../spool.ts'
import { Book, laneOf, randomName } from './book.ts'
import { create, isQuietlyDamaged, spoolFile } from './salvage.ts'
import { Damage, type Open, openTables, type Row, seqRange, type Tables } from './tables.ts'

/** Up to here every page is looked at; a larger file would hold the start up, and its rows are checked when taken. */
const quickCheckBytes = 64 * 1024 * 1024

/** The folder's file, made if it is absent. @throws Damage or SQLite's error where it cannot be trusted. */
export function openFolder(options: SpoolOptions, open: Open): Tables {
  const file = spoolFile(options.folder)
  finishReplacing(file, options.now())
  if (isQuietlyDamaged(options.folder)) throw new Damage('the file or its log ends in what is not whole')
  if (!existsSync(file)) create(options.folder, open, randomName(10))
  const tables = openTables(file, open)
  try {
    check(tables, statSync(file).size)
    return tables
  } catch (error) {
    tables.db.close()
    throw error
  }
}

function check({ db }: Tables, size: number): void {
  if (size > quickCheckBytes) return
  const said = db.pragma('quick_check(1)', { simple: true })
  if (said !== 'ok') throw new Damage(String(said))
}

/** An empty log to begin with, so that frames a crash left behind are never taken for ours. A full disk may refuse it. */
export function tidy({ db, places, forgetPlaces }: Tables, book: Book, { say }: SpoolOptions): void {
  try {
    for (const { stream } of places.all()) if (book.named(stream) === undefined) forgetPlaces.run(stream)
    db.pragma('wal_checkpoint(TRUNCATE)')
  } catch (error) {
    say('warning', `spool: cannot tidy the file: ${reason(error)}`)
  }
}

/** Reads every leaf of the rows' b-tree once, which also finds most damage. */
export function readBook(tables: Tables, options: SpoolOptions): Book {
  const book = new Book(tables.id)
  const next = tables.db.prepare<[number], Pick<Row, 'k' | 'stream'>>(
    'SELECT k, stream FROM rows WHERE k > ? ORDER BY k LIMIT 1',
  )
  const last = tables.db.prepare<[number], { k: number }>('SELECT k FROM rows WHERE k < ? ORDER BY k DESC LIMIT 1')
  let row = next.get(0)
  while (row !== undefined) {
    const n = Math.floor(row.k / seqRange)
    const lane = laneOf(row.stream)
    if (lane === undefined) throw new Damage(`the stream of row ${row.k} cannot be read`)
    book.adopt(n, row.stream, lane, row.k % seqRange, last.get((n + 1) * seqRange)!.k % seqRange)
    row = next.get((n + 1) * seqRange)
  }
  readPlaces(tables, book, options)
  for (const stream of book.streams.values()) {
    const { envelopes, bytes } = tables.sum.get(stream.n * seqRange + stream.floor, stream.n * seqRange + stream.last)!
    book.count(stream, envelopes, bytes)
  }
  return book
}

/** Places of uplinks that are gone hold nothing back. */
function readPlaces(tables: Tables, book: Book, { uplinks }: SpoolOptions): void {
  for (const { uplink, stream: name, seq } of tables.places.all()) {
    const stream = book.named(name)
    if (stream !== undefined && uplinks.includes(uplink)) stream.places.set(uplink, Math.min(seq, stream.last))
  }
  if (uplinks.length === 0) return
  for (const stream of book.streams.values()) {
    stream.floor = Math.max(stream.floor, Math.min(...uplinks.map(name => stream.places.get(name) ?? 0)))
    stream.owing = stream.floor > stream.erased
  }
}
