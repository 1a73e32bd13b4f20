// News of findings on their way into the spool. Of each finding only the newest waits; each goes under a key of its own, so
// that what was told just before a crash is not told twice.

import { type FindingState, findingToEvent } from '../../core/finding-event.ts'
import type { Finding, Observation } from '../../core/model.ts'
import { keyOf } from './key.ts'
import type { Told } from './memory.ts'

/** How often an open finding is told anew at most, and how soon what was not taken is tried again, ms. */
const pause = 60_000
const again = 5000
/** How many may wait; then the oldest are given up. */
export const mostUntold = 1000

interface Waiting extends Told {
  /** By the monotonic clock, ms. */
  due: number
}

export class News {
  readonly #waiting = new Map<string, Waiting>()
  /** When open ones were told last, by the monotonic clock. */
  readonly #told = new Map<string, number>()
  #lost = 0

  constructor(untold: readonly Told[]) {
    for (const told of untold) this.#waiting.set(idOf(told.finding), { ...told, due: Number.NEGATIVE_INFINITY })
  }

  /** For the memory. */
  untold(): readonly Told[] {
    return [...this.#waiting.values()].map(({ due: _, ...told }) => told)
  }

  /** How many were given up since this was asked last. */
  lost(): number {
    const lost = this.#lost
    this.#lost = 0
    return lost
  }

  /** `at` by the host's clock, `now` by the monotonic one. */
  add(finding: Finding, state: FindingState, at: number, now: number): void {
    const id = idOf(finding)
    // Who has not heard of its beginning hears of it as it is by now.
    const isFirst = state === 'opened' || (state === 'updated' && this.#waiting.get(id)?.state === 'opened')
    const due = state === 'updated' && !isFirst ? (this.#told.get(id) ?? now - pause) + pause : now
    this.#waiting.set(id, { finding, state: isFirst ? 'opened' : state, at, due })
    if (this.#waiting.size > mostUntold) this.#giveUp()
  }

  due(now: number): readonly Told[] {
    return [...this.#waiting.values()].filter(({ due }) => due <= now)
  }

  /** It is in the spool, or nobody will ever take it. */
  done(told: Told, now: number): void {
    const id = idOf(told.finding)
    if (this.#waiting.get(id) === told) this.#waiting.delete(id)
    if (told.state === 'closed') this.#told.delete(id)
    else this.#told.set(id, now)
  }

  /** It could not be told now. */
  later(told: Told, now: number): void {
    const waiting = this.#waiting.get(idOf(told.finding))
    if (waiting === told) waiting.due = now + again
  }

  #giveUp(): void {
    const [oldest] = this.#waiting.keys()
    this.#waiting.delete(oldest!)
    this.#told.delete(oldest!)
    this.#lost++
  }
}

export function observationOf({ finding, state, at }: Told): Observation {
  return {
    samples: [],
    events: [findingToEvent(finding, state, at)],
    once: `detectors ${idOf(finding)} ${state} ${at}`,
  }
}

function idOf({ rule, subject, since }: Finding): string {
  return `${keyOf(rule, subject.series)} ${since}`
}
