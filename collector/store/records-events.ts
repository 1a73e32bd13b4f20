// Events: kept until they are too old or too many.

import type { Database, Statement } from 'better-sqlite3'
import { type Attributes, type Event, severities } from '../../core/model.ts'
import { readJson } from './read-json.ts'

export interface EventRecord extends Event {
  readonly node: string
}

export interface EventSelector {
  readonly node?: string
  readonly from?: number
  /** Exclusive. */
  readonly to?: number
  readonly limit: number
}

interface Stored {
  readonly id: number
  readonly node: string
  readonly time: number
  readonly name: string
  readonly severity: number
  readonly body: string
  readonly attributes: string
}

export const eventSchema = `
  CREATE TABLE IF NOT EXISTS event (
    id INTEGER PRIMARY KEY AUTOINCREMENT, node TEXT NOT NULL, time REAL NOT NULL, name TEXT NOT NULL,
    severity INTEGER NOT NULL, body TEXT NOT NULL, attributes TEXT NOT NULL);
  CREATE INDEX IF NOT EXISTS event_time ON event (time);
  CREATE INDEX IF NOT EXISTS event_node ON event (node, time);
`

/** Whatever their age, no more than these. */
const mostEvents = 1_000_000

/** Of the body and attributes of one event, as JSON. */
export const mostEventBytes = 1024 ** 2

interface Fresh {
  readonly event: EventRecord
  readonly body: string
  readonly attributes: string
}

export class Events {
  readonly #db: Database
  readonly #insert: Statement<[string, number, string, number, string, string]>
  readonly #trim: Statement<[number]>
  readonly #drop: Statement<[number]>
  #fresh: Fresh[] = []

  constructor(db: Database) {
    db.exec(eventSchema)
    this.#db = db
    this.#insert = db.prepare(
      'INSERT INTO event (node, time, name, severity, body, attributes) VALUES (?, ?, ?, ?, ?, ?)',
    )
    this.#trim = db.prepare('DELETE FROM event WHERE id <= ?')
    this.#drop = db.prepare('DELETE FROM event WHERE time < ?')
  }

  get unwritten(): number {
    return this.#fresh.length
  }

  /** False if it is too large. */
  add(event: EventRecord): boolean {
    const body = JSON.stringify(event.body)
    const attributes = JSON.stringify(event.attributes)
    if (body.length + attributes.length > mostEventBytes) return false
    this.#fresh.push({ event, body, attributes })
    return true
  }

  find(selector: EventSelector): readonly EventRecord[] {
    const { node, from = 0, to = Number.MAX_SAFE_INTEGER, limit } = selector
    const fresh = this.#fresh
      .map(({ event }) => event)
      .filter(e => (node === undefined || e.node === node) && e.time >= from && e.time < to)
    const where = node === undefined ? '' : 'node = @node AND'
    const kept = this.#db
      .prepare<[unknown], Stored>(
        `SELECT * FROM event WHERE ${where} time >= @from AND time < @to ORDER BY time DESC, id DESC LIMIT @limit`,
      )
      .all({ ...(node === undefined ? {} : { node }), from, to, limit })
    const all = [...fresh.reverse(), ...kept.flatMap(toEvent)]
    return all.sort((a, b) => b.time - a.time).slice(0, limit)
  }

  write(): void {
    let last = 0
    for (const { event, body, attributes } of this.#fresh) {
      const { node, time, name, severity } = event
      const { lastInsertRowid } = this.#insert.run(node, time, name, severities.indexOf(severity), body, attributes)
      last = Number(lastInsertRowid)
    }
    if (last > mostEvents) this.#trim.run(last - mostEvents)
  }

  written(): void {
    this.#fresh = []
  }

  retain(before: number): void {
    this.#drop.run(before)
  }
}

/** None where damage made it something else. */
function toEvent({ node, time, name, severity, body, attributes }: Stored): EventRecord[] {
  const content = readJson(body)
  const about = readJson(attributes) as Attributes | undefined
  const grave = severities[severity]
  if (content === undefined || about === undefined || grave === undefined) return []
  return [{ node, time, name, severity: grave, body: content, attributes: about }]
}
