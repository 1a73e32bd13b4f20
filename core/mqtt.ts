// One MQTT connection over a list of brokers: when one dies, hangs or does not take us in, the next one is tried.
// A hanging broker is left after five silent looks of a second, and one attempt takes at most four seconds, so that the
// next one is in use within ten. Two passes over the list without success are further and further apart, up to 5 s.
// Both versions of the protocol are spoken: a broker that does not take MQTT 5 is asked again with 3.1.1.
// `mqtt` reconnects by itself too, but without such bounds, and queues while it is offline; hence none of that is used.

import { setTimeout as delay } from 'node:timers/promises'
import { backoff } from './backoff.ts'
import { monotonic } from './clock.ts'
import type { BrokerOptions } from './mqtt-options.ts'
import { type Deliver, NotTaken, openSession, type Session, type Timing, type Will } from './mqtt-session.ts'

export interface LinkPlan {
  readonly options: BrokerOptions
  /** Unique at the broker: a second one with the same name drives the first one out. */
  readonly clientId: string
  readonly subscribe: readonly string[]
  /** The same for every connection, or made anew for each attempt. */
  readonly will?: Will | (() => Will)
  readonly deliver: Deliver
  /** A broker was reached and may have read the will. */
  reached?(): void
  /** A broker has taken us in and the subscriptions stand. */
  up?(session: Session): void
  /** Called for each attempt that failed and each connection that ended. */
  down?(error: Error): void
  readonly timing?: Timing
}

const timings: Timing = { connect: 4000, look: 1000 }
/** A connection that lasted this long, ms, was a good one: the pauses start short again. */
const lasting = 10_000

interface Waiter {
  resolve(session: Session): void
  reject(error: Error): void
}

export class Link {
  readonly #plan: LinkPlan
  readonly #stop = new AbortController()
  readonly #versions = new Map<string, 4 | 5>()
  readonly #pause = backoff({ min: 200, max: 5000 })
  readonly #waiters = new Set<Waiter>()
  readonly #running: Promise<void>
  #session: Session | undefined
  #failures = 0
  /** The end that follows is nobody's trouble. */
  #closing = false
  #last: Error | undefined

  constructor(plan: LinkPlan) {
    this.#plan = plan
    this.#running = this.#run()
  }

  /** The connection in use, if any. */
  get session(): Session | undefined {
    return this.#session
  }

  /** Waits for a connection; rejects after `within` ms with why there is none. */
  async ready(within: number, signal: AbortSignal): Promise<Session> {
    if (this.#session !== undefined) return this.#session
    signal.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<Session>()
    const waiter = { resolve, reject }
    const late = (): void => reject(new Error('no broker can be reached', { cause: this.#last }))
    const aborted = (): void => reject(new Error('stopped'))
    const timer = setTimeout(late, within)
    signal.addEventListener('abort', aborted)
    this.#waiters.add(waiter)
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', aborted)
      this.#waiters.delete(waiter)
    }
  }

  /** Leaves the present broker for the next one of the list, if there is another. */
  leave(): void {
    if (this.#plan.options.brokers.length > 1) this.#session?.drop(new Error('left for the next broker'))
  }

  async close(): Promise<void> {
    this.#closing = true
    await this.#session?.close()
    this.#stop.abort()
    await this.#running
    for (const { reject } of this.#waiters) reject(new Error('stopped'))
  }

  async #run(): Promise<void> {
    const { brokers } = this.#plan.options
    const signal = this.#stop.signal
    for (let n = 0; !signal.aborted; n = (n + 1) % brokers.length) {
      const error = await this.#use(brokers[n]!)
      this.#last = error
      if (signal.aborted || this.#closing) return
      this.#plan.down?.(error)
      await delay(this.#gap(), undefined, { signal }).catch(() => undefined)
    }
  }

  /** Holds on to one broker for as long as it works; answers why it ended. */
  async #use(broker: string): Promise<Error> {
    try {
      const session = await this.#open(broker)
      const began = monotonic()
      this.#up(session)
      const error = await session.ended
      this.#session = undefined
      if (monotonic() - began > lasting) this.#settle()
      return error
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error))
    }
  }

  async #open(broker: string): Promise<Session> {
    const version = this.#versions.get(broker) ?? 5
    try {
      return await this.#attempt(broker, version)
    } catch (error) {
      if (!(error instanceof NotTaken) || this.#stop.signal.aborted) throw error
      const other = version === 5 ? 4 : 5
      const session = await this.#attempt(broker, other)
      this.#versions.set(broker, other)
      return session
    }
  }

  #attempt(broker: string, version: 4 | 5): Promise<Session> {
    const { options, clientId, subscribe, deliver, timing = timings } = this.#plan
    const will = typeof this.#plan.will === 'function' ? this.#plan.will() : this.#plan.will
    const signal = this.#stop.signal
    return openSession({
      broker,
      version,
      options,
      clientId,
      subscribe,
      ...(will && { will }),
      deliver,
      reached: () => this.#plan.reached?.(),
      timing,
      signal,
    })
  }

  #up(session: Session): void {
    this.#session = session
    this.#plan.up?.(session)
    for (const { resolve } of this.#waiters) resolve(session)
  }

  #settle(): void {
    this.#failures = 0
    this.#pause.reset()
  }

  /** Short until every broker of the list has failed once. */
  #gap(): number {
    this.#failures++
    return this.#failures % this.#plan.options.brokers.length === 0 ? this.#pause.next() : 50
  }
}
