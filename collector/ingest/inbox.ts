// The inbox: where the collector takes responsibility. A promise of `offer` or `take` resolves after the COMMIT that
// holds the bytes and the stream's watermark together, and only then are the rows handed on; whatever was answered for
// is therefore either in history or still here. All that is offered in one turn of the loop is one transaction, and the
// next one begins when the rows of the last are taken up: that is the back-pressure.
//
// Per stream: at or below the watermark is a duplicate; the first after what the edge still holds is committed, and
// what was skipped was given up by the edge; anything later is sent back to the watermark. docs/wire.md tells the rules.

import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import SQLite from 'better-sqlite3'
import { reason } from '../../core/errors.ts'
import { type Say, type Trouble, troubles } from '../../core/log.ts'
import type { Accept } from '../../core/receipt.ts'
import { type Outcome, placeEnvelope, placeParcel, type Rule } from './inbox-place.ts'
import { isDamage, type Open, openStore, salvage } from './inbox-salvage.ts'
import type { InboxStore, Mark, Parcel, Row } from './inbox-store.ts'

export type { Mark, Parcel, Row } from './inbox-store.ts'

export interface InboxOptions {
  /** Holds inbox.db; must exist. */
  readonly folder: string
  readonly say: Say
  now(): number
  /** Whether what comes next in its stream is taken. */
  readonly rule: Rule
  /** History's cursor: the id of the last row that need not be kept. */
  folded(): number
  /** The watermarks as of history's cursor, in case this file lost its own. */
  marks(): Iterable<Mark>
  /** Takes up committed rows in id order; must not throw. */
  ready(rows: readonly Row[]): Promise<void>
  /** The one seam for faults in tests. */
  readonly open?: Open
}

export interface InboxStats {
  committed_envelopes: number
  committed_samples: number
  committed_events: number
  duplicate_envelopes: number
  resend_envelopes: number
  refused_envelopes: number
  held_envelopes: number
  /** Seqs that edges gave up. */
  lost_envelopes: number
  failed_commits: number
  salvages: number
}

/** Watermarks of streams idle for so long are dropped. */
const idleStream = 60 * 86_400_000
const pruneEvery = 3_600_000
/** Ids whose rows one transaction deletes, and what one transaction takes in. */
const deletedAtOnce = 2048
const commitAtOnce = 4096

/** An offer, and what to do with its answer. */
interface Waiting {
  place(store: InboxStore, now: number): Outcome
  resolve(outcome: Outcome): void
  reject(error: unknown): void
}

export function openInbox(options: InboxOptions): Inbox {
  return new Inbox(options)
}

