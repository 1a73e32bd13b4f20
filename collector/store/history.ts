// The collector's history: every sample of every series, in history.db beside the records of what happened.
//
// Constraints
// - One process writes, one connection; a second process that opens the file is refused.
// - What is appended lives in memory until `fold`, which commits it with the cursor of the inbox in one transaction.
//   Whoever appends can therefore append again after a crash everything behind the cursor, and nothing is kept twice.
// - A sample may come late, twice, or with a clock that stepped: all are kept, and a query gives them in time order.
//
// Format: docs/history.md. Behaviour in short: heads -fold-> fresh chunks -compact-> one chunk a series and hour
// (with minutes where dense) -retain-> gone by whole hours.

import type { Database } from 'better-sqlite3'
import type { Say } from '../../core/log.ts'
import type { Series } from '../../core/model.ts'
import { Chunks } from './chunks.ts'
import { Compactor } from './compact.ts'
import { Damage } from './damage.ts'
import { Folder } from './fold.ts'
import { isCorruption, openHistoryFile, suspect } from './open.ts'
import { type Answer, queryBuckets, readRange, type Window } from './query.ts'
import { Reader } from './reader.ts'
import { type Cut, type Limits, Retention } from './retention.ts'
import type { Ref, Registry, Selector, SeriesRef } from './series.ts'
import { SeriesTable } from './series-table.ts'

export type { Columns } from './buckets.ts'
export type { Answer, Window } from './query.ts'
export type { Limits } from './retention.ts'
export type { Ref, Selector } from './series.ts'

export interface HistoryOptions {
  /** Folder of history.db; created if absent. */
  readonly folder: string
  /** The statements that make the tables of others in the same file. */
  readonly others?: readonly string[]
  readonly say: Say
  /** The file turned out to be damaged: it is to be closed and opened again, which salvages it. Told once. */
  readonly onDamage?: () => void
  /** The collector's clock, ms since the epoch. */
  now(): number
}

export interface HistoryStats {
  readonly series: number
  readonly pending: number
  /** Bytes of history.db in use, and on disk. */
  readonly bytes: number
  /** Damaged parts of chunks met and left out. */
  readonly damaged: number
  /** Samples and series that retention deleted since the start. */
  readonly retired_samples: number
  readonly retired_series: number
  /** 1 where this start had to salvage a corrupt file. */
  readonly salvages: number
}

/** Times of samples, ms since the epoch: as far as a Date reaches. */
const latest = 8.64e15

export class History {
  readonly db: Database
  readonly #path: string
  readonly #say: Say
  readonly #now: () => number
  readonly #onDamage: () => void
  readonly #registry: Registry
  readonly #table: SeriesTable
  readonly #chunks: Chunks
  readonly #damage: Damage
  readonly #reader: Reader
  readonly #folder: Folder
  readonly #compactor: Compactor
  readonly #retention: Retention
  readonly #salvages: number
  #dirty: SeriesRef[] = []
  #pending = 0
  #pendingSince = 0
  #cursor: number
  #retiredSamples = 0
  #retiredSeries = 0

  constructor({ folder, others = [], say, now, onDamage = () => {} }: HistoryOptions) {
    const { db, path, salvaged } = openHistoryFile(folder, others, say, now)
    this.db = db
    this.#path = path
    this.#say = say
    this.#now = now
    this.#salvages = salvaged ? 1 : 0
    this.#table = new SeriesTable(db)
    this.#onDamage = onDamage
    const { registry, damaged } = this.#table.load()
    this.#registry = registry
    this.#cursor = this.#table.get('cursor')
    this.#chunks = new Chunks(db)
    this.#damage = new Damage(say)
    this.#reader = new Reader(this.#chunks, this.#damage)
    this.#folder = new Folder(this.#chunks)
    this.#compactor = new Compactor(this.#chunks, this.#registry, this.#reader, this.#table)
    this.#retention = new Retention(db, this.#registry, this.#table)
    if (damaged.length > 0) this.#giveUp(damaged)
  }

  /** Samples appended and not yet folded. */
  get pending(): number {
    return this.#pending
  }

  /** How long the oldest pending sample has been waiting for a fold, ms; 0 if none is. */
  get pendingAge(): number {
    return this.#pending === 0 ? 0 : this.#now() - this.#pendingSince
  }

  /** What the last fold was told: the id of the last inbox row it covers; 0 at first. */
  get cursor(): number {
    return this.#cursor
  }

  /** Finds or creates the series of this node, name, unit, kind and attributes. */
  ref(node: string, series: Series): Ref {
    return this.#registry.ref(node, series)
  }

  /** The series with this id, as long as it has samples. */
  byId(id: number): Ref | undefined {
    return this.#registry.get(id)
  }

  /** Every series that the selector matches, up to its limit. */
  find(selector: Selector): Ref[] {
    return this.#registry.find(selector)
  }

