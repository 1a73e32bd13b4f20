// Holds the open file and replaces it when it is damaged, or full and empty at once.

import { reason } from '../../core/errors.ts'
import type { Gap, SpoolOptions } from '../spool.ts'
import { type Book, keyOf, randomName, type Stream, seqOf, Undo } from './book.ts'
import { hasCode, isDamage } from './damage.ts'
import { addGap, readGaps } from './gaps.ts'
import { openFolder, readBook, tidy } from './load.ts'
import { findLosses, spanOf, unknownLoss, widened } from './loss.ts'
import type { KeyRow } from './once.ts'
import { create, findId, remove, type Salvaged, salvage, spoolFile } from './salvage.ts'
import { give, type State } from './state.ts'
import { type Open, openTables, type Row, type Sum, type Tables, transact } from './tables.ts'
import { write } from './write.ts'

export class Mender {
  state: State
  readonly #options: SpoolOptions
  readonly #open: Open
  /** Why there is no file to work on, while there is none. */
  #broken: unknown

  constructor(options: SpoolOptions, open: Open) {
    this.#options = options
    this.#open = open
    this.state = this.#start()
    tidy(this.state.tables, this.state.book, options)
  }

  /** Runs the work; damage is mended and the work tried once more. */
  heal<T>(work: () => T): T {
    if (this.#broken !== undefined) this.#mend(this.#broken)
    try {
      return work()
    } catch (error) {
      if (!isDamage(error)) throw error
      this.#mend(error)
      return work()
    }
  }

  #start(): State {
    try {
      return this.#load()
    } catch (error) {
      if (!isDamage(error)) throw error
      const { folder, now } = this.#options
      const found = salvage(folder, this.#open, findId(folder) ?? randomName(10), () => true, now())
      const state = this.#load()
      const spans = widened([...state.book.streams.values()].map(spanOf), found.torn)
      const losses = findLosses(state.tables, spans, found, now())
      // A stream's newest rows leave no trace when they are lost.
      this.#declare(state, [...losses, unknownLoss(now())])
      this.#tell(error, found, losses)
      return state
    }
  }

  #load(): State {
    const tables = openFolder(this.#options, this.#open)
    try {
      return newState(tables, readBook(tables, this.#options), this.#options)
    } catch (error) {
      tables.db.close()
      throw error
    }
  }

  /** The book knows what the file should hold, so that what is missing can be told exactly. */
  #mend(cause: unknown): void {
    this.#broken = cause
    const { book } = this.state
    const { folder, now } = this.#options
    this.#shut()
    const copied = salvage(folder, this.#open, this.state.tables.id, row => isHeld(book, row), now())
    const tables = openTables(spoolFile(folder), this.#open)
    this.state = { ...this.state, tables }
    const found = recounted(tables, book)
    const missing = [...found].filter(([stream, { envelopes }]) => envelopes < stream.envelopes)
    const losses = findLosses(
      tables,
      missing.map(([stream]) => spanOf(stream)),
      copied,
      now(),
    )
    this.#declare(this.state, losses)
    correct(book, found)
    this.#broken = undefined
    this.#tell(cause, copied, losses)
  }

  #declare(state: State, losses: readonly Gap[]): void {
    state.counts.salvages++
    if (losses.length === 0) return
    transact(state.tables.db, () => {
      for (const gap of losses) give(state, new Undo(), gap)
    })
  }

  #tell(cause: unknown, { kept, aside }: Salvaged, losses: readonly Gap[]): void {
    const lost = losses.reduce((sum, { envelopes }) => sum + envelopes, 0)
    const message = `spool: the file was damaged (${reason(cause)}); it was moved aside and what still reads was kept`
    this.#options.say('error', message, { kept, lost, aside })
  }

  /**
   * After SQLITE_FULL: the log's own space is used again, and what is owed is paid. Where not even that fits, but all
   * was delivered, the file is made anew. Whether there is hope.
   */
  makeRoom(): boolean {
    try {
      this.state.tables.db.pragma('wal_checkpoint(RESTART)')
      write(this.state, [])
      return true
    } catch (error) {
      if (this.state.book.envelopes > 0 || this.state.refusals.length > 0) return false
      this.#renew(error)
      return true
    }
  }

  #renew(cause: unknown): void {
    const { folder, say } = this.#options
    const { tables, book } = this.state
    const gaps = readGaps(tables.db)
    const keys = tables.once.rows()
    this.#broken = cause
    this.#shut()
    remove(spoolFile(folder))
    create(folder, this.#open, tables.id)
    const renewed = openTables(spoolFile(folder), this.#open)
    transact(renewed.db, () => {
      for (const gap of gaps) addGap(renewed.db, gap)
    })
    giveBack(renewed, keys)
    this.state = { ...this.state, tables: renewed }
    correct(book, recounted(renewed, book))
    this.#broken = undefined
    say('warning', 'spool: the disk is full; all was delivered, so the file was made anew')
  }

  close(): void {
    if (this.#broken === undefined) this.#shut()
  }

  #shut(): void {
    try {
      this.state.tables.db.close()
    } catch (error) {
      this.#options.say('warning', `spool: cannot close the file: ${reason(error)}`)
    }
  }
}

function newState(tables: Tables, book: Book, options: SpoolOptions): State {
  const pending = readGaps(tables.db).length > 0
  const counts = {
    put_samples: 0,
    dropped_samples: 0,
    dropped_events: 0,
    dropped_envelopes: 0,
    refused_envelopes: 0,
    salvages: 0,
    protocol_errors: 0,
  }
  return { tables, book, options, counts, gaps: { pending, declared: undefined }, refusals: [], aged: undefined }
}

/** As many keys as the disk takes, which is full: the newest. */
function giveBack(tables: Tables, keys: readonly KeyRow[]): void {
  for (let kept = keys; kept.length > 0; kept = kept.slice(Math.ceil(kept.length / 2))) {
    try {
      transact(tables.db, () => {
        for (const key of kept) tables.once.restore(key)
      })
      return
    } catch (error) {
      if (!hasCode(error, 'SQLITE_FULL')) throw error
    }
  }
}

function isHeld(book: Book, row: Row): boolean {
  const stream = book.named(row.stream)
  return stream !== undefined && seqOf(row) > stream.floor && seqOf(row) <= stream.last
}

function recounted(tables: Tables, book: Book): Map<Stream, Sum> {
  const streams = [...book.streams.values()]
  return new Map(
    streams.map(stream => [stream, tables.sum.get(keyOf(stream, stream.floor), keyOf(stream, stream.last))!]),
  )
}

/** The file is new: nothing is left to erase, and what is missing does not count. */
function correct(book: Book, found: ReadonlyMap<Stream, Sum>): void {
  for (const [stream, { envelopes, bytes }] of found) {
    book.count(stream, envelopes - stream.envelopes, bytes - stream.bytes)
    stream.erased = stream.floor
    stream.owing = true
  }
}
