// The contract of an uplink: whatever carries envelopes to where they are kept.

import type { Envelope } from '../core/envelope.ts'
import type { Say } from '../core/log.ts'
import type { Order, Outcome } from '../core/model.ts'
import type { Shape } from '../core/shape.ts'
import type { Keep } from './keep.ts'

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
  /** Hands a message to the broker, on a topic that is nobody else's; resolves when the broker has taken it. */
  publish?(topic: string, payload: Buffer, retain: boolean): Promise<void>
  close(): Promise<void>
}

/** Where orders that come over an uplink go. Their outcomes go home as events besides. */
export interface OrderDesk {
  /** A signed one, docs/orders.md, and the topic it came on. */
  signed(topic: string, message: Buffer): void
  /** One that the uplink's own protocol carries without our signature, such as a Sparkplug command. Never rejects. */
  order(order: Order): Promise<Outcome>
}

/** What every uplink is told of the edge it serves. */
export interface Identity {
  readonly node: string
  readonly spool: string
  /** What the collector should show of this edge: version, whether it is simulated, and the like. */
  readonly about?: Readonly<Record<string, string | number | boolean>>
  /** The decompressed bytes of a payload that was stored just now, if they are still at hand. */
  opened?(payload: Uint8Array): Uint8Array | undefined
  /** Absent where the configuration allows no orders. */
  readonly orders?: OrderDesk
  /** What this uplink remembers over restarts. */
  readonly keep?: Keep
  readonly say?: Say
}

export interface UplinkType<Options> {
  readonly name: string
  readonly options: Shape<Options>
  /** Its uplinks have `publish`: asked when a configuration is checked. */
  readonly publishes?: true
  open(options: Options, identity: Identity): Uplink
}
