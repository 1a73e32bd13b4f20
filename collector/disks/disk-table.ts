// What is remembered of drives, in history.db. What goes on with every report (`disk_time`) stands apart from what
// changes seldom and is long (`disk`).

import type { Database, Statement } from 'better-sqlite3'
import type { Drive, Rule } from '../../judge/disks/drive.ts'
import { readJson } from '../store/read-json.ts'

/** An open finding. */
export interface Told {
  readonly node: string
  readonly since: number
  /** See `findingKey`. */
  readonly key: string
}

export interface Kept {
  readonly drive: Drive
  /** The findings that are open. */
  readonly told: Partial<Record<Rule, Told>>
  /** When something last came of it, by the collector's clock. */
  seen: number
}

interface Times {
  readonly id: string
  readonly seen: number
  readonly dated: number
  readonly at: number
  readonly home: number
  readonly others: number
  /** Of its past. */
  readonly time: number
  readonly hours: number | null
}

interface Stored extends Times {
  readonly version: number
  readonly state: string
}

export const diskSchema = `
  CREATE TABLE IF NOT EXISTS disk (id TEXT PRIMARY KEY, version INTEGER NOT NULL, state TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS disk_time (
    id TEXT PRIMARY KEY, seen REAL NOT NULL, dated REAL NOT NULL, at REAL NOT NULL, home REAL NOT NULL,
    others INTEGER NOT NULL, time REAL NOT NULL, hours REAL) WITHOUT ROWID;
`

/** Of what is in `state`; another one is of no use. */
const version = 1

export class DiskTable {
  readonly #db: Database
  readonly #all: Statement<[], Stored>
  readonly #put: Statement<[string, number, string]>
  readonly #putTimes: Statement<[Times]>
  readonly #drops: readonly Statement<[string]>[]

  constructor(db: Database) {
    db.exec(diskSchema)
    this.#db = db
    this.#all = db.prepare('SELECT * FROM disk JOIN disk_time USING (id)')
    this.#put = db.prepare('INSERT OR REPLACE INTO disk VALUES (?, ?, ?)')
    this.#putTimes = db.prepare(`INSERT OR REPLACE INTO disk_time
      VALUES (@id, @seen, @dated, @at, @home, @others, @time, @hours)`)
    this.#drops = ['disk', 'disk_time'].map(name => db.prepare(`DELETE FROM ${name} WHERE id = ?`))
  }

  /** Those that damage made unreadable begin anew. */
  *load(): Generator<Kept> {
    for (const stored of this.#all.iterate()) {
      const kept = stored.version === version ? (readJson(stored.state) as Omit<Kept, 'seen'> | undefined) : undefined
      if (kept !== undefined) yield restored(kept, stored)
    }
  }

  put({ drive, told }: Kept): void {
    this.#put.run(drive.id, version, JSON.stringify({ drive, told }))
  }

  putTimes({ drive, seen }: Kept): void {
    const { id, dated, at, home, past } = drive
    this.#putTimes.run({
      id,
      seen,
      dated,
      at,
      home: home.time,
      others: home.others,
      time: past.time,
      hours: past.hours,
    })
  }

  drop(ids: readonly string[]): void {
    const work = this.#db.transaction(() => {
      for (const id of ids) for (const statement of this.#drops) statement.run(id)
    })
    work.immediate()
  }
}

function restored({ drive, told }: Omit<Kept, 'seen'>, { seen, dated, at, home, others, time, hours }: Times): Kept {
  Object.assign(drive, { dated, at })
  Object.assign(drive.past, { time, hours })
  Object.assign(drive.home, { time: home, others })
  if (drive.wear.time >= 0) drive.wear.time = Math.max(drive.wear.time, time)
  return { drive, told, seen }
}
