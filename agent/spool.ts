// The spool: what a source was told is safe stays here until every far end has committed it.
// docs/spool.md describes the file, the rules and what happens when the disk fails.

import { mkdirSync } from 'node:fs'
import type { Envelope, Header } from '../core/envelope.ts'
import type { Say } from '../core/log.ts'
import type { Lane } from './spool/book.ts'
import { LiveSpool } from './spool/live.ts'
import { lockFolder } from './spool/lock.ts'
import { type Open, openFile } from './spool/tables.ts'
import type { Delivery } from './uplink.ts'

export { type Lane, lanes } from './spool/book.ts'
export { SpoolFull } from './spool/full.ts'

export interface SpoolOptions {
  /** Folder of spool.db; created if absent. */
  readonly folder: string
  readonly node: string
  /** Names of the uplinks; each has its own place. An uplink gone from the list no longer holds rows back. */
  readonly uplinks: readonly string[]
  /** Cap of payloads plus 100 bytes an envelope. The file takes up to a third more, and its log 4 MiB. */
  readonly max_bytes: number
  /** Milliseconds since the put; looked at once a minute. Not with `refuse`, which drops nothing. */
  readonly max_age: number
  readonly when_full: 'drop-oldest' | 'refuse'
  /** For how long, ms, and how many keys of each source's observations that may come again are remembered. */
  readonly once_age: number
  readonly once_most: number
  now(): number
  readonly say: Say
  /** The envelope that tells the far end of a gap; stored in the transaction that forgets the gap. Puts go on if it throws. */
  declare(gap: Gap): Parcel
}

export const causes = ['full', 'age', 'corrupt'] as const

/** Envelopes of one stream that were given up and will not be sent. */
export interface Gap {
  /** Empty where damage left nothing to tell it by. */
  readonly stream: string
  readonly cause: (typeof causes)[number]
  /** 0: it is not known how many. */
  readonly envelopes: number
  /** As far as known; damage may hide them. */
  readonly samples: number
  readonly events: number
  /** Of the oldest and the newest that is lost, or of what lies around it, ms since the epoch. */
  readonly from: number
  readonly to: number
}

export type Parcel = Omit<Header, 'node' | 'stream' | 'seq'> & {
  readonly lane: Lane
  readonly payload: Uint8Array
  /** Keys of observations that are in it, or in what is put together with it. */
  readonly once?: readonly string[]
}

/** An envelope that a far end will never take. */
export interface RefusedEnvelope {
  /** When it was refused, ms since the epoch. */
  readonly time: number
  readonly uplink: string
  readonly reason: string
  readonly stream: string
  readonly seq: number
  readonly samples: number
  readonly events: number
  readonly firstTime: number
  readonly lastTime: number
  readonly bytes: number
}

export interface Spool {
  /** Made with the file; survives salvage. */
  readonly id: string
  /**
   * Resolves after the fsync of the transaction that holds them all. Throws SpoolFull or the disk's error, and then none
   * is kept. The payloads must not change until then.
   */
  put(...parcels: readonly Parcel[]): Promise<void>
  /** Whether something was put under this key, as far back as keys are remembered. @throws the disk's error. */
  knows(key: string): boolean
  /**
   * What this uplink should send next, events first, then fresh metrics, then older streams within `backlogBytes`.
   * Empty: nothing waits, or the disk does not give it. Does not move the place.
   */
  take(uplink: string, maxBytes: number, backlogBytes: number): Envelope[]
  /** Moves the uplink's place, sets refused envelopes aside, drops rows that every uplink has passed. Never throws for the disk. */
  settle(uplink: string, delivery: Delivery): void
  /** New streams from the next put on: fresh data goes first, what waits drains behind it. */
  rotate(): void
  /** Resolves when something was put since the last `take` of this uplink, or when aborted. */
  waiting(uplink: string, signal: AbortSignal): Promise<void>
  /** Envelopes set aside, newest first; the newest 1,000 or 16 MiB are kept. */
  refused(limit: number): RefusedEnvelope[]
  stats(): SpoolStats
  /** Stores what was put, then closes. Safe twice. */
  close(): Promise<void>
}

export interface SpoolStats {
  /** Of what some uplink has not passed, as the cap counts it. */
  readonly bytes: number
  readonly envelopes: number
  /** When the oldest of them was put, ms since the epoch. */
  readonly oldest: number | undefined
  // Since the spool was opened:
  readonly put_samples: number
  readonly dropped_samples: number
  readonly dropped_events: number
  readonly dropped_envelopes: number
  readonly refused_envelopes: number
  readonly salvages: number
  /** Claims of a far end that cannot be true. */
  readonly protocol_errors: number
}

/**
 * `open` is the only way to the database; tests pass one that fails.
 * @throws Error that names the process which has the folder open already, or the disk's error.
 */
export async function openSpool(options: SpoolOptions, open: Open = openFile): Promise<Spool> {
  mkdirSync(options.folder, { recursive: true })
  const lock = lockFolder(options.folder, open, options.say)
  try {
    return new LiveSpool(options, open, lock)
  } catch (error) {
    lock.release()
    throw new Error(`spool: cannot open ${options.folder}`, { cause: error })
  }
}
