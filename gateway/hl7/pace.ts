// How fast a sender may go: so many messages a second by address, however many connections it opens. A token bucket that
// holds one second's worth; who is too fast is read more slowly, and nothing is refused for it.

import type { Host } from '../../core/host.ts'

/** Senders not heard of for longer, ms, have a full bucket anyway. */
const forgotten = 10_000

export class Pace {
  readonly #host: Pick<Host, 'monotonic'>
  readonly #perSecond: number
  /** Address -> when its bucket will be full again, by the monotonic clock. */
  readonly #full = new Map<string, number>()
  #swept = 0

  constructor(perSecond: number, host: Pick<Host, 'monotonic'>) {
    this.#perSecond = perSecond
    this.#host = host
  }

  /** Takes one message's worth; how long to wait, ms, before the next is read. */
  take(address: string): number {
    const now = this.#host.monotonic()
    if (now - this.#swept > forgotten) this.#sweep(now)
    const full = Math.max(now, this.#full.get(address) ?? 0) + 1000 / this.#perSecond
    this.#full.set(address, full)
    return Math.max(0, full - now - 1000)
  }

  #sweep(now: number): void {
    this.#swept = now
    for (const [address, full] of this.#full) if (full < now) this.#full.delete(address)
  }
}
