// Orders: what this edge is told to do, and does at most once, if its own configuration allows it. docs/orders.md.
//
// - Nothing is allowed that the allow-list does not name; a signed order must be signed by the configured key.
// - Each id is done at most once, over restarts and crashes too: orders/memory.ts.
// - What became of an order is an event that goes home by the same road as everything else; it is told until it is in the
//   spool, once. An order that comes again while it is valid has its outcome told again, and is not done again.

import { createPublicKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Refused, reason } from '../core/errors.ts'
import type { Host } from '../core/host.ts'
import type { Say } from '../core/log.ts'
import type { Json, Order, Outcome } from '../core/model.ts'
import { type Actions, outcomeToEvent, perform } from './act.ts'
import { left } from './budget.ts'
import type { Keep } from './keep.ts'
import { OrderMemory } from './orders/memory.ts'
import type { Allowed, OrdersConfig } from './orders/options.ts'
import { readSigned } from './orders/signed.ts'
import type { Teller } from './teller.ts'
import type { OrderDesk } from './uplink.ts'

/** How long an order may be valid, and how far ahead its clock may be, ms. */
const longestValid = 86_400_000
const ahead = 300_000
/** Orders under way at once. */
const most = 16
/** Between two complaints about what is no order of ours, ms. */
const quiet = 60_000

export interface DeskOptions {
  readonly config: OrdersConfig
  readonly actions: Actions
  readonly teller: Teller
  readonly keep: Keep
  readonly host: Pick<Host, 'now'>
  readonly say: Say
  /** Ends what is under way. */
  readonly signal: AbortSignal
}

export interface Desk extends OrderDesk {
  /** Resolves when nothing is under way. */
  idle(): Promise<void>
}

/** @throws Refused where the key cannot be read. */
export function openDesk(options: DeskOptions): Desk {
  return new OrdersDesk(options)
}

class OrdersDesk implements Desk {
  readonly #options: DeskOptions
  readonly #key: KeyObject | undefined
  readonly #memory: OrderMemory
  readonly #running = new Map<string, Promise<Outcome>>()
  readonly #telling = new Set<Promise<void>>()
  #complained = Number.NEGATIVE_INFINITY

