// One connection to one address, shared by all units behind it: many gateways take only one, and a serial line is one.
//
// Answers are matched by transaction, unit and function, on RTU by unit, function and length. What is done about a bad one:
//   - for a transaction nobody awaits (late, twice, foreign), or from a unit nobody asked: ignored, the rest is in step;
//   - the awaited one with the wrong unit, function, length or byte count: that request fails, the rest is in step;
//   - a header that cannot be true, an answer too long, or one that stops half way (Modbus TCP): nothing that follows can be
//     told apart, so the connection is made anew. RTU finds its step again by checksums (rtu.ts);
//   - no answer in time: that unit fails and rests (unit.ts). On RTU its next answers are told from the late one (debts.ts).
//     Where two such in a row have heard nothing from anybody, the connection may be dead, and is made anew;
//   - an exception is a whole, right answer.
// What other units had under way on a connection that is made anew is read again, once; what was written fails, because
// nobody knows whether it was. How a connection is made is told in connection.ts.

import { monotonic } from '../../core/clock.ts'
import { reason } from '../../core/errors.ts'
import { dataIn, exceptionIn } from './answer.ts'
import { Connection, type ConnectionOptions, seconds } from './connection.ts'
import type { Answer } from './framing.ts'
import { described, encode, ModbusException, type Request } from './pdu.ts'
import { type Exchange, turn, Unit } from './unit.ts'

export interface LineOptions extends ConnectionOptions {
  /** What a byte takes, ms. */
  readonly byteTime: number
}

/** One unit's user: a link. */
export interface Member {
  readonly unit_id: number
  /** For connecting, and for each answer, ms. */
  readonly timeout: number
  /** Requests under way at once; on a line with several the least that any allows. */
  readonly outstanding: number
  /** From an answer to the next request, ms. */
  readonly pace: number
}

/** Exceptions that say nothing about the request: acknowledge, busy, and a gateway's that does not reach the unit. */
const notNow: readonly number[] = [5, 6, 10, 11]
const longestFrame = 256
/** Time-outs in a row, with nothing heard from anybody, after which a connection counts as dead. */
const patience = 2

export class Line {
  readonly #options: LineOptions
  readonly #members = new Set<Member>()
  readonly #units = new Map<number, Unit>()
  readonly #underWay = new Map<number, Exchange>()
  readonly #connection: Connection
  #transaction = 0
  /** Time of the line that the unit had which was asked last. */
  #leastUsed = 0
  /** Time-outs since something was last heard, and when the last of them was counted. */
  #unheard = { count: 0, at: 0 }
  /** What was ignored since the last request was sent, for the message of a time-out. */
  #ignored: string | undefined
  #wake: NodeJS.Timeout | undefined

