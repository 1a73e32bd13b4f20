// Asks the server every few seconds for its state and its clock: whether the link still carries answers is otherwise only
// known when a value changes, and a cut cable says nothing.

import { setTimeout as delay } from 'node:timers/promises'
import type { ClientSession } from 'node-opcua-client'
import { reason } from '../../core/errors.ts'
import type { Library } from './library.ts'
import { within } from './patience.ts'
import type { SessionOptions } from './session.ts'

/** Server_ServerStatus_CurrentTime, OPC 10000-6, Annex A. */
const currentTime = 2258

export interface Watch {
  /** How far the server's clock is ahead of the gateway's, ms. */
  skew(): number
}

export interface WatchOptions extends Pick<SessionOptions, 'timeout' | 'keep_alive'> {
  now(): number
}

/** Has asked once when it resolves, and goes on until `lost`. */
export async function watchServer(
  { timeout, keep_alive, now }: WatchOptions,
  library: Library,
  session: ClientSession,
  lose: (why: string) => void,
  lost: AbortSignal,
): Promise<Watch> {
  let skew = 0
  const look = async (): Promise<void> => {
    const node = { nodeId: library.coerceNodeId(currentTime, 0), attributeId: library.AttributeIds.Value }
    const asked = now()
    const { value } = await within(timeout, 'asking the server for its clock', session.read(node, 0), lost)
    const time: unknown = value?.value
    // Where it has none its clock is taken to be right.
    if (time instanceof Date) skew = time.getTime() - (asked + now()) / 2
  }
  const goOn = async (): Promise<void> => {
    while (!lost.aborted) {
      await delay(keep_alive, undefined, { signal: lost }).catch(() => {})
      if (!lost.aborted) await look().catch((error: unknown) => lose(`the server is lost: ${reason(error)}`))
    }
  }
  await look()
  goOn()
  return { skew: () => skew }
}