  constructor(options: DeskOptions) {
    this.#options = options
    this.#key = options.config.key === undefined ? undefined : publicKey(options.config.key)
    this.#memory = new OrderMemory(options.keep, options.host.now())
    for (const { order, outcome } of this.#memory.untold()) this.#tell(order, outcome, this.#keyOf(order))
  }

  signed(topic: string, message: Buffer): void {
    try {
      if (this.#key === undefined) throw new Refused('a signed order, where no key is configured')
      void this.#take(readSigned(topic, message, this.#key), true)
    } catch (error) {
      this.#complain(error)
    }
  }

  order(order: Order): Promise<Outcome> {
    return this.#take(order, false)
  }

  async idle(): Promise<void> {
    while (this.#running.size + this.#telling.size > 0) await Promise.all([...this.#running.values(), ...this.#telling])
  }

  /** One that is under way or done is not begun again. */
  #take(order: Order, isSigned: boolean): Promise<Outcome> {
    const running = this.#running.get(order.id)
    if (running !== undefined) return running
    const known = this.#memory.get(order.id)?.outcome
    if (known !== undefined) return Promise.resolve(this.#repeat(order, known))
    const taken = this.#carry(order, isSigned).finally(() => this.#running.delete(order.id))
    this.#running.set(order.id, taken)
    return taken
  }

  /** Who asks again while it is valid has not heard. */
  #repeat(order: Order, known: Outcome): Outcome {
    if (this.#options.host.now() <= order.expires) this.#tell(order, known, undefined)
    return known
  }

  async #carry(order: Order, isSigned: boolean): Promise<Outcome> {
    const { actions, signal, host } = this.#options
    const now = host.now()
    const late = this.#timely(order, now)
    if (late !== undefined) return this.#refuse(order, late)
    const allowed = this.#options.config.allow.find(a => fits(a, order, isSigned))
    const obstacle = this.#obstacle(order, allowed, now)
    try {
      this.#memory.begin(order, now, allowed && lineOf(allowed))
    } catch (error) {
      return this.#refuse(order, `it cannot be remembered: ${reason(error)}`)
    }
    const outcome: Outcome =
      obstacle === undefined
        ? await perform(order, actions, signal)
        : { id: order.id, state: 'refused', reason: obstacle }
    this.#remember(order.id, () => this.#memory.end(outcome))
    this.#tell(order, outcome, this.#keyOf(order))
    return outcome
  }

  #timely({ issued, expires }: Order, now: number): string | undefined {
    if (now > expires) return `it expired ${new Date(expires).toISOString()}`
    if (expires - issued > longestValid) return 'it is valid for more than a day'
    if (!this.#memory.covers(issued)) return 'it was issued before this edge began to remember orders'
    return undefined
  }

  #obstacle({ issued }: Order, allowed: Allowed | undefined, now: number): string | undefined {
    if (issued > now + ahead) return `it is issued ${new Date(issued).toISOString()}, which is ahead of the clock here`
    if (allowed === undefined) return 'the allow-list of this edge does not name it'
    if (left(allowed.budget, this.#memory.times(lineOf(allowed)), now) <= 0)
      return 'the budget for such orders is spent'
    if (this.#running.size >= most) return `${most} orders are under way already`
    return undefined
  }

  /** Not remembered, for it can never be begun later; or because nothing can be remembered. */
  #refuse(order: Order, why: string): Outcome {
    const { teller, host } = this.#options
    const outcome: Outcome = { id: order.id, state: 'refused', reason: why }
    void teller.tell(outcomeToEvent(order, outcome, host.now()))
    return outcome
  }

  /** A crash between the spool and the memory does not have it told a second time. */
  #keyOf({ id }: Order): string {
    return `orders ${id} ${this.#memory.get(id)!.begun}`
  }

  #tell(order: Order, outcome: Outcome, once: string | undefined): void {
    const { teller, host } = this.#options
    const telling = teller.tell(outcomeToEvent(order, outcome, host.now()), once).then(isTold => {
      this.#telling.delete(telling)
      if (isTold) this.#remember(order.id, () => this.#memory.told(order.id))
    })
    this.#telling.add(telling)
  }

  #remember(id: string, save: () => void): void {
    try {
      save()
    } catch (error) {
      this.#options.say('error', `order ${id}: what became of it cannot be remembered: ${reason(error)}`)
    }
  }

  #complain(error: unknown): void {
    const now = this.#options.host.now()
    if (Math.abs(now - this.#complained) < quiet) return
    this.#complained = now
    this.#options.say('warning', `not taken: ${reason(error)}`)
  }
}

function fits({ source, action, to, unsigned }: Allowed, order: Order, isSigned: boolean): boolean {
  if (source !== order.to || action !== order.action || !(isSigned || unsigned)) return false
  return to === undefined || to.some(pattern => pattern.test(targetOf(order.args)))
}

/** What the action is done to: `to` of a write, `method` of a call, `topic` of a publication. */
function targetOf({ to, method, topic }: Readonly<Record<string, Json>>): string {
  return String(to ?? method ?? topic ?? '')
}

/** What tells one line of the allow-list from another. */
function lineOf({ source, action, to = [] }: Allowed): string {
  return [source, action, ...to.map(String)].join(' ')
}

function publicKey(file: string): KeyObject {
  try {
    const key = createPublicKey(readFileSync(file))
    if (key.asymmetricKeyType !== 'ed25519') throw new Error(`it is a key for ${key.asymmetricKeyType}`)
    return key
  } catch (cause) {
    throw new Refused(`orders: key: ${file} holds no public Ed25519 key in PEM`, { cause })
  }
}
