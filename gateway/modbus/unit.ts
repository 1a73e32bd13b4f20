// One unit on a line: what waits for it, whose turn it is, and how long it must be left alone. Keeps no clock.
//
// A unit that fails (no answer in time, a wrong one, a gateway that says it is not there) rests, longer from failure to
// failure, up to 30 s. Where others on the line do answer, it rests besides so long that all units in doubt together get at
// most a fifth of the line. A unit is in doubt until it has answered three times in a row: one that answers only every
// other time is kept short, too.

import { backoff } from '../../core/backoff.ts'
import { Debts } from './debts.ts'
import type { Request } from './pdu.ts'

/** One request on its way. */
export interface Exchange {
  readonly request: Request
  readonly pdu: Buffer
  readonly unit: Unit
  /** For the answer, ms. */
  readonly timeout: number
  /** The least time from the answer to the unit's next request, ms. */
  readonly pace: number
  /** It went down with a connection that another unit broke, and is sent a second time. */
  isAgain?: true
  sentAt: number
  timer?: NodeJS.Timeout
  resolve(data: Buffer): void
  reject(error: Error): void
}

const trials = 3
/** All units in doubt get one part in so many of the line. */
const part = 5

export class Unit {
  readonly id: number
  readonly debts = new Debts()
  readonly #pause = backoff({ min: 100, max: 30_000 })
  #writes: Exchange[] = []
  #reads: Exchange[] = []
  #readyAt = 0
  #restUntil = 0
  #doubt = 0
  underWay = 0
  /** Time of the line it has had, ms; who had least is next. */
  used = 0

  constructor(id: number) {
    this.id = id
  }

  get isInDoubt(): boolean {
    return this.#doubt > 0
  }

  get waits(): boolean {
    return this.#writes.length + this.#reads.length > 0
  }

  /** How long it is left alone still, ms. */
  rest(now: number): number {
    return Math.max(0, this.#restUntil - now)
  }

  /** When its next request may be sent; infinite while there is none or it has enough under way. */
  get readyAt(): number {
    if (!this.waits || (this.#doubt > 0 && this.underWay > 0)) return Number.POSITIVE_INFINITY
    return Math.max(this.#readyAt, this.#restUntil)
  }

  /** Who comes back after a while has saved up nothing: it counts as having had `least` ms. */
  add(exchange: Exchange, least: number): void {
    if (!this.waits && this.underWay === 0) this.used = Math.max(this.used, least)
    if ('table' in exchange.request) this.#reads.push(exchange)
    else this.#writes.push(exchange)
  }

  putBack(exchange: Exchange): void {
    if ('table' in exchange.request) this.#reads.unshift(exchange)
    else this.#writes.unshift(exchange)
  }

  /** What is sent next: what is written goes before what is read. */
  next(): Exchange | undefined {
    return this.#writes.shift() ?? this.#reads.shift()
  }

  /** All that waits, no longer waiting. */
  give(): readonly Exchange[] {
    const all = [...this.#writes, ...this.#reads]
    this.#writes = []
    this.#reads = []
    return all
  }

  answered(now: number, pace: number): void {
    this.#doubt = Math.max(0, this.#doubt - 1)
    this.#pause.reset()
    this.#readyAt = now + pace
    this.debts.clear()
  }

  /** `cost`: ms of the line; `inDoubt`: units of the line, this one not counted; `others`: whether anybody else answers. */
  failed(now: number, cost: number, inDoubt: number, others: boolean): void {
    this.#doubt = trials
    const share = others ? cost * (part * (inDoubt + 1) - 1) : 0
    this.#restUntil = now + Math.max(this.#pause.next(), share)
  }
}

/** Who is next: of those that may send now the one with the least under way, then with the least time so far. */
export function turn(units: Iterable<Unit>, now: number): Unit | undefined {
  let next: Unit | undefined
  for (const unit of units) {
    if (unit.readyAt > now) continue
    if (next === undefined || (unit.underWay - next.underWay || unit.used - next.used) < 0) next = unit
  }
  return next
}
