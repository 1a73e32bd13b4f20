// What is known of a server's conditions (OPC 10000-9): pure, so that refreshes, redelivery and restarts can be tried out on
// it. A condition is told when its state changes and not when a refresh only repeats it; one that a refresh does not name any
// more has ended while nobody looked, and that is told, too.

import type { Event, Json, Severity } from '../../core/model.ts'

/** One notification of a condition, or of one of its branches. */
export interface Condition {
  /** Node id of the condition, with its namespace by URI. */
  readonly id: string
  /** Empty but for a branch: an earlier state that still wants to be acknowledged (5.5.3). */
  readonly branch: string
  readonly name: string
  /** What it is about: a machine, a sensor. */
  readonly about: string
  readonly time: number
  readonly message: string
  /** 1 to 1000 */
  readonly severity: number
  /** Whether it is still of interest; a refresh names those that are (5.5.2). */
  readonly retain: boolean
  /** Undefined where its type has no such state. */
  readonly active?: boolean
  readonly acked?: boolean
  readonly confirmed?: boolean
  /** Which limit is exceeded: `HighHigh`. */
  readonly limit?: string
}

/** What is told of retained conditions, by condition and branch. */
export type Told = Map<string, Condition>

/** More are forgotten, oldest first, and may be told twice. */
const most = 10_000

export class Conditions {
  readonly #source: string
  /** What is less severe is not told, but for the end of what was. */
  readonly #least: number
  #told: Told
  /** Seen since a refresh began; undefined outside of one. */
  #seen: Set<string> | undefined

  constructor(source: string, least: number, told: Iterable<Condition> = []) {
    this.#source = source
    this.#least = least
    this.#told = new Map([...told].map(condition => [keyOf(condition), condition]))
  }

  get told(): readonly Condition[] {
    return [...this.#told.values()]
  }

  /** The event to tell, if it is news. */
  take(condition: Condition): Event | undefined {
    const key = keyOf(condition)
    this.#seen?.add(key)
    const before = this.#told.get(key)
    if (before === undefined ? condition.severity < this.#least : isSame(before, condition)) return undefined
    this.#told.delete(key)
    if (condition.retain) this.#told.set(key, condition)
    if (this.#told.size > most) this.#told.delete(this.#told.keys().next().value!)
    return eventOf(condition, this.#source)
  }

  refreshBegins(): void {
    this.#seen = new Set()
  }

  /** The ends that nobody saw, dated `now`. */
  refreshEnds(now: number): readonly Event[] {
    const seen = this.#seen
    this.#seen = undefined
    if (seen === undefined) return []
    const gone = [...this.#told].filter(([key]) => !seen.has(key))
    for (const [key] of gone) this.#told.delete(key)
    return gone.map(([, condition]) => eventOf({ ...ended(condition), time: now }, this.#source, { unseen: true }))
  }
}

function keyOf({ id, branch }: Condition): string {
  return JSON.stringify([id, branch])
}

function isSame(a: Condition, b: Condition): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

/** A branch is an earlier state, which does not change any more. */
function ended({ limit, ...condition }: Condition): Condition {
  const { active, branch } = condition
  return { ...condition, retain: false, ...(active !== undefined && branch === '' && { active: false }) }
}

function eventOf(condition: Condition, source: string, more: Readonly<Record<string, Json>> = {}): Event {
  const { name, about, time, message, id, branch, ...state } = condition
  return {
    name: 'opcua.condition',
    time,
    severity: severityOf(condition),
    body: { message, ...state, ...more },
    attributes: { source, condition: name, about, node: id, ...(branch !== '' && { branch }) },
  }
}

/**
 * OPC 10000-5, 6.4.2 calls 667 to 1000 high, 334 to 666 medium, and what is below low; of the high ones the upper half is
 * critical here. What is over, and what is inactive, only informs.
 */
function severityOf({ severity, active, retain }: Condition): Severity {
  if (active === false || !retain || severity < 334) return 'info'
  if (severity < 667) return 'warning'
  return severity < 834 ? 'error' : 'critical'
}
