// The configured nodes, and what is known of each while the gateway runs.

import type { DataValue, NodeId } from 'node-opcua-client'
import type { Draft } from './draft.ts'
import type { NodeOptions } from './options.ts'

export interface Tracked {
  readonly options: NodeOptions
  /** Undefined while the server has no such namespace. */
  nodeId: NodeId | undefined
  /** Source time of the latest value that is safe in the spool, ms; 0 before the first. */
  latest: number
  /** Turns a value of the node into samples and events. */
  take(value: DataValue, draft: Draft): void
}
