// Which envelopes hold what waited through an outage: a host must not take it for the present (is_historical, Sparkplug 3.0.0,
// 6.4.6). An edge opens a new stream after an outage and lets fresh data go first (agent/pump.ts), so an older stream of a lane
// is a backlog. Right after an outage, or a start, nobody knows yet: there a stream is one until it has caught up.

import type { Header } from '../../core/envelope.ts'

/** What waited no longer than this, ms, is the present. */
const slack = 10_000

export class Backlog {
  readonly #newest = new Map<string, number>()
  #since = 0
  #caughtUp = new Set<string>()

  /** Data flows (again) from `now` on, ms since the epoch. */
  resume(now: number): void {
    this.#since = now - slack
    this.#caughtUp = new Set()
  }

  /** Whether this envelope, the next one sent, is a backlog. Streams are `<spool>.<lane>.<n>-<salt>`. */
  holds({ stream, lastTime }: Pick<Header, 'stream' | 'lastTime'>): boolean {
    const dot = stream.lastIndexOf('.')
    const lane = stream.slice(0, dot)
    const n = Number.parseInt(stream.slice(dot + 1), 10)
    const newest = this.#newest.get(lane) ?? 0
    if (n < newest) return true
    this.#newest.set(lane, n)
    if (lastTime >= this.#since) this.#caughtUp.add(stream)
    return !this.#caughtUp.has(stream)
  }
}