  constructor(options: LineOptions) {
    this.#options = options
    this.#connection = new Connection(options, {
      awaited: () => this.#only()?.unit.id,
      answer: answer => this.#answer(answer),
      heard: () => this.#pump(),
      lost: error => this.#lost(error),
    })
  }

  join(member: Member): void {
    this.#members.add(member)
  }

  /** When the last one leaves the connection is closed; a later request makes it again. */
  leave(member: Member): void {
    this.#members.delete(member)
    const unit = this.#units.get(member.unit_id)
    if (unit !== undefined && ![...this.#members].some(m => m.unit_id === unit.id)) this.#forget(unit)
    if (this.#members.size > 0) return
    clearTimeout(this.#wake)
    this.#unheard = { count: 0, at: 0 }
    this.#connection.close()
  }

  #forget(unit: Unit): void {
    this.#units.delete(unit.id)
    const underWay = this.#underWayOf(unit)
    for (const exchange of underWay) this.#end(exchange, monotonic())
    for (const exchange of [...underWay, ...unit.give()]) exchange.reject(new Error(this.#what(exchange, 'closed')))
  }

  #underWayOf(unit: Unit): readonly Exchange[] {
    return [...this.#underWay.values()].filter(e => e.unit === unit)
  }

  /** @throws as Asks says. */
  ask(member: Member, request: Request): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const pdu = encode(request)
      const unit = this.#unit(member.unit_id)
      const { timeout, pace } = member
      const exchange = { request, pdu, unit, timeout, pace, sentAt: 0, resolve, reject }
      const now = monotonic()
      const refusal = this.#connection.refusal(now)
      if (refusal !== undefined) return reject(refusal)
      if (unit.rest(now) > 0) {
        return reject(new Error(this.#what(exchange, `it has failed; trying again in ${seconds(unit.rest(now))}`)))
      }
      unit.add(exchange, this.#leastUsed)
      this.#pump()
    })
  }

  #unit(id: number): Unit {
    const unit = this.#units.get(id) ?? new Unit(id)
    this.#units.set(id, unit)
    return unit
  }

  /** Sends what may be sent now, and comes back when more may. */
  #pump(): void {
    if (!this.#connection.isOpen) this.#connectSoon()
    while (this.#connection.isOpen && this.#underWay.size < this.#capacity()) {
      const now = monotonic()
      const { quietUntil } = this.#connection
      const unit = quietUntil > now ? undefined : turn(this.#units.values(), now)
      if (unit === undefined) {
        this.#wakeAt(Math.max(quietUntil, this.#soonest()), now)
        return
      }
      this.#send(unit, now)
    }
  }

  #capacity(): number {
    let least = this.#connection.outstanding
    for (const { outstanding } of this.#members) least = Math.min(least, outstanding)
    return least
  }

  #soonest(): number {
    let soonest = Number.POSITIVE_INFINITY
    for (const unit of this.#units.values()) soonest = Math.min(soonest, unit.readyAt)
    return soonest
  }

  #wakeAt(time: number, now: number): void {
    clearTimeout(this.#wake)
    if (Number.isFinite(time)) this.#wake = setTimeout(() => this.#pump(), Math.max(1, Math.ceil(time - now)))
  }

  #send(unit: Unit, now: number): void {
    if (this.#underWay.size === 0 && !this.#connection.settle()) return
    const exchange = this.#safe(unit.next()!)
    const transaction = this.#nextTransaction()
    this.#leastUsed = unit.used
    exchange.sentAt = now
    // After whatever has come meanwhile: where this process itself was held up, the answer is there.
    const timeUp = (): void => void setImmediate(() => this.#late(transaction, exchange))
    this.#underWay.set(transaction, exchange)
    unit.underWay++
    this.#ignored = undefined
    const sent = this.#connection.send(transaction, unit.id, exchange.pdu)
    exchange.timer = setTimeout(timeUp, exchange.timeout + this.#options.byteTime * (sent + longestFrame))
  }

  /** The exchange itself, or first one whose answer nothing late can be taken for. */
  #safe(exchange: Exchange): Exchange {
    const { unit, request } = exchange
    if (!unit.debts.couldBe(request)) return exchange
    unit.putBack(exchange)
    const telling = unit.debts.telling(request)
    const ignore = (): void => {}
    return { ...exchange, request: telling, pdu: encode(telling), resolve: ignore, reject: ignore }
  }

  /** On RTU there is only one, so any number does. */
  #nextTransaction(): number {
    do this.#transaction = (this.#transaction + 1) & 0xffff
    while (this.#underWay.has(this.#transaction))
    return this.#transaction
  }

  /** What is under way where it can be only one. */
  #only(): Exchange | undefined {
    return this.#underWay.values().next().value
  }

  #answer({ transaction, unit, pdu }: Answer): void {
    const exchange = transaction === undefined ? this.#only() : this.#underWay.get(transaction)
    const isStray = exchange === undefined || (transaction === undefined && unit !== exchange.unit.id)
    if (isStray || exchange.unit.debts.takes(exchange.request, pdu)) {
      const which = transaction === undefined ? '' : ` to transaction ${transaction}`
      this.#ignored = `an answer of unit ${unit}${which}, which nobody awaits`
      return
    }
    const code = exceptionIn(exchange.request, pdu)
    if (unit !== exchange.unit.id) this.#fail(exchange, `answered for unit ${unit}`)
    else if (code !== undefined) this.#refused(exchange, code)
    else this.#data(exchange, pdu)
  }

  #refused(exchange: Exchange, code: number): void {
    const exception = new ModbusException(code, this.#what(exchange))
    if (notNow.includes(code)) {
      this.#failWith([exchange], exception.message)
    } else {
      this.#done(exchange)
      exchange.reject(exception)
    }
  }

  #data(exchange: Exchange, pdu: Buffer): void {
    let data: Buffer
    try {
      data = dataIn(exchange.request, pdu)
    } catch (error) {
      this.#fail(exchange, reason(error))
      return
    }
    this.#done(exchange)
    exchange.resolve(data)
  }

  #done(exchange: Exchange): void {
    const now = monotonic()
    this.#end(exchange, now)
    exchange.unit.answered(now, exchange.pace)
    this.#connection.proven()
    this.#unheard = { count: 0, at: 0 }
  }

  #end(exchange: Exchange, now: number): void {
    clearTimeout(exchange.timer)
    for (const [transaction, one] of this.#underWay) if (one === exchange) this.#underWay.delete(transaction)
    exchange.unit.underWay--
    exchange.unit.used += now - exchange.sentAt
  }

  #late(transaction: number, exchange: Exchange): void {
    if (this.#underWay.get(transaction) !== exchange) return
    const instead = this.#ignored === undefined ? '' : `; ignored: ${this.#ignored}`
    const { count, at } = this.#unheard
    if (exchange.sentAt >= at) this.#unheard = { count: count + 1, at: monotonic() }
    this.#fail(exchange, `no answer within ${exchange.timeout} ms${instead}`)
    if (!this.#connection.isOpen) return
    if (this.#unheard.count >= patience) this.#connection.drop(new Error(`${this.#options.name} is silent`))
    else if (this.#underWay.size > 0 || this.#connection.settle()) this.#pump()
  }

  #fail(exchange: Exchange, why: string): void {
    this.#failWith([exchange], this.#what(exchange, why))
  }

  /** Exchanges of one unit. What waits behind them fails with them: it would wait for the same. */
  #failWith(exchanges: readonly Exchange[], message: string): void {
    const now = monotonic()
    const { unit, sentAt, timeout } = exchanges[0]!
    const others = [...this.#units.values()].filter(u => u !== unit)
    for (const exchange of exchanges) {
      this.#end(exchange, now)
      if (this.#connection.outstanding === 1) unit.debts.owe(exchange.request)
    }
    const inDoubt = others.filter(u => u.isInDoubt).length
    unit.failed(now, Math.min(now - sentAt, timeout), inDoubt, inDoubt < others.length)
    for (const exchange of [...exchanges, ...unit.give()]) exchange.reject(new Error(message))
  }

  /** Whose fault it was is known where only one unit had anything under way. */
  #lost(error: unknown): void {
    this.#unheard = { count: 0, at: 0 }
    const units = new Set([...this.#underWay.values()].map(e => e.unit))
    for (const unit of units) {
      const own = this.#underWayOf(unit)
      const again = units.size === 1 ? [] : own.filter(e => 'table' in e.request && e.isAgain === undefined)
      const lost = own.filter(e => !again.includes(e))
      if (lost.length > 0) this.#failWith(lost, this.#what(lost[0]!, reason(error)))
      for (const exchange of again.reverse()) {
        this.#end(exchange, monotonic())
        exchange.isAgain = true
        unit.putBack(exchange)
      }
    }
    this.#pump()
  }

  #connectSoon(): void {
    const waiting = [...this.#units.values()].some(unit => unit.waits)
    if (this.#connection.isOpening || !waiting) return
    const now = monotonic()
    if (this.#connection.openAt > now) this.#wakeAt(this.#connection.openAt, now)
    else void this.#connect()
  }

  async #connect(): Promise<void> {
    try {
      await this.#connection.open(Math.max(...[...this.#members].map(m => m.timeout)))
    } catch (error) {
      for (const unit of this.#units.values()) for (const e of unit.give()) e.reject(new Error(reason(error)))
    }
    if (this.#members.size === 0) this.#connection.close()
    else this.#pump()
  }

  #what({ request, unit }: Exchange, why?: string): string {
    const what = `${described(request)} of unit ${unit.id} at ${this.#options.name}`
    return why === undefined ? what : `${what}: ${why}`
  }
}
