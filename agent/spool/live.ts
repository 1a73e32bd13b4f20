// The spool at work: group commit, waking who waits, and going on when the disk fails or the file is damaged.

import type { Envelope } from '../../core/envelope.ts'
import { Refused, reason } from '../../core/errors.ts'
import type { Parcel, RefusedEnvelope, Spool, SpoolOptions, SpoolStats } from '../spool.ts'
import type { Delivery } from '../uplink.ts'
import { keyOf, lanes } from './book.ts'
import { hasCode } from './damage.ts'
import { SpoolFull } from './full.ts'
import type { Lock } from './lock.ts'
import { Mender } from './mend.ts'
import { listRefused } from './refused.ts'
import { raiseFloors, settle } from './settle.ts'
import type { State } from './state.ts'
import { type Open, rowOverhead } from './tables.ts'
import { take } from './take.ts'
import { isOwing, write } from './write.ts'

/** How long what was drained may stay in the file when no put takes it along, ms. */
const debtPause = 2000

interface Waiting {
  readonly parcels: readonly Parcel[]
  resolve(): void
  reject(error: unknown): void
}

export class LiveSpool implements Spool {
  readonly id: string
  readonly #options: SpoolOptions
  readonly #lock: Lock
  readonly #mender: Mender
  #group: Waiting[] = []
  #groupBytes = 0
  #debts: NodeJS.Timeout | undefined
  /** Counts commits; an uplink that took at an earlier count has something to take. */
  #version = 0
  readonly #taken = new Map<string, number>()
  readonly #waiters = new Set<() => void>()
  readonly #troubles = new Set<string>()
  #closed = false

  constructor(options: SpoolOptions, open: Open, lock: Lock) {
    this.#options = options
    this.#lock = lock
    this.#mender = new Mender(options, open)
    this.id = this.#state.tables.id
    this.#payLater()
  }

