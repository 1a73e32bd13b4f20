// The states of detectors in history.db, as of history's cursor.

import type { Database, Statement } from 'better-sqlite3'
import { readJson } from './store/read-json.ts'

export interface Checkpoint {
  readonly rule: string
  readonly definition: string
  readonly node: string
  /** The series' id, 0 for a node. */
  readonly ref: number
  readonly last: number
  readonly since: number | undefined
  /** Plain data. */
  readonly state: unknown
  readonly at: number
}

export type Saved = Pick<Checkpoint, 'state' | 'last' | 'since'>

interface Stored {
  readonly rule: string
  readonly definition: string
  readonly node: string
  readonly ref: number
  readonly last: number
  readonly since: number | null
  readonly state: string
  readonly at: number
}

export const checkpointSchema = `CREATE TABLE IF NOT EXISTS judging (
  rule TEXT NOT NULL, definition TEXT NOT NULL, node TEXT NOT NULL, ref INTEGER NOT NULL, last REAL NOT NULL,
  since REAL, state TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (rule, node, ref)) WITHOUT ROWID`

/** A state that no sample changed for so long belongs to a series or a rule that is gone. */
const unused = 60 * 86_400_000

export class Checkpoints {
  readonly #put: Statement<[Stored]>
  readonly #get: Statement<[string, string, number], Stored>
  readonly #drop: Statement<[number]>

  constructor(db: Database) {
    db.exec(checkpointSchema)
    this.#put = db.prepare(`INSERT OR REPLACE INTO judging
      VALUES (@rule, @definition, @node, @ref, @last, @since, @state, @at)`)
    this.#get = db.prepare('SELECT * FROM judging WHERE rule = ? AND node = ? AND ref = ?')
    this.#drop = db.prepare('DELETE FROM judging WHERE at < ?')
  }

  put({ since, state, ...rest }: Checkpoint): void {
    this.#put.run({ ...rest, since: since ?? null, state: JSON.stringify(state) })
  }

  /** What was saved for this rule, unless it has been defined otherwise since, or is damaged. */
  take(rule: string, definition: string, node: string, ref: number): Saved | undefined {
    const stored = this.#get.get(rule, node, ref)
    if (stored === undefined || stored.definition !== definition) return undefined
    const state = readJson(stored.state)
    return state === undefined ? undefined : { state, last: stored.last, since: stored.since ?? undefined }
  }

  forget(now: number): void {
    this.#drop.run(now - unused)
  }
}
