// One connection to a server: secure channel and session. It is made once and never mended: when it is lost, a new one
// is made, and the library's own repair of connections stays off.

import type { ClientSession, NodeId } from 'node-opcua-client'
import type { Library } from './library.ts'

export interface Session {
  readonly library: Library
  readonly client: ClientSession
  readonly limits: OperationLimits
  /** The node id that a configuration names, with `nsu=` resolved by this server. @throws Refused for an unknown namespace. */
  nodeId(text: string): NodeId
  /** The other way round: `nsu=URI;s=Tank.Level`, without the namespace where it is the standard's own. */
  nameOf(nodeId: NodeId): string
  /** Aborts when the connection is lost or closed; its reason says why. */
  readonly lost: AbortSignal
  /** Ends it and gives everything back. Never throws, and never waits for a server that does not answer. */
  close(keepSubscriptions: boolean): Promise<void>
}

/** How much the server takes in one request (OPC 10000-5, 6.3.11), bounded by what this client asks at most. */
export interface OperationLimits {
  readonly read: number
  readonly monitor: number
  readonly historyRead: number
  readonly write: number
  readonly call: number
}
