// Envelopes that a far end will never take: set aside with the reason, in a bounded table, for a person to look at.

import type { Database } from 'better-sqlite3'
import type { RefusedEnvelope } from '../spool.ts'

const maxRows = 1000
const maxBytes = 16 * 1024 * 1024

export interface SetAside {
  readonly uplink: string
  readonly k: number
  readonly reason: string
}

/** Copies the rows; one that is no longer there, or was set aside already, is passed over. The oldest make room. */
export function setAside(db: Database, refusals: readonly SetAside[], now: number): void {
  if (refusals.length === 0) return
  const copy = db.prepare(
    `INSERT INTO refused SELECT NULL, k, put_time, first_time, last_time, samples, events, encoding, crc, node, stream,
      payload, ?, ?, ? FROM rows WHERE k = ?
      AND NOT EXISTS (SELECT 1 FROM refused r WHERE r.stream = rows.stream AND r.k = rows.k AND r.uplink = ?)`,
  )
  for (const { uplink, k, reason } of refusals) copy.run(now, uplink, reason.slice(0, 1000), k, uplink)
  bound(db)
}

function bound(db: Database): void {
  db.prepare(
    `DELETE FROM refused WHERE id <= coalesce((SELECT id FROM (SELECT id, row_number() OVER newest AS place,
      sum(length(payload)) OVER newest AS bytes FROM refused WINDOW newest AS (ORDER BY id DESC))
      WHERE place > ? OR bytes > ? ORDER BY id DESC LIMIT 1), 0)`,
  ).run(maxRows, maxBytes)
}

/** Newest first. */
export function listRefused(db: Database, limit: number): RefusedEnvelope[] {
  return db
    .prepare<[number], RefusedEnvelope>(
      `SELECT time, uplink, reason, stream, k % 4294967296 AS seq, samples, events, first_time AS firstTime,
        last_time AS lastTime, length(payload) AS bytes FROM refused ORDER BY id DESC LIMIT ?`,
    )
    .all(limit)
}
