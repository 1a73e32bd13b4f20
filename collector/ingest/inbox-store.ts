// inbox.db: rows that are committed and not yet folded into history, and how far each stream is committed.
// WAL with synchronous=FULL: when a transaction has ended it outlives a power cut. Row ids only ever grow
// (AUTOINCREMENT), also past the deletion of every row, because history's cursor is one of them.

import type { Database, Statement } from 'better-sqlite3'
import { type Encoding, encodings, type Header, seal } from '../../core/envelope.ts'

/** What an unsequenced sender (OTLP/HTTP) gives; a stream of '' and a seq of 0 stand for it in the table. */
export type Parcel = Omit<Header, 'stream' | 'seq'> & { readonly payload: Uint8Array }

/** One committed envelope or parcel, or the place of a refused one. */
export interface Row extends Header {
  readonly id: number
  /** When it was committed, by the collector's clock: what is derived from a row uses this time, so that a replay agrees. */
  readonly received: number
  /** Seqs between the one committed before and this one: the edge gave them up. */
  readonly lost: number
  /** Why it was not taken; such a row has no payload. */
  readonly refused: string | undefined
  readonly payload: Uint8Array
}

export interface Mark {
  readonly node: string
  readonly stream: string
  readonly watermark: number
  /** When the watermark last moved. */
  readonly seen: number
}

const schema = `
  CREATE TABLE IF NOT EXISTS row (
    id INTEGER PRIMARY KEY AUTOINCREMENT, node TEXT NOT NULL, stream TEXT NOT NULL, seq INTEGER NOT NULL,
    first REAL NOT NULL, last REAL NOT NULL, samples INTEGER NOT NULL, events INTEGER NOT NULL,
    encoding INTEGER NOT NULL, received REAL NOT NULL, lost INTEGER NOT NULL, refused TEXT, crc INTEGER NOT NULL,
    payload BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS stream (
    node TEXT NOT NULL, stream TEXT NOT NULL, watermark INTEGER NOT NULL, seen REAL NOT NULL,
    PRIMARY KEY (node, stream)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS refusal (
    id INTEGER PRIMARY KEY AUTOINCREMENT, node TEXT NOT NULL, stream TEXT NOT NULL, seq INTEGER NOT NULL,
    reason TEXT NOT NULL);
  CREATE INDEX IF NOT EXISTS refusal_place ON refusal (node, stream, seq);
`

const columns = 'id, node, stream, seq, first, last, samples, events, encoding, received, lost, refused, crc, payload'

interface Stored {
  id: number
  node: string
  stream: string
  seq: number
  first: number
  last: number
  samples: number
  events: number
  encoding: number
  received: number
  lost: number
  refused: string | null
  crc: number
  payload: Buffer
}

/** Reasons of refusal kept to be told again when the edge did not hear them. */
const keptRefusals = 1000

/** A node's streams beyond this are forgotten, the longest idle first: inventing names must not fill the disk. */
export const maxStreams = 20_000

export class InboxStore {
  readonly #db: Database
  readonly #begin: Statement<[]>
  readonly #commit: Statement<[]>
  readonly #rollback: Statement<[]>
  readonly #mark: Statement<[string, string], { watermark: number }>
  readonly #advance: Statement<[string, string, number, number]>
  readonly #streams: Statement<[string], { n: number }>
  readonly #forgetStream: Statement<[string]>
  readonly #insert: Statement<unknown[]>
  readonly #refuse: Statement<[string, string, number, string]>
  readonly #trimRefusals: Statement<[number | bigint]>
  readonly #refusal: Statement<[string, string, number], { reason: string }>
  readonly #delete: Statement<[number]>
  readonly #next: Statement<[number], Stored>
  readonly #oldest: Statement<[], { id: number | null }>
  readonly #prune: Statement<[number]>

