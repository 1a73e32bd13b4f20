// What rides on a source's session beside its values: alarms, the history of an outage, writes and calls.

import type { Act, Emit } from '../../agent/source.ts'
import type { Tracked } from './nodes.ts'
import type { Session } from './session.ts'
import type { Subscription } from './subscription.ts'

export interface Extra {
  /** Once, before the first connection: all configured nodes. Here what is remembered of them is given back. */
  starting?(nodes: readonly Tracked[]): void
  /** Each time a session stands, before anything is subscribed or read. `session.lost` aborts when it is over. */
  connected?(session: Session): Promise<void>
  /** Each time a new subscription stands: add items of your own to it. One that was transferred still has them. */
  subscribed?(session: Session, subscription: Subscription): Promise<void>
  /**
   * Once after connecting where values may be missing: the server was away, this daemon was, or the server's queues ran
   * over. Values go on meanwhile. A throw is said, and neither ends the session nor is it tried again before the next gap.
   */
  missed?(session: Session, gap: Gap, emit: Emit): Promise<void>
  /** Called when something has become safe in the spool; for what exactly, see `whenSafe` of a draft. */
  committed?(): void
  /** The source is told to stop, and all that it began is in the spool. */
  stopped?(): void
  /** What orders and rules may do. */
  readonly actions?: Readonly<Record<string, Act>>
}

/** Which nodes' values may be missing, and since when by the time of the last value of each that is safe in the spool. */
export interface Gap {
  readonly nodes: readonly {
    readonly node: Tracked
    readonly from: number
    /** Source time of the first value that came by itself after the gap: it is told already. `to` where none came. */
    readonly until: number
  }[]
  /** By the gateway's clock, ms since the epoch. */
  readonly to: number
}
