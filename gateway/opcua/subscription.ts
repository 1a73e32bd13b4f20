// One subscription, spoken without the library's own classes for it: a notification is acknowledged only when all of it
// is in the spool, so that what a crash interrupts is still the server's (OPC 10000-4, 5.14.5).

import type { DataValue, NodeId, StatusCode, Variant } from 'node-opcua-client'
import type { Draft } from './draft.ts'

/** What is to be watched, and who takes what comes of it. */
export interface Item {
  readonly nodeId: NodeId
  readonly attributeId: number
  readonly sampling: number
  readonly queue: number
  /** A DataChangeFilter or an EventFilter of the library. */
  readonly filter?: object
  value?(value: DataValue, draft: Draft): void
  event?(fields: readonly Variant[], draft: Draft): void
}

export interface Subscription {
  readonly id: number
  /** Creates items within the server's limits; the status of each, in order. */
  monitor(items: readonly Item[]): Promise<readonly StatusCode[]>
}
