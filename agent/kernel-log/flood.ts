// The same again and again: told at once the first time, then once for each while with how often it came since. What is
// the same is the event and what it is about; a message's other fields are those of the last one.

import type { Event, Json } from '../../core/model.ts'
import type { Report } from './interpreter.ts'

/** Beside event and attributes, the fields by which two reports of one device differ. */
const distinct = ['xid', 'sxid', 'state', 'due', 'cgroup', 'process', 'member', 'operation', 'table', 'server', 'place']
/** So many different ones at a time; what comes beyond is told by event alone. */
const most = 256

interface Held {
  /** When it may be told again. */
  readonly until: number
  /** Since it was told. */
  count: number
  last?: Report
}

export class Flood {
  readonly #while: number
  readonly #held = new Map<string, Held>()

  /** `saved` as `save` gave it. @throws Error when it is something else. */
  constructor(whileMs: number, saved: unknown) {
    this.#while = whileMs
    for (const [key, held] of (saved ?? []) as [string, Held][])
      this.#held.set(key, { ...held, count: Number(held.count) })
  }

  /** The event of this report, or none while the same was just told. */
  take(report: Report): Event[] {
    const key = this.#keyOf(report)
    const held = this.#held.get(key)
    if (held === undefined) {
      this.#held.set(key, { until: report.time + this.#while, count: 0 })
      return [eventOf(report, 1)]
    }
    held.count++
    held.last = report
    return []
  }

  /** What came again in the whiles that are over now. */
  due(time: number): Event[] {
    const events: Event[] = []
    for (const [key, { until, count, last }] of this.#held) {
      // A clock that was put back must not hold anything for long.
      if (time < until && until - time <= this.#while) continue
      this.#held.delete(key)
      if (last === undefined) continue
      this.#held.set(key, { until: time + this.#while, count: 0 })
      events.push(eventOf(last, count))
    }
    return events
  }

  save(): unknown {
    return [...this.#held]
  }

  #keyOf({ event, attributes, fields }: Report): string {
    const about = [...Object.values(attributes), ...distinct.map(name => fields[name] ?? '')]
    const key = `${event} ${about.join(' ')}`
    return this.#held.has(key) || this.#held.size < most ? key : event
  }
}

export function eventOf({ event, time, severity, attributes, fields, message }: Report, count: number): Event {
  const body: Record<string, Json> = { ...fields, count, message }
  return { name: event, time, severity, body, attributes }
}
