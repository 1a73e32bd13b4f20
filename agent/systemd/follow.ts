// What became of each service since the last look, as events: each once, also over restarts of the agent. A count of
// restarts that was there before is no news, its growth is; a unit that has failed is news until it was told.

import type { Event, Json } from '../../core/model.ts'
import type { EventKind } from '../metric.ts'
import type { Service } from './answers.ts'

const origin = 'systemctl show'
const attributes = ['systemd.unit.name']

const failed = { name: 'systemd.unit.failed', attributes, origin, brief: 'a unit failed, and why' }
const limited = {
  name: 'systemd.unit.start_limit_hit',
  attributes,
  origin,
  brief: 'it failed so often that systemd does not start it again',
}
const restarted = {
  name: 'systemd.unit.restarted',
  attributes,
  origin,
  brief: 'systemd started it again by itself: how often, and after which results where the journal may be read',
}
const bitten = {
  name: 'systemd.unit.watchdog_timeout',
  attributes,
  origin: 'systemctl show, journalctl',
  brief: 'it did not tell its watchdog that all is well, and was ended',
}
const recovered = { name: 'systemd.unit.recovered', attributes, origin, brief: 'a unit that had failed is no longer' }

export const events: readonly EventKind[] = [failed, limited, restarted, bitten, recovered]

/** What is remembered of a service: how often it was started again, and when it failed, 0 where it has not. */
interface Known {
  readonly restarts: number
  readonly failed: number
}

export class Follower {
  readonly #known: Map<string, Known>
  #changed = false

  /** `saved` is what `text` gave before; what cannot be read is as good as nothing. */
  constructor(saved: string | undefined) {
    this.#known = new Map(saved === undefined ? [] : Object.entries(parseSaved(saved)))
  }

  /** Restarts that are news; asked before `look`. */
  restartsSince({ name, restarts }: Service): number {
    const before = this.#known.get(name)
    return before === undefined ? 0 : Math.max(0, restarts - before.restarts)
  }

  /** The events of one service; `results` of its last failures, as far as the journal tells. */
  look(service: Service, results: readonly string[], time: number): Event[] {
    const { name, restarts } = service
    const before = this.#known.get(name) ?? { restarts, failed: 0 }
    const since = service.active === 'failed' ? service.since : 0
    const made: Event[] = []
    const tell = (kind: EventKind, severity: Event['severity'], body: Json): void =>
      void made.push(event(kind, severity, name, body, time))

    const news = restarts - before.restarts
    if (news > 0) tell(restarted, 'warning', { restarts: news, in_all: restarts, results: [...results] })
    const isFailure = since !== 0 && since !== before.failed
    const bites = [...results, ...(isFailure && results.length === 0 ? [service.result] : [])]
    for (const result of bites) if (result === 'watchdog') tell(bitten, 'error', { state: service.active })
    if (isFailure) this.#tellFailure(service, tell)
    if (since === 0 && before.failed !== 0) tell(recovered, 'info', { state: service.active, sub_state: service.sub })
    this.#remember(name, { restarts, failed: since })
    return made
  }

  hasFailed(name: string): boolean {
    return (this.#known.get(name)?.failed ?? 0) !== 0
  }

  /** Forgets services that are no longer loaded, and gives the events of those that had failed. */
  keepOnly(loaded: ReadonlyMap<string, unknown>, time: number): Event[] {
    const gone = [...this.#known].filter(([name]) => !loaded.has(name))
    for (const [name] of gone) this.#known.delete(name)
    this.#changed ||= gone.length > 0
    return gone
      .filter(([, { failed }]) => failed !== 0)
      .map(([name]) => event(recovered, 'info', name, { state: 'inactive', sub_state: 'unloaded' }, time))
  }

  /** To be saved, where there is anything new. */
  text(): string | undefined {
    if (!this.#changed) return undefined
    this.#changed = false
    return JSON.stringify(Object.fromEntries(this.#known))
  }

  #tellFailure(service: Service, tell: (kind: EventKind, severity: Event['severity'], body: Json) => void): void {
    const { result, status, restarts, restartsAlways } = service
    tell(failed, 'error', { result, status, restarts })
    // Seen from outside: it is started again after any failure, was so, and yet has failed for good.
    if (result === 'start-limit-hit' || (restartsAlways && restarts > 0)) tell(limited, 'error', { restarts })
  }

  #remember(name: string, now: Known): void {
    const before = this.#known.get(name)
    if (before?.restarts === now.restarts && before.failed === now.failed) return
    this.#known.set(name, now)
    this.#changed = true
  }
}

function event({ name }: EventKind, severity: Event['severity'], unit: string, body: Json, time: number): Event {
  return { name, time, severity, body, attributes: { 'systemd.unit.name': unit } }
}

function parseSaved(text: string): Record<string, Known> {
  try {
    const saved: unknown = JSON.parse(text)
    return typeof saved === 'object' && saved !== null ? (saved as Record<string, Known>) : {}
  } catch {
    // Damaged: everything is seen for the first time.
    return {}
  }
}
