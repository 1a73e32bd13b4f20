// From committed rows to history: opens each, hands its samples to history and the detectors, its events to the records,
// and folds everything in one transaction with the cursor when enough has gathered. A crash replays the rows behind the
// cursor through the same code; whatever is derived here depends on the rows alone, so a replay comes to the same.
//
// A row that cannot be read is set aside and never stands in the way of the next.

import { setImmediate as turn } from 'node:timers/promises'
import { reason } from '../../core/errors.ts'
import { type Say, type Trouble, troubles } from '../../core/log.ts'
import { RowReader, type RowReaderOptions, type RowStats } from './fold-rows.ts'
import type { Row } from './inbox-store.ts'

export interface FoldOptions extends RowReaderOptions {
  readonly say: Say
  now(): number
}

export interface FoldStats extends RowStats {
  rows: number
  /** Of these, what a crash had left in the inbox. */
  replayed_rows: number
  folds: number
  failed_folds: number
  /** Of the last fold, ms. */
  fold_ms: number
}

/** Samples that may wait in memory before they are folded, and beyond which nothing more is taken. */
const foldAt = 1_000_000
const fullAt = 4_000_000
/** Memory of an event against that of a sample, roughly. */
const eventWeight = 50
/** Rows and records may gather without samples. */
const foldAtRows = 20_000
const foldAge = 120_000
/** The loop is let go so often, ms. */
const slice = 10
const retryAfter = 2000
const refoldAfter = 1000

export class Fold {
  readonly #options: FoldOptions
  readonly #reader: RowReader
  readonly #trouble: Trouble
  #cursor: number
  #rows = 0
  #rowsSince = 0
  #failedAt = Number.NEGATIVE_INFINITY
  readonly #stats: FoldStats = {
    rows: 0,
    replayed_rows: 0,
    samples: 0,
    events: 0,
    late_samples: 0,
    rejected_samples: 0,
    unreadable_rows: 0,
    folds: 0,
    failed_folds: 0,
    fold_ms: 0,
  }

  constructor(options: FoldOptions) {
    this.#options = options
    this.#cursor = options.history.cursor
    this.#reader = new RowReader(options, this.#stats)
    this.#trouble = troubles(options.say)
  }

  /** Takes rows up in order; resolves when all are in memory. */
  async take(rows: Iterable<Row>): Promise<void> {
    let until = performance.now() + slice
    for (const row of rows) {
      this.#take(row)
      if (performance.now() < until) continue
      this.#foldIfDue()
      await turn()
      until = performance.now() + slice
    }
    this.#foldIfDue()
  }

  #take(row: Row): void {
    if (this.#rows === 0) this.#rowsSince = this.#options.now()
    this.#rows++
    this.#stats.rows++
    this.#reader.read(row)
    this.#cursor = row.id
  }

  /** Takes up what is left behind the cursor, before anything new. */
  async replay(rows: Iterable<Row>): Promise<void> {
    await this.take(rows)
    this.#stats.replayed_rows = this.#stats.rows
  }

  /** Milliseconds to wait where no more may come in, because what is here cannot be folded. */
  busy(): number | undefined {
    return this.#gathered >= fullAt ? retryAfter : undefined
  }

  get #gathered(): number {
    const { history, records } = this.#options
    return history.pending + eventWeight * records.unwritten
  }

  /** About once a second. */
  tick(): void {
    const { records } = this.#options
    this.#foldIfDue()
    if (records.hasNewFindings) this.#attempt('findings', () => records.writeFindings())
  }

  /** Folds what there is. Throws when that fails; nothing is lost by it. */
  flush(): void {
    const { history, records, judging, disks } = this.#options
    const begun = performance.now()
    history.fold(this.#cursor, () => {
      records.write()
      judging.write(this.#options.now())
      disks.write()
    })
    records.written()
    judging.written()
    disks.written()
    this.#rows = 0
    this.#stats.folds++
    this.#stats.fold_ms = performance.now() - begun
  }

  /** About once an hour: forgets records that are too old, and asks anew which series are taken. */
  tidy(): void {
    const { records, judging, disks, now, retention_age } = this.#options
    this.#attempt('records', () => {
      records.retain(now() - retention_age)
      judging.forget(now())
      disks.forget(now())
    })
    judging.settle(now())
    this.#reader.forget()
  }

  stats(): Readonly<FoldStats> {
    return this.#stats
  }

  #foldIfDue(): void {
    const { now } = this.#options
    const age = this.#rows === 0 ? 0 : now() - this.#rowsSince
    // A clock set back must not keep it from folding.
    if (this.#gathered < foldAt && this.#rows < foldAtRows && age >= 0 && age < foldAge) return
    this.#attempt('history', () => this.flush())
  }

  /** A write to history.db that fails is said once and tried again: the rows behind it are in the inbox. */
  #attempt(what: string, write: () => void): void {
    const { now } = this.#options
    if (Math.abs(now() - this.#failedAt) < refoldAfter) return
    try {
      write()
      this.#trouble(what, undefined)
    } catch (error) {
      this.#stats.failed_folds++
      this.#failedAt = now()
      this.#trouble(what, `cannot write to history.db, what waits is kept in the inbox: ${reason(error)}`)
    }
  }
}
