// The connection of a line. It is made when it is needed, with pauses of 0.1 to 30 s while it fails; where the last attempt
// failed, requests fail at once until the next.

import { backoff } from '../../core/backoff.ts'
import { monotonic } from '../../core/clock.ts'
import { reason } from '../../core/errors.ts'
import type { Answer, Framing } from './framing.ts'
import type { OpenWire, Wire } from './wire.ts'

export interface ConnectionOptions {
  /** For messages. */
  readonly name: string
  readonly open: OpenWire
  /** Begins anew with each connection. */
  framing(): Framing
  /** Between what comes and what is sent next, ms. */
  readonly silence: number
}

/** Whoever uses it. */
export interface Ear {
  /** Whose answer is expected. */
  awaited(): number | undefined
  answer(answer: Answer): void
  /** All that came has been handed on. */
  heard(): void
  /** It can be used no more, and is closed. */
  lost(error: unknown): void
}

export class Connection {
  readonly #options: ConnectionOptions
  readonly #ear: Ear
  readonly #pause = backoff({ min: 100, max: 30_000 })
  #framing: Framing
  #wire: Wire | undefined
  #opening = false
  /** Why the last attempt failed. */
  #failure: string | undefined
  /** Not before. */
  #openAt = 0
  #quietUntil = 0

  constructor(options: ConnectionOptions, ear: Ear) {
    this.#options = options
    this.#ear = ear
    this.#framing = options.framing()
  }

  get isOpen(): boolean {
    return this.#wire !== undefined
  }

  get isOpening(): boolean {
    return this.#opening
  }

  /** When it may be opened. */
  get openAt(): number {
    return this.#openAt
  }

  /** When the next request may be sent. */
  get quietUntil(): number {
    return this.#quietUntil
  }

  /** How many requests may be under way at once. */
  get outstanding(): number {
    return this.#framing.outstanding
  }

  /** Why nothing can be asked now; undefined where it can. */
  refusal(now: number): Error | undefined {
    if (this.#wire !== undefined || this.#failure === undefined || this.#openAt <= now) return undefined
    const why = `${this.#options.name} is not connected; trying again in ${seconds(this.#openAt - now)}`
    return new Error(why, { cause: this.#failure })
  }

  /** @throws Error saying why it fails; then it is not to be tried again before `openAt`. */
  async open(timeout: number): Promise<void> {
    this.#opening = true
    this.#framing = this.#options.framing()
    let wire: Wire | undefined
    const heard = {
      data: (chunk: Buffer) => wire !== undefined && wire === this.#wire && this.#heard(chunk),
      gone: (why: Error) => wire !== undefined && wire === this.#wire && this.drop(why),
    }
    try {
      wire = await this.#options.open(heard, timeout)
      this.#wire = wire
      this.#failure = undefined
    } catch (cause) {
      this.#openAt = monotonic() + this.#pause.next()
      this.#failure = `connecting to ${this.#options.name}: ${reason(cause)}`
      throw new Error(this.#failure)
    } finally {
      this.#opening = false
    }
  }

  /** Gives how many bytes that are. */
  send(transaction: number, unit: number, pdu: Uint8Array): number {
    const frame = this.#framing.frame(transaction, unit, pdu)
    this.#wire!.send(frame)
    return frame.length
  }

  #heard(chunk: Buffer): void {
    this.#quietUntil = this.#options.silence === 0 ? 0 : monotonic() + this.#options.silence
    try {
      for (const answer of this.#framing.take(chunk, this.#ear.awaited())) this.#ear.answer(answer)
    } catch (error) {
      this.drop(error)
      return
    }
    this.#ear.heard()
  }

  /** Whether what is sent now can be understood; where it cannot, the connection is lost. */
  settle(): boolean {
    try {
      this.#framing.settle()
      return true
    } catch (error) {
      this.drop(error)
      return false
    }
  }

  /** Somebody has answered: the next attempt need not wait long. */
  proven(): void {
    this.#pause.reset()
  }

  drop(error: unknown): void {
    this.close()
    this.#openAt = monotonic() + this.#pause.next()
    this.#ear.lost(error)
  }

  close(): void {
    const wire = this.#wire
    this.#wire = undefined
    wire?.close()
  }
}

/** For messages: `0.2 s`. */
export function seconds(ms: number): string {
  return `${Math.ceil(ms / 100) / 10} s`
}