  /** Into memory; `time` in ms since the epoch is taken down to whole ms. Throws RangeError on what is no time or not finite. */
  append(ref: Ref, time: number, value: number): void {
    const into = ref as SeriesRef
    if (!(time >= 0 && time <= latest) || value - value !== 0) throw new RangeError(`history: ${value} at ${time}`)
    if (into.used === 0) this.#appendFirst(into, time, value)
    else this.#put(into, time, value)
  }

  #appendFirst(ref: SeriesRef, time: number, value: number): void {
    const into = ref.listed ? ref : this.#registry.relist(ref)
    if (this.#pending === 0) this.#pendingSince = this.#now()
    if (into.used === 0) this.#dirty.push(into)
    this.#put(into, time, value)
  }

  #put(ref: SeriesRef, time: number, value: number): void {
    const { used } = ref
    if (used === ref.head.length) ref.grow()
    const whole = Math.floor(time)
    ref.head[used] = whole
    ref.head[used + 1] = value
    ref.used = used + 2
    ref.count++
    if (whole > ref.lastTime) ref.lastTime = whole
    if (whole < ref.firstTime) ref.firstTime = whole
    this.#pending++
  }

  /**
   * Commits all that is pending, the cursor, and what `within` writes, in one transaction. When this throws (a full
   * disk, or `within` did), everything is as before, in memory too: fold again later.
   */
  fold(cursor: number, within: (db: Database) => void): void {
    this.#write(() => {
      for (const ref of this.#dirty) this.#foldOne(ref)
      this.#table.set('cursor', cursor)
      this.#table.set('next_series', this.#registry.nextId)
      within(this.db)
    })
    for (const ref of this.#dirty) ref.clear()
    this.#dirty = []
    this.#pending = 0
    this.#cursor = cursor
  }

  #foldOne(ref: SeriesRef): void {
    if (!ref.stored) this.#table.add(ref)
    this.#folder.fold(ref)
    this.#table.save(ref)
  }

  /** Every sample of [from, to), in time order; those of the same time in the order in which they came. */
  range(ref: Ref, from: number, to: number): { times: Float64Array; values: Float64Array } {
    return this.guard(() => readRange(this.#reader, ref as SeriesRef, from, to))
  }

  /** Down-samples; see Grid for the buckets, which are at most as many as asked for, and Columns for what is in them. */
  query(refs: readonly Ref[], window: Window): Answer {
    return this.guard(() => queryBuckets(this.#reader, refs as readonly SeriesRef[], window))
  }

  /** Compacts past hours until about `budget` samples were read; returns how many, 0 when there is nothing to do. */
  compact(budget: number): number {
    return this.#write(() => this.#compactor.run(this.#now(), budget))
  }

  /** Deletes one slice of what is beyond the limits; true: there is more, call again soon. */
  retain(limits: Limits): boolean {
    const { cuts, more } = this.#write(() => this.#retention.run(this.#now(), limits))
    for (const cut of cuts) this.#retire(cut)
    this.guard(() => this.#retention.vacuum())
    return more
  }

  #retire({ ref, samples, first }: Cut): void {
    ref.count -= samples
    ref.keptFirst = first
    ref.firstTime = Math.min(first, ref.headFirst())
    this.#retiredSamples += samples
    if (first !== Number.POSITIVE_INFINITY) return
    ref.stored = false
    if (ref.used > 0) return
    this.#registry.remove(ref)
    this.#retiredSeries++
  }

  stats(): HistoryStats {
    return {
      series: this.#registry.size,
      pending: this.#pending,
      bytes: this.#retention.bytes(),
      damaged: this.#damage.parts,
      retired_samples: this.#retiredSamples,
      retired_series: this.#retiredSeries,
      salvages: this.#salvages,
    }
  }

  /** Closes the file; what is pending is lost to it, and comes again from behind the cursor. Safe twice. */
  close(): void {
    this.db.close()
  }

  #write<T>(work: () => T): T {
    try {
      return this.guard(() => this.db.transaction(work).immediate())
    } catch (error) {
      this.#compactor.reset()
      throw error
    }
  }

  /** Runs `work` on the file; where SQLite finds it corrupt, marks it for salvage and asks to be opened again. */
  guard<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      if (isCorruption(error) && suspect(this.#path, this.#say)) this.#onDamage()
      throw error
    }
  }

  /** As `guard`; undefined where the file is corrupt, for what can do without until it is opened again. */
  spare<T>(work: () => T): T | undefined {
    try {
      return this.guard(work)
    } catch (error) {
      if (isCorruption(error)) return undefined
      throw error
    }
  }

  /** Nobody can tell any more whose samples these are. */
  #giveUp(series: readonly number[]): void {
    const { n } = this.db
      .prepare<[string], { n: number }>(
        'SELECT total(count) AS n FROM chunk WHERE series IN (SELECT value FROM json_each(?))',
      )
      .get(JSON.stringify(series))!
    this.#write(() => {
      for (const id of series) {
        this.#chunks.forget(id)
        this.#table.remove(id)
      }
    })
    this.#say('error', 'history: series that no longer read as they were written are lost, with their samples', {
      series: series.length,
      samples: n,
    })
  }
}

export function openHistory(options: HistoryOptions): History {
  return new History(options)
}
