// (contract; the helper who writes the spool replaces this file and keeps the names)
import type { Envelope, Header } from '../core/envelope.ts'
import type { Delivery } from './uplink.ts'

export const lanes = ['events', 'metrics'] as const
export type Lane = (typeof lanes)[number]

export interface SpoolOptions {
  /** Folder of spool.db; created if absent. */
  readonly folder: string
  readonly node: string
  /** Names of the uplinks; each has its own place. An uplink gone from the list no longer holds rows back. */
  readonly uplinks: readonly string[]
  readonly max_bytes: number
  readonly max_age: number
  readonly when_full: 'drop-oldest' | 'refuse'
  now(): number
}

export type Parcel = Omit<Header, 'node' | 'stream' | 'seq'> & { readonly lane: Lane; readonly payload: Uint8Array }

export interface Spool {
  readonly id: string
  /** Resolves after the fsync of the transaction that holds it. Throws SpoolFull (refuse) or the disk's error. */
  put(parcel: Parcel): Promise<void>
  /** What this uplink should send next, events first, then fresh metrics, then older streams within `backlog` bytes. Empty: nothing waits. */
  take(uplink: string, maxBytes: number, backlogBytes: number): Envelope[]
  /** Moves the uplink's place, sets refused envelopes aside, drops rows that every uplink has passed. */
  settle(uplink: string, delivery: Delivery): void
  /** New streams from the next put on: fresh data goes first, what waits drains behind it. */
  rotate(): void
  /** Resolves when something was put since the last `take` of this uplink, or when aborted. */
  waiting(uplink: string, signal: AbortSignal): Promise<void>
  stats(): SpoolStats
  close(): Promise<void>
}

export interface SpoolStats {
  readonly bytes: number
  readonly envelopes: number
  readonly oldest: number | undefined
  readonly put_samples: number
  readonly dropped_samples: number
  readonly dropped_envelopes: number
  readonly refused_envelopes: number
  readonly salvages: number
}
