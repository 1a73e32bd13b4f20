// What was given up and is not yet declared. A gap is kept in the file until the event that declares it is stored, in
// the same transaction: a crash neither hides it nor tells it twice.

import type { Database } from 'better-sqlite3'
import type { Gap } from '../spool.ts'

/** Between declarations, ms: shedding goes on with every put, its reports do not. */
const pause = 60_000

export function addGap(db: Database, gap: Gap): void {
  const { stream, cause, envelopes, samples, events, from, to } = gap
  const merged = db
    .prepare(
      `UPDATE gaps SET envelopes = envelopes + ?, samples = samples + ?, events = events + ?,
        first_time = min(first_time, ?), last_time = max(last_time, ?) WHERE stream = ? AND cause = ?`,
    )
    .run(envelopes, samples, events, from, to, stream, cause)
  if (merged.changes > 0) return
  db.prepare('INSERT INTO gaps VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)').run(
    stream,
    cause,
    envelopes,
    samples,
    events,
    from,
    to,
  )
}

export function readGaps(db: Database): Gap[] {
  return db
    .prepare<[], Gap>(
      'SELECT stream, cause, envelopes, samples, events, first_time AS "from", last_time AS "to" FROM gaps ORDER BY id',
    )
    .all()
}

export function forgetGaps(db: Database): void {
  db.exec('DELETE FROM gaps')
}

export interface GapClock {
  /** Something waits to be declared. */
  pending: boolean
  /** When gaps were last declared. */
  declared: number | undefined
}

/** A clock set back does not hold a declaration up. */
export function isDue({ pending, declared }: GapClock, now: number): boolean {
  return pending && (declared === undefined || now < declared || now - declared >= pause)
}