  get #state(): State {
    return this.#mender.state
  }

  put(...parcels: readonly Parcel[]): Promise<void> {
    const refusal = this.#refusal(parcels)
    if (refusal !== undefined) return Promise.reject(refusal)
    this.#groupBytes += sizeOf(parcels)
    return new Promise((resolve, reject) => {
      this.#group.push({ parcels, resolve, reject })
      if (this.#group.length === 1) queueMicrotask(() => this.#commit())
    })
  }

  #refusal(parcels: readonly Parcel[]): Error | undefined {
    const { max_bytes, when_full } = this.#options
    if (this.#closed) return new Error('spool: closed')
    if (!parcels.every(isValid)) return new Refused('spool: times and counts must be whole numbers from 0')
    const size = sizeOf(parcels)
    if (size > max_bytes) return new SpoolFull(`spool: ${size} bytes do not fit into the cap of ${max_bytes}`)
    const held = this.#state.book.bytes + this.#groupBytes
    if (when_full === 'drop-oldest' || held + size <= max_bytes) return undefined
    return new SpoolFull(`spool: full, ${held} of ${max_bytes} bytes wait to be sent`)
  }

  /** Everything put at one moment, before anything else happens, is one transaction, one fsync. */
  #commit(): void {
    const group = this.#group
    this.#group = []
    this.#groupBytes = 0
    if (group.length === 0) return
    try {
      this.#write(group.flatMap(({ parcels }) => parcels))
      for (const { resolve } of group) resolve()
    } catch (cause) {
      const error = new Error('spool: cannot store', { cause })
      for (const { reject } of group) reject(error)
    }
  }

  #write(parcels: readonly Parcel[]): void {
    try {
      this.#mender.heal(() => this.#attempt(parcels))
    } catch (error) {
      this.#fails('store', error)
      throw error
    } finally {
      // A put takes the debts along, so their pause begins anew.
      this.#forgetDebts()
      this.#payLater()
    }
    this.#works('store')
    this.#wake()
  }

  #attempt(parcels: readonly Parcel[]): void {
    raiseFloors(this.#state)
    try {
      write(this.#state, parcels)
    } catch (error) {
      if (!hasCode(error, 'SQLITE_FULL') || !this.#mender.makeRoom()) throw error
      write(this.#state, parcels)
    }
  }

  knows(key: string): boolean {
    return this.#mender.heal(() => this.#state.tables.once.has(key))
  }

  take(uplink: string, maxBytes: number, backlogBytes: number): Envelope[] {
    this.#taken.set(uplink, this.#version)
    return this.#reading([], () => take(this.#state, uplink, maxBytes, backlogBytes))
  }

  settle(uplink: string, delivery: Delivery): void {
    settle(this.#state, uplink, delivery)
    this.#reading(undefined, () => raiseFloors(this.#state))
    this.#payLater()
  }

  refused(limit: number): RefusedEnvelope[] {
    this.#payDebts()
    return this.#reading([], () => listRefused(this.#state.tables.db, limit))
  }

  stats(): SpoolStats {
    const { bytes, envelopes } = this.#state.book
    return { bytes, envelopes, oldest: this.#reading(undefined, () => this.#oldest()), ...this.#state.counts }
  }

  #oldest(): number | undefined {
    const { book, tables } = this.#state
    const times = lanes.flatMap(lane => {
      const stream = book.waiting(lane).next().value
      const row = stream && tables.oldest.get(keyOf(stream, stream.floor), keyOf(stream, stream.last))
      return row === undefined ? [] : [row.put_time]
    })
    return times.length === 0 ? undefined : Math.min(...times)
  }

  /** A disk that does not read is said once; what waits stays where it is. */
  #reading<T>(otherwise: T, work: () => T): T {
    if (this.#closed) return otherwise
    try {
      const value = this.#mender.heal(work)
      this.#works('read')
      return value
    } catch (error) {
      this.#fails('read', error)
      return otherwise
    }
  }

  rotate(): void {
    const { book } = this.#state
    for (const stream of Object.values(book.current)) stream.owing = true
    book.current = {}
    this.#payLater()
  }

  async waiting(uplink: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted || (!this.#closed && (this.#taken.get(uplink) ?? -1) < this.#version)) return
    await new Promise<void>(resolve => {
      const done = (): void => {
        signal.removeEventListener('abort', done)
        this.#waiters.delete(done)
        resolve()
      }
      this.#waiters.add(done)
      signal.addEventListener('abort', done)
    })
  }

  #wake(): void {
    this.#version++
    for (const done of [...this.#waiters]) done()
  }

  #payLater(): void {
    if (this.#closed || this.#debts !== undefined) return
    if (!isOwing(this.#state) && !this.#state.gaps.pending) return
    this.#debts = setTimeout(() => this.#payDebts(), debtPause).unref()
  }

  #forgetDebts(): void {
    clearTimeout(this.#debts)
    this.#debts = undefined
  }

  #payDebts(): void {
    this.#forgetDebts()
    try {
      if (!this.#closed && isOwing(this.#state)) this.#write([])
    } catch {
      // Said by #write; the debts stay for the next one.
    }
    this.#payLater()
  }

  #fails(what: string, error: unknown): void {
    if (this.#troubles.has(what)) return
    this.#troubles.add(what)
    this.#options.say('error', `spool: cannot ${what}: ${reason(error)}`)
  }

  #works(what: string): void {
    if (this.#troubles.delete(what)) this.#options.say('info', `spool: can ${what} again`)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#commit()
    this.#payDebts()
    this.#closed = true
    clearTimeout(this.#debts)
    this.#mender.close()
    this.#lock.release()
    this.#wake()
  }
}

function sizeOf(parcels: readonly Parcel[]): number {
  return parcels.reduce((sum, { payload }) => sum + payload.length + rowOverhead, 0)
}

function isValid({ firstTime, lastTime, samples, events }: Parcel): boolean {
  return [firstTime, lastTime, samples, events].every(value => Number.isSafeInteger(value) && value >= 0)
}
