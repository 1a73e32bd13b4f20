// Who sends under a node's name: which of its streams are fresh, and whether two spools use the name at once.
// Derived from committed rows alone, so that a replay sees the same.

import type { Row } from './inbox-store.ts'

/** `<spool id>.<lane>.<n>-<salt>`, docs/spool.md; the salt keeps apart what two copies of one spool would call the same. */
export interface StreamParts {
  readonly spool: string
  readonly lane: string
  readonly number: number
}

/** Undefined for what is no such name; '' is what an unsequenced sender has. */
export function streamParts(stream: string): StreamParts | undefined {
  const m = /^(.+)\.([^.]+)\.(\d{1,15})(?:-[A-Za-z0-9_]+)?$/.exec(stream)
  return m ? { spool: m[1]!, lane: m[2]!, number: Number(m[3]) } : undefined
}

/** Two spools that take turns this fast are two daemons. */
const turnsWithin = 10 * 60_000
/** Streams remembered of one node; beyond it the oldest goes. */
const mostLanes = 64

interface Turn {
  readonly spool: string
  /** Newest time inside the first row of this turn. */
  readonly begun: number
  /** When its last row was committed. */
  seen: number
}

export class Senders {
  readonly #newest = new Map<string, number>()
  #turn: Turn | undefined
  #before: Turn | undefined
  #stream = ''
  #parts: StreamParts | undefined

  /** Whether the row is of a stream that was succeeded by a newer one of its spool: what drains after an outage. */
  isBacklog(stream: string): boolean {
    const parts = this.#partsOf(stream)
    if (parts === undefined) return stream === ''
    const { spool, lane, number } = parts
    const key = `${spool}.${lane}`
    const newest = this.#newest.get(key)
    if (newest !== undefined && number <= newest) return number < newest
    this.#remember(key, number)
    return false
  }

  /** The other spool, when two take turns with data that is new: what drains of an earlier spool is older, and is none. */
  conflict({ stream, lastTime, received }: Pick<Row, 'stream' | 'lastTime' | 'received'>): string | undefined {
    const parts = this.#partsOf(stream)
    const turn = this.#turn
    if (parts === undefined) return undefined
    if (turn?.spool === parts.spool) {
      turn.seen = received
      return undefined
    }
    if (turn !== undefined && lastTime < turn.begun) return undefined
    const again = this.#before?.spool === parts.spool && received - this.#before.seen <= turnsWithin
    this.#before = turn
    this.#turn = { spool: parts.spool, begun: lastTime, seen: received }
    return again ? turn?.spool : undefined
  }

  #partsOf(stream: string): StreamParts | undefined {
    if (stream !== this.#stream) {
      this.#stream = stream
      this.#parts = streamParts(stream)
    }
    return this.#parts
  }

  #remember(key: string, number: number): void {
    this.#newest.delete(key)
    this.#newest.set(key, number)
    if (this.#newest.size > mostLanes) this.#newest.delete(this.#newest.keys().next().value!)
  }
}
