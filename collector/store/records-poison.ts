// What was committed and could not be read, set aside for whoever wants to know why. Bounded: the oldest go first.

import type { Database, Statement } from 'better-sqlite3'

export interface PoisonRecord {
  readonly node: string
  readonly stream: string
  readonly seq: number
  readonly received: number
  readonly encoding: string
  readonly reason: string
  readonly payload: Uint8Array
}

export const poisonSchema = `CREATE TABLE IF NOT EXISTS poison (
  id INTEGER PRIMARY KEY AUTOINCREMENT, node TEXT NOT NULL, stream TEXT NOT NULL, seq INTEGER NOT NULL,
  received REAL NOT NULL, encoding TEXT NOT NULL, reason TEXT NOT NULL, payload BLOB NOT NULL)`

const mostRows = 1000
/** Of one payload; the beginning is enough to see what it was. 1000 rows are then at most 64 MiB. */
const mostBytes = 64 * 1024

export class Poison {
  readonly #insert: Statement<[PoisonRecord]>
  readonly #trim: Statement<[number]>
  readonly #newest: Statement<[number], PoisonRecord>
  #fresh: PoisonRecord[] = []

  constructor(db: Database) {
    db.exec(poisonSchema)
    this.#insert = db.prepare(`INSERT INTO poison (node, stream, seq, received, encoding, reason, payload)
      VALUES (@node, @stream, @seq, @received, @encoding, @reason, @payload)`)
    this.#trim = db.prepare('DELETE FROM poison WHERE id <= ?')
    this.#newest = db.prepare(`SELECT node, stream, seq, received, encoding, reason, payload FROM poison
      ORDER BY id DESC LIMIT ?`)
  }

  get unwritten(): number {
    return this.#fresh.length
  }

  add(record: PoisonRecord): void {
    this.#fresh.push({ ...record, payload: Buffer.from(record.payload.subarray(0, mostBytes)) })
    if (this.#fresh.length > mostRows) this.#fresh.shift()
  }

  newest(limit: number): readonly PoisonRecord[] {
    const fresh = this.#fresh.slice(-limit).reverse()
    return [...fresh, ...this.#newest.all(limit - fresh.length)]
  }

  write(): void {
    let last = 0
    for (const record of this.#fresh) last = Number(this.#insert.run(record).lastInsertRowid)
    if (last > mostRows) this.#trim.run(last - mostRows)
  }

  written(): void {
    this.#fresh = []
  }
}
