// What is news of a bond: that another slave carries the traffic, that slaves are missing, that all are back. What was
// known is remembered over restarts, so nothing is told twice and no change meanwhile is missed.

import type { Event, Json } from '../../core/model.ts'
import type { Keep } from '../keep.ts'
import type { EventKind } from '../metric.ts'
import { type Bond, isLacp } from './bond.ts'

const [origin, name] = ['/proc/net/bonding/*', 'network.interface.name']

export const events: readonly EventKind[] = [
  {
    name: 'network.bond.changed_over',
    attributes: [name],
    origin,
    brief: 'another slave carries the traffic: `from`, `to` (null: none)',
  },
  {
    name: 'network.bond.degraded',
    attributes: [name],
    origin,
    brief: 'slaves are `down`, or `apart` from the active aggregator; critical where none is left',
  },
  { name: 'network.bond.recovered', attributes: [name], origin, brief: 'all slaves carry again' },
]

export interface Condition {
  readonly down: readonly string[]
  /** Up, but in another aggregator than the active one: the other end does not agree. */
  readonly apart: readonly string[]
}

export function conditionOf(bond: Bond): Condition {
  const isKnown = isLacp(bond) && bond.aggregator !== undefined
  const apart = isKnown
    ? bond.slaves.filter(s => s.up && s.aggregator !== undefined && s.aggregator !== bond.aggregator)
    : []
  return { down: bond.slaves.filter(s => !s.up).map(s => s.name), apart: apart.map(s => s.name) }
}

interface Known {
  readonly active?: string | null
  readonly trouble: string
}

export class News {
  readonly #keep: Keep
  readonly #known: Map<string, Known>
  #saved: string

  constructor(keep: Keep) {
    this.#keep = keep
    this.#known = known(keep.load())
    this.#saved = this.#text()
  }

  of(bond: Bond, of: string, time: number): readonly Event[] {
    const before = this.#known.get(of)
    const condition = conditionOf(bond)
    const troubled = [...condition.down, ...condition.apart]
    const now: Known = {
      trouble: troubled.length === 0 ? '' : `${condition.down} ${condition.apart}`,
      ...(bond.active !== undefined && { active: bond.active }),
    }
    this.#known.set(of, now)
    const event = (kind: EventKind, severity: Event['severity'], body: Json): Event => ({
      name: kind.name,
      time,
      severity,
      body,
      attributes: { [name]: of },
    })
    const [changedOver, degraded, recovered] = events as [EventKind, EventKind, EventKind]
    const told: Event[] = []
    if (before?.active !== undefined && now.active !== undefined && before.active !== now.active) {
      told.push(event(changedOver, 'warning', { from: before.active, to: now.active }))
    }
    if (now.trouble !== (before?.trouble ?? '')) {
      const { mode, slaves } = bond
      const severity = troubled.length === slaves.length ? 'critical' : 'warning'
      if (now.trouble === '') told.push(event(recovered, 'info', { mode, slaves: slaves.length }))
      else told.push(event(degraded, severity, { mode, slaves: slaves.length, ...condition }))
    }
    return told
  }

  /** What was told is durable. */
  committed(): void {
    const text = this.#text()
    if (text !== this.#saved) this.#keep.save(text)
    this.#saved = text
  }

  /** A bond that is no more. */
  forget(of: string): void {
    this.#known.delete(of)
  }

  #text(): string {
    return JSON.stringify([...this.#known])
  }
}

/** What cannot be understood is as good as absent. */
function known(text: string | undefined): Map<string, Known> {
  try {
    return new Map(JSON.parse(text ?? '[]') as readonly (readonly [string, Known])[])
  } catch {
    return new Map()
  }
}
