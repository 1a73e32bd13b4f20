// A subscription outlives the connection and even the gateway that made it: the server collects on, and what was not
// acknowledged it sends again. After a cut, a restart or a kill -9 the gateway therefore looks for its old one first.

import { createHash } from 'node:crypto'
import { type Keep, savedJson } from '../../agent/keep.ts'
import type { Items } from './items.ts'
import type { OpcUaOptions } from './options.ts'
import { within } from './patience.ts'
import { createSubscription, transferSubscription } from './publish.ts'
import type { Session } from './session.ts'
import { type Identity, Subscription } from './subscription.ts'

export interface Standing {
  readonly subscription: Subscription
  /** Whether this gateway made it just now, before it ended, or has had it all the time. */
  readonly how: 'new' | 'adopted' | 'transferred'
}

interface Kept extends Identity {
  /** When the server started: another start gives the same numbers to others. */
  readonly startedAt: number
  /** Of all that the subscription was made from. */
  readonly print: string
}

export class Subscriptions {
  readonly #options: OpcUaOptions
  readonly #keep: Keep
  readonly #items: Items
  readonly #print: string
  #current: { readonly subscription: Subscription; readonly startedAt: number | undefined } | undefined

  constructor(options: OpcUaOptions, keep: Keep, items: Items) {
    this.#options = options
    this.#keep = keep.part('subscription')
    this.#items = items
    const { url, user, interval, sampling, queue, discard, lifetime, nodes } = options
    const made = JSON.stringify([url, user, interval, sampling, queue, discard, lifetime, nodes])
    this.#print = createHash('sha256').update(made).digest('base64')
  }

  get any(): boolean {
    return this.#current !== undefined
  }

  /** The one there was, where the server still has it, else a new one. @throws NoSubscriptions where there are none. */
  async standing(session: Session): Promise<Standing> {
    return (await this.#transferred(session)) ?? (await this.#adopted(session)) ?? (await this.#made(session))
  }

  /** The server has it no more. */
  drop(): void {
    this.#current = undefined
    this.#keep.save('')
  }

  async #transferred(session: Session): Promise<Standing | undefined> {
    const { subscription, startedAt } = this.#current ?? {}
    if (subscription === undefined || startedAt === undefined || startedAt !== session.startedAt) return undefined
    if ((await transferSubscription(session, subscription.id, this.#options.timeout)) === undefined) return undefined
    return { subscription, how: 'transferred' }
  }

  async #adopted(session: Session): Promise<Standing | undefined> {
    const kept = this.#current === undefined ? load(this.#keep) : undefined
    if (kept === undefined || kept.print !== this.#print || kept.startedAt !== session.startedAt) return undefined
    const unacknowledged = await transferSubscription(session, kept.id, this.#options.timeout)
    if (unacknowledged === undefined) return undefined
    const subscription = new Subscription(kept, this.#options, unacknowledged)
    const asked = session.client.getMonitoredItems(kept.id)
    const { clientHandles, serverHandles } = await within(
      this.#options.timeout,
      'asking for monitored items',
      asked,
      session.lost,
    )
    const pairs = [...clientHandles].map((handle, n) => [handle, serverHandles[n]!] as const)
    await subscription.discard(session, this.#items.attach(subscription, pairs))
    this.#current = { subscription, startedAt: kept.startedAt }
    return { subscription, how: 'adopted' }
  }

  async #made(session: Session): Promise<Standing> {
    const subscription = await createSubscription(session, this.#options)
    const { startedAt } = session
    this.#current = { subscription, startedAt }
    const { identity } = subscription
    if (startedAt !== undefined)
      this.#keep.save(JSON.stringify({ ...identity, startedAt, print: this.#print } satisfies Kept))
    return { subscription, how: 'new' }
  }
}

/** What cannot be read was written by another version: then there is none. */
function load(keep: Keep): Kept | undefined {
  const { id, quiet, born, startedAt, print } = (savedJson(keep) ?? {}) as Partial<Kept>
  const isWhole =
    typeof id === 'number' &&
    typeof quiet === 'number' &&
    typeof born === 'string' &&
    typeof startedAt === 'number' &&
    typeof print === 'string'
  return isWhole ? { id, quiet, born, startedAt, print } : undefined
}