  constructor(db: Database) {
    this.#db = db
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = FULL')
    db.pragma(`journal_size_limit = ${64 * 1024 ** 2}`)
    db.exec(schema)
    this.#begin = db.prepare('BEGIN IMMEDIATE')
    this.#commit = db.prepare('COMMIT')
    this.#rollback = db.prepare('ROLLBACK')
    this.#mark = db.prepare('SELECT watermark FROM stream WHERE node = ? AND stream = ?')
    this.#advance = db.prepare(`INSERT INTO stream (node, stream, watermark, seen) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET watermark = max(watermark, excluded.watermark), seen = max(seen, excluded.seen)`)
    this.#streams = db.prepare('SELECT count(*) AS n FROM stream WHERE node = ?')
    this.#forgetStream = db.prepare(`DELETE FROM stream WHERE (node, stream) IN
      (SELECT node, stream FROM stream WHERE node = ? ORDER BY seen LIMIT ${maxStreams / 10})`)
    this.#insert = db.prepare(`INSERT INTO row (${columns.slice('id, '.length)})
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
    this.#refuse = db.prepare('INSERT INTO refusal (node, stream, seq, reason) VALUES (?, ?, ?, ?)')
    this.#trimRefusals = db.prepare(`DELETE FROM refusal WHERE id <= ? - ${keptRefusals}`)
    this.#refusal = db.prepare('SELECT reason FROM refusal WHERE node = ? AND stream = ? AND seq = ?')
    this.#delete = db.prepare('DELETE FROM row WHERE id <= ?')
    this.#next = db.prepare(`SELECT ${columns} FROM row WHERE id > ? ORDER BY id LIMIT 1`)
    this.#oldest = db.prepare('SELECT min(id) AS id FROM row')
    this.#prune = db.prepare('DELETE FROM stream WHERE seen < ?')
  }

  /** Runs `work` as one durable transaction; if it or the commit throws, nothing of it is there. */
  transaction<T>(work: () => T): T {
    // Only after a rollback that failed itself.
    if (this.#db.inTransaction) this.#rollback.run()
    this.#begin.run()
    try {
      const result = work()
      this.#commit.run()
      return result
    } catch (error) {
      if (this.#db.inTransaction) this.#rollback.run()
      throw error
    }
  }

  watermark(node: string, stream: string): number | undefined {
    return this.#mark.get(node, stream)?.watermark
  }

  /** A watermark only rises. */
  advance(node: string, stream: string, watermark: number, seen: number): void {
    this.#advance.run(node, stream, watermark, seen)
  }

  /** Before a stream that is new to a node. */
  makeRoom(node: string): void {
    if (this.#streams.get(node)!.n >= maxStreams) this.#forgetStream.run(node)
  }

  /** The id it got. */
  insert(row: Omit<Row, 'id'>): number {
    const { node, stream, seq, firstTime, lastTime, samples, events, received, lost, refused, payload } = row
    const encoding = encodings.indexOf(row.encoding)
    const { lastInsertRowid } = this.#insert.run(
      ...[node, stream, seq, firstTime, lastTime, samples, events, encoding, received, lost, refused ?? null],
      ...[seal(row, payload), payload],
    )
    return Number(lastInsertRowid)
  }

  refuse(node: string, stream: string, seq: number, reason: string): void {
    this.#trimRefusals.run(this.#refuse.run(node, stream, seq, reason).lastInsertRowid)
  }

  refusal(node: string, stream: string, seq: number): string | undefined {
    return this.#refusal.get(node, stream, seq)?.reason
  }

  /** Drops rows up to an id; returns how many. */
  deleteTo(id: number): number {
    return this.#delete.run(id).changes
  }

  oldest(): number | undefined {
    return this.#oldest.get()?.id ?? undefined
  }

  pruneStreams(before: number): void {
    this.#prune.run(before)
  }

  /** Rows after an id in order; `undefined` stands for one whose bytes no longer match their seal. */
  *after(id: number): Generator<Row | undefined> {
    for (
      let at = id, stored = this.#next.get(at);
      stored !== undefined && stored.id > at;
      stored = this.#next.get(at)
    ) {
      at = stored.id
      yield toRow(stored)
    }
  }

  /** The next id will be above this. */
  startAfter(id: number): void {
    const { changes } = this.#db.prepare(`UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'row'`).run(id)
    if (changes === 0) this.#db.prepare(`INSERT INTO sqlite_sequence (name, seq) VALUES ('row', ?)`).run(id)
  }

  close(): void {
    this.#db.close()
  }
}

/** Undefined when it is not what was stored. */
export function toRow(stored: Stored): Row | undefined {
  const encoding: Encoding | undefined = encodings[stored.encoding]
  if (encoding === undefined || !isSound(stored)) return undefined
  const { id, node, stream, seq, samples, events, received, lost, payload } = stored
  const header = { node, stream, seq, firstTime: stored.first, lastTime: stored.last, samples, events, encoding }
  if (seal(header, payload) !== stored.crc) return undefined
  return { ...header, id, received, lost, refused: stored.refused ?? undefined, payload }
}

/** Whether the columns hold what was put there; damage can turn any of them into anything. */
function isSound({ node, stream, payload, ...rest }: Stored): boolean {
  const numbers = [rest.id, rest.seq, rest.first, rest.last, rest.samples, rest.events, rest.received, rest.lost]
  const texts = typeof node === 'string' && typeof stream === 'string'
  return texts && payload instanceof Buffer && numbers.every(Number.isFinite)
}

export { columns as rowColumns, type Stored as StoredRow }