export class Inbox {
  readonly #options: InboxOptions
  readonly #open: Open
  readonly #file: string
  readonly #trouble: Trouble
  readonly #stats: InboxStats = {
    committed_envelopes: 0,
    committed_samples: 0,
    committed_events: 0,
    duplicate_envelopes: 0,
    resend_envelopes: 0,
    refused_envelopes: 0,
    held_envelopes: 0,
    lost_envelopes: 0,
    failed_commits: 0,
    salvages: 0,
  }
  #store: InboxStore
  /** What SQLite said when the file turned out to be damaged; it is replaced before the next commit. */
  #damage: unknown
  #queue: Waiting[] = []
  #running: Promise<void> | undefined
  #closed = false
  #lastId = 0
  /** Rows up to here are deleted. */
  #deleted = 0
  #pruned = 0

  constructor(options: InboxOptions) {
    this.#options = options
    this.#open = options.open ?? (file => new SQLite(file))
    this.#file = join(options.folder, 'inbox.db')
    this.#trouble = troubles(options.say)
    const { store, salvaged } = openStore(this.#opening())
    this.#store = store
    if (salvaged) this.#stats.salvages++
    try {
      this.#prepare(options.marks())
    } catch (error) {
      store.close()
      throw error
    }
  }

  /** Takes a sealed envelope; its receipt follows the commit. Rejects when nothing was committed. */
  readonly offer: Accept = envelope =>
    new Promise((resolve, reject) => {
      this.#enqueue({
        place: (store, now) => placeEnvelope(store, envelope, this.#options.rule, now),
        resolve: outcome => resolve(outcome.receipt!),
        reject,
      })
    })

  /**
   * Takes what has no place in a stream; sent twice, it is stored twice.
   * Rejects with Refused for ever, with Busy for now, and with the disk's error when nothing was committed.
   */
  take(parcel: Parcel): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#enqueue({
        place: (store, now) => placeParcel(store, parcel, this.#options.rule, now),
        resolve: outcome => (outcome.error === undefined ? resolve() : reject(outcome.error)),
        reject,
      })
    })
  }

  /** Committed rows after an id: what a crash left to do. Rows that no longer match their seal are said and left out. */
  *after(id: number): Generator<Row> {
    let damaged = 0
    for (const row of this.#store.after(id)) {
      if (row === undefined) damaged++
      else yield row
    }
    if (damaged > 0) this.#options.say('error', 'inbox: rows do not match their seal and are lost', { rows: damaged })
  }

  stats(): Readonly<InboxStats> {
    return this.#stats
  }

  /** Ends after what was offered is answered; later offers are rejected. Safe twice. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#running
    this.#store.close()
  }

  #opening() {
    const { now, say } = this.#options
    return { file: this.#file, open: this.#open, now: now(), say }
  }

  #prepare(marks: Iterable<Mark>): void {
    const store = this.#store
    store.transaction(() => {
      for (const { node, stream, watermark, seen } of marks) store.advance(node, stream, watermark, seen)
      store.startAfter(Math.max(this.#options.folded(), this.#lastId))
    })
    this.#deleted = (store.oldest() ?? this.#options.folded() + 1) - 1
  }

  #enqueue(waiting: Waiting): void {
    if (this.#closed) {
      waiting.reject(new Error('inbox: closed'))
      return
    }
    this.#queue.push(waiting)
    this.#running ??= this.#work()
  }

  async #work(): Promise<void> {
    await turn()
    while (this.#queue.length > 0) {
      const rows = this.#commit(this.#queue.splice(0, commitAtOnce))
      await turn()
      if (rows.length > 0) await this.#options.ready(rows)
    }
    this.#running = undefined
  }

  /** One transaction; answers everyone in it and returns the rows it added. */
  #commit(batch: readonly Waiting[]): readonly Row[] {
    let outcomes: readonly Outcome[]
    try {
      if (this.#damage !== undefined) this.#replace(this.#damage)
      outcomes = this.#store.transaction(() => this.#placeAll(batch))
    } catch (cause) {
      this.#failed(batch, cause)
      return []
    }
    this.#trouble('inbox', undefined)
    for (const [n, outcome] of outcomes.entries()) {
      this.#count(outcome)
      batch[n]!.resolve(outcome)
    }
    const rows = outcomes.flatMap(o => o.row ?? [])
    this.#lastId = rows.at(-1)?.id ?? this.#lastId
    return rows
  }

  #placeAll(batch: readonly Waiting[]): readonly Outcome[] {
    const now = this.#options.now()
    this.#tidy(now)
    return batch.map(waiting => waiting.place(this.#store, now))
  }

  #failed(batch: readonly Waiting[], cause: unknown): void {
    this.#stats.failed_commits++
    const error = new Error(`inbox: cannot commit to ${this.#file}`, { cause })
    for (const waiting of batch) waiting.reject(error)
    if (isDamage(cause)) this.#damage = cause
    else this.#trouble('inbox', `cannot commit to ${this.#file}, nothing is taken until it can: ${reason(cause)}`)
  }

  /** Everything handed on is in memory already, so rows that cannot be read hurt only in a crash before the next fold. */
  #replace(damage: unknown): void {
    this.#store.close()
    this.#store = salvage(this.#opening(), damage)
    this.#damage = undefined
    this.#stats.salvages++
    this.#prepare(this.#options.marks())
  }

  /** Deleting rides on a transaction that is needed anyway. */
  #tidy(now: number): void {
    const folded = Math.min(this.#options.folded(), this.#deleted + deletedAtOnce)
    if (folded > this.#deleted) {
      this.#store.deleteTo(folded)
      this.#deleted = folded
    }
    if (now - this.#pruned < pruneEvery) return
    this.#store.pruneStreams(now - idleStream)
    this.#pruned = now
  }

  #count({ counted, row }: Outcome): void {
    const stats = this.#stats
    stats[`${counted}_envelopes`]++
    if (row === undefined) return
    stats.lost_envelopes += row.lost
    if (counted !== 'committed') return
    stats.committed_samples += row.samples
    stats.committed_events += row.events
  }
}
