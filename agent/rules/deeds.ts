// Does what a rule says, and tells what became of it when that changes: a lamp that does not answer is told once, and once
// when it does again.

import { randomUUID } from 'node:crypto'
import type { Host } from '../../core/host.ts'
import type { Json, Order, Outcome } from '../../core/model.ts'
import { type Actions, attempt, outcomeToEvent, perform } from '../act.ts'
import type { Teller } from '../teller.ts'
import type { Deed, DeedOf } from './options.ts'

/** How long a rule's order is good for, ms. */
const valid = 10_000

export interface DeedsOptions {
  readonly rule: string
  readonly actions: Actions
  /** The uplinks that can publish, by name. */
  readonly publish: (uplink: string, topic: string, payload: Buffer, retain: boolean) => Promise<void>
  readonly teller: Teller
  readonly host: Pick<Host, 'now'>
  readonly signal: AbortSignal
}

/** Why it is done, for messages. */
export interface Cause {
  readonly holds: boolean
  readonly values: Readonly<Record<string, number>>
}

export class Deeds {
  readonly #options: DeedsOptions
  readonly #told = new Map<Deed, Outcome['state']>()

  constructor(options: DeedsOptions) {
    this.#options = options
  }

  /** Never rejects. */
  async event({ name, severity, message }: DeedOf<'event'>, { holds, values }: Cause): Promise<void> {
    const { rule, teller, host } = this.#options
    const body = { rule, holds, ...(message !== undefined && { message }), values }
    await teller.tell({ name, severity, time: host.now(), body, attributes: { rule } })
  }

  /** Never rejects. */
  async publish(deed: DeedOf<'publish'>, { holds, values }: Cause): Promise<Outcome> {
    const { rule, publish, signal, host } = this.#options
    const { uplink, topic, retain } = deed
    const payload = deed.payload ?? JSON.stringify({ rule, holds, time: host.now(), values })
    const order = this.#order(uplink, 'publish', { topic, payload })
    const send = async (): Promise<Json> => {
      await publish(uplink, topic, Buffer.from(String(payload)), retain)
      return null
    }
    return this.#tell(deed, order, await attempt(order.id, signal, send))
  }

  write(deed: DeedOf<'write' | 'relay'>, value: Json): Promise<Outcome> {
    return this.#act(deed, 'write', { to: deed.to, value })
  }

  call(deed: DeedOf<'call'>): Promise<Outcome> {
    return this.#act(deed, 'call', { method: deed.method, arguments: deed.arguments })
  }

  async #act(deed: DeedOf<'write' | 'relay' | 'call'>, action: string, args: Order['args']): Promise<Outcome> {
    const order = this.#order(deed.source, action, args)
    return this.#tell(deed, order, await perform(order, this.#options.actions, this.#options.signal))
  }

  #order(to: string, action: string, args: Order['args']): Order {
    const issued = this.#options.host.now()
    return { id: randomUUID(), to, action, args, from: `rule ${this.#options.rule}`, issued, expires: issued + valid }
  }

  /** Each outcome of what is done once; of what goes on (a relay, a write that is tried again) only the changes. */
  #tell(deed: Deed, order: Order, outcome: Outcome): Outcome {
    const { teller, host, signal } = this.#options
    const isNews = deed.kind !== 'relay' || this.#told.get(deed) !== outcome.state
    const isStop = outcome.state === 'unknown' && signal.aborted
    const isAgain = outcome.state === 'unknown' && this.#told.get(deed) === 'unknown'
    this.#told.set(deed, outcome.state)
    if (isNews && !isAgain && !isStop) void teller.tell(outcomeToEvent(order, outcome, host.now()))
    return outcome
  }
}
