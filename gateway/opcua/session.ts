// One connection to a server: secure channel and session. It is made once and never mended: when it is lost a new one is
// made, and the library's own repair of connections, which hides what was lost meanwhile, stays off.

import type {
  ClientSession,
  ClientSessionPublishService,
  ClientSessionRawSubscriptionService,
  NodeId,
  OPCUAClient,
} from 'node-opcua-client'
import { Refused, reason } from '../../core/errors.ts'
import { type Client, openClient } from './client.ts'
import type { Library } from './library.ts'
import type { OpcUaOptions } from './options.ts'
import { within } from './patience.ts'
import { watchServer } from './watch.ts'

export type SessionOptions = Pick<OpcUaOptions, 'url' | 'security' | 'user' | 'timeout' | 'keep_alive' | 'limits'>

/** The library's session, with the services of subscriptions, which it has and types apart. */
export type RawSession = ClientSession & ClientSessionPublishService & ClientSessionRawSubscriptionService

export interface Place {
  /** Of certificates. */
  readonly folder: string
  now(): number
}

export interface Session {
  readonly library: Library
  readonly client: RawSession
  readonly limits: OperationLimits
  /** The node id that a configuration names, with `nsu=` resolved by this server. @throws Refused for an unknown namespace. */
  nodeId(text: string): NodeId
  /** The other way round: `nsu=URI;s=Tank.Level`, without the namespace where it is the standard's own. */
  nameOf(nodeId: NodeId): string
  /** When the server started, ms by its own clock; undefined where it does not say. */
  readonly startedAt: number | undefined
  /** Asks the server anew for its namespaces. */
  refresh(): Promise<void>
  /** How far the server's clock is ahead of the gateway's, ms. */
  skew(): number
  /** Aborts when the connection is lost or closed; its reason says why. */
  readonly lost: AbortSignal
  /** Whoever finds that the session is of no use any more ends it. */
  lose(why: string): void
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

const mostAtOnce = 1000
/** ms that a farewell may take. */
const farewell = 1000
/** OPC 10000-6, Annex A: the node ids of namespace 0. */
const ids = {
  namespaceArray: 2255,
  startTime: 2257,
  read: 11_705,
  monitor: 11_714,
  historyRead: 12_165,
  write: 11_707,
  call: 11_709,
}

/** @throws Refused where certificates or the login forbid it; any other error may pass. */
export async function connect(options: SessionOptions, at: Place, signal: AbortSignal): Promise<Session> {
  const opened = await openClient(options, at.folder, signal)
  try {
    return await standing(opened, options, at.now, signal)
  } catch (error) {
    await leave(opened.client)
    throw error
  }
}

async function standing(
  { library, client, user }: Client,
  options: SessionOptions,
  now: () => number,
  signal: AbortSignal,
): Promise<Session> {
  const { url, timeout } = options
  const over = new AbortController()
  const lose = (why: string): void => over.abort(new Error(why))
  const session = await within(timeout, `logging in at ${url}`, client.createSession(user), signal)
  client.once('close', error => lose(`connection to ${url} is lost${error ? `: ${error.message}` : ''}`))
  session.on('session_closed', status => lose(`the server closed the session: ${status.name}`))
  const ask = (nodes: readonly number[]) => {
    const read = nodes.map(id => ({ nodeId: library.coerceNodeId(id, 0), attributeId: library.AttributeIds.Value }))
    return within(timeout, `asking ${url}`, session.read(read, 0), over.signal)
  }
  const [first, start, ...most] = await ask(Object.values(ids))
  let namespaces = texts(first?.value?.value)
  const [read, monitor, historyRead, write, call] = most.map(one => limit(one.value?.value)) as number[]
  const watch = await watchServer({ ...options, now }, library, session, lose, over.signal)
  return {
    library,
    client: session as RawSession,
    startedAt: start?.value?.value instanceof Date ? start.value.value.getTime() : undefined,
    limits: { read: read!, monitor: monitor!, historyRead: historyRead!, write: write!, call: call! },
    nodeId: text => resolve(library, text, namespaces),
    nameOf: nodeId => nameOf(nodeId, namespaces),
    refresh: async () => {
      namespaces = texts((await ask([ids.namespaceArray]))[0]?.value?.value)
    },
    skew: watch.skew,
    lost: over.signal,
    lose,
    close: async keepSubscriptions => {
      const wasLost = over.signal.aborted
      lose('closed')
      if (!wasLost) await within(farewell, 'closing', session.close(!keepSubscriptions)).catch(() => {})
      await leave(client)
    },
  }
}

async function leave(client: OPCUAClient): Promise<void> {
  await within(farewell, 'leaving', client.disconnect()).catch(() => {})
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : []
}

/** 0 is no limit. */
function limit(value: unknown): number {
  return typeof value === 'number' && value > 0 ? Math.min(value, mostAtOnce) : mostAtOnce
}

function resolve(library: Library, text: string, namespaces: readonly string[]): NodeId {
  const m = /^nsu=([^;]+);(.*)$/s.exec(text)
  const index = m ? namespaces.indexOf(m[1]!) : 0
  if (index < 0) throw new Refused(`the server has no namespace ${m![1]}`)
  try {
    return library.coerceNodeId(m ? `ns=${index};${m[2]}` : text)
  } catch (cause) {
    throw new Refused(`${text} is no node id: ${reason(cause)}`, { cause })
  }
}

function nameOf(nodeId: NodeId, namespaces: readonly string[]): string {
  const text = nodeId.toString().replace(/^ns=\d+;/, '')
  const uri = namespaces[nodeId.namespace]
  return nodeId.namespace === 0 || uri === undefined ? text : `nsu=${uri};${text}`
}
