// Whether the primary host application is there (Sparkplug 3.0.0, 5.4 and 5.5): an edge node that has one says nothing but
// while it is online. Its STATE is JSON, retained, with a time by which a death that comes late is told from one of now; the
// times are compared broker by broker, as a host keeps them (operational-behavior-host-application-multi-server-timestamp).

import { isMap } from '../../core/shape.ts'
import { stateTopic } from './names.ts'

const largest = 4096

interface State {
  readonly online: boolean
  readonly timestamp: number
}

export type News = 'online' | 'offline' | undefined

export class PrimaryHost {
  /** Undefined where none is configured: it then counts as online always. */
  readonly topic: string | undefined
  readonly #times = new Map<string, number>()
  #broker: string | undefined
  #early: State | undefined
  #online: boolean
  #wake: () => void = () => {}

  constructor(host: string | undefined) {
    this.topic = host === undefined ? undefined : stateTopic(host)
    this.#online = this.topic === undefined
  }

  get online(): boolean {
    return this.#online
  }

  /** The connection stands; what came before it did is judged now. */
  connected(broker: string): News {
    this.#broker = broker
    const early = this.#early
    this.#early = undefined
    return early && this.#judge(early, broker)
  }

  disconnected(): void {
    this.#broker = undefined
    this.#early = undefined
    this.#online = this.topic === undefined
  }

  /** A message on `topic`. */
  heard(payload: Buffer): News {
    const state = readState(payload)
    if (state === undefined) return undefined
    if (this.#broker !== undefined) return this.#judge(state, this.#broker)
    this.#early = state
    return undefined
  }

  /** Resolves when it is online; with false after `within` ms or when the signal aborts. */
  async ready(within: number, signal: AbortSignal): Promise<boolean> {
    if (this.#online || signal.aborted) return this.#online
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    const giveUp = (): void => resolve()
    const timer = setTimeout(giveUp, within)
    signal.addEventListener('abort', giveUp)
    await promise
    clearTimeout(timer)
    signal.removeEventListener('abort', giveUp)
    return this.#online
  }

  /** Clauses message-flow-edge-node-birth-publish-phid-wait-timestamp, operational-behavior-edge-node-termination-host-offline-timestamp. */
  #judge({ online, timestamp }: State, broker: string): News {
    if (timestamp < (this.#times.get(broker) ?? 0)) return undefined
    this.#times.set(broker, timestamp)
    this.#online = online
    if (online) this.#wake()
    return online ? 'online' : 'offline'
  }
}

/** Undefined for anything but what clause payloads-state-birth-payload asks for. */
function readState(payload: Buffer): State | undefined {
  if (payload.length > largest) return undefined
  try {
    const raw: unknown = JSON.parse(payload.toString('utf8'))
    if (!isMap(raw) || typeof raw.online !== 'boolean') return undefined
    const { online, timestamp } = raw
    return Number.isSafeInteger(timestamp) && (timestamp as number) >= 0
      ? { online, timestamp: timestamp as number }
      : undefined
  } catch {
    // Whoever may publish there may publish anything.
    return undefined
  }
}
