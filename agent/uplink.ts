// The contract of an uplink: whatever carries envelopes to where they are kept.

import type { Envelope } from '../core/envelope.ts'
import type { Shape } from '../core/shape.ts'

/** What the far end has committed, and what it will never take. */
export interface Delivery {
  /** Per stream the highest seq the far end has committed; it may be below or above what was sent. */
  readonly committed: ReadonlyMap<string, number>
  readonly refused: readonly Refusal[]
}

export interface Refusal {
  readonly stream: string
  readonly seq: number
  readonly reason: string
}

export interface Uplink {
  /**
   * Carries a batch in order and resolves on the far end's commit of all of it, or as soon as the far end says that it
   * cannot go on from here (the delivery then says how far it got). Throws when nothing is known: the caller still owns
   * the batch and sends it again. One call at a time.
   */
  send(batch: readonly Envelope[], signal: AbortSignal): Promise<Delivery>
  close(): Promise<void>
}

/** What every uplink is told of the edge it serves. */
export interface Identity {
  readonly node: string
  readonly spool: string
  /** What the collector should show of this edge: version, whether it is simulated, and the like. */
  readonly about?: Readonly<Record<string, string | number | boolean>>
  /** The decompressed bytes of a payload that was stored just now, if they are still at hand. */
  opened?(payload: Uint8Array): Uint8Array | undefined
}

export interface UplinkType<Options> {
  readonly name: string
  readonly options: Shape<Options>
  open(options: Options, identity: Identity): Uplink
}
