// What observations that may come again are known by (`Observation.once`). A key is stored in the transaction of its
// envelope, so that neither is there without the other, and outlives the envelope by days.
//
// Table `once`, made with the first key: a row a key, the oldest first, so that a put appends and age cuts a prefix.
// Beside the file every key is in memory, 12 bytes in a table at most half full: looking one up costs no disk.
// A key is 84 bits of a SHA-256: among a million of them the chance that two are alike is one in 10^13.

import type { Database } from 'better-sqlite3'
import type { Undo } from './book.ts'

/** What is kept of a key. */
export interface Print {
  readonly hash: number
  readonly rest: number
}

export interface KeyRow extends Print {
  readonly id: number
  /** When it was put. */
  readonly time: number
  /** The row of `rows` that was stored with it. */
  readonly k: number
}

/** As rows, docs/spool.md: before this the clock was not set, and age is not known. */
const clockSet = Date.UTC(2020, 0, 1)
/** How many aged keys go with one transaction at most. */
const batch = 1000

export function printOf(key: string): Print {
  // `node:crypto` takes 3 MB of RSS, which only who uses keys shall pay.
  const bytes = process.getBuiltinModule('node:crypto').hash('sha256', key, 'buffer')
  return { hash: 1 + bytes.readUIntBE(0, 6) * 16 + (bytes[6]! & 15), rest: bytes.readUInt32BE(8) }
}

export class Once {
  readonly #db: Database
  #keys: Prints | undefined
  #statements: ReturnType<typeof statements> | undefined

  constructor(db: Database) {
    this.#db = db
  }

  has(key: string): boolean {
    return this.#known().has(printOf(key))
  }

  get size(): number {
    return this.#known().size
  }

  /** Inside a transaction. */
  add(key: string, k: number, now: number, changes: Undo): void {
    const keys = this.#known()
    const print = printOf(key)
    const { insert } = this.#ready(changes)
    insert.run(null, print.hash, print.rest, now, k)
    keys.add(print)
    changes.add(() => keys.delete(print))
  }

  /** Inside a transaction: what is over the number goes, and what is over the age. */
  shed(most: number, maxAge: number, now: number, changes: Undo): void {
    const keys = this.#known()
    const { oldest, forget } = this.#ready(changes)
    const isAged = (time: number | undefined): boolean => time !== undefined && time >= clockSet && time < now - maxAge
    const aged = isAged(oldest.get()?.time) ? oldest.all().filter(({ time }) => isAged(time)).length : 0
    const going = Math.max(aged, keys.size - most)
    if (going <= 0) return
    for (const print of forget.all(going)) {
      keys.delete(print)
      changes.add(() => keys.add(print))
    }
  }

  /** All rows, for a new file. */
  rows(): readonly KeyRow[] {
    return this.#isThere() ? this.#db.prepare<[], KeyRow>('SELECT * FROM once ORDER BY id').all() : []
  }

  /** Puts rows of another file back. Inside a transaction; before any other use. */
  restore({ id, hash, rest, time, k }: KeyRow): void {
    this.#statements ??= statements(this.#db)
    this.#statements.insert.run(id, hash, rest, time, k)
  }

  /** Forgets keys whose envelopes were lost: their sender may have the message still. */
  forgetLost(torn: Iterable<number>): void {
    if (!this.#isThere()) return
    const one = this.#db.prepare('DELETE FROM once WHERE k = ?')
    for (const k of torn) one.run(k)
    this.#db.exec(`DELETE FROM once WHERE k NOT IN (SELECT k FROM rows)
      AND k >= (SELECT min(k) FROM rows WHERE rows.k >> 32 = once.k >> 32)`)
  }

  #isThere(): boolean {
    return this.#db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'once'").get() !== undefined
  }

  #known(): Prints {
    if (this.#keys !== undefined) return this.#keys
    const keys = new Prints()
    if (this.#isThere())
      for (const print of this.#db.prepare<[], Print>('SELECT hash, rest FROM once').iterate()) keys.add(print)
    this.#keys = keys
    return keys
  }

  /** The table is made inside the transaction, and is gone again with it. */
  #ready(changes: Undo): ReturnType<typeof statements> {
    if (this.#statements !== undefined) return this.#statements
    changes.add(() => {
      this.#statements = undefined
    })
    this.#statements = statements(this.#db)
    return this.#statements
  }
}

function statements(db: Database) {
  db.exec(
    'CREATE TABLE IF NOT EXISTS once (id INTEGER PRIMARY KEY, hash INTEGER, rest INTEGER, time INTEGER, k INTEGER)',
  )
  return {
    insert: db.prepare<[number | null, number, number, number, number]>(
      'INSERT OR IGNORE INTO once VALUES (?, ?, ?, ?, ?)',
    ),
    oldest: db.prepare<[], { time: number }>(`SELECT time FROM once ORDER BY id LIMIT ${batch}`),
    forget: db.prepare<[number], Print>(
      'DELETE FROM once WHERE id IN (SELECT id FROM once ORDER BY id LIMIT ?) RETURNING hash, rest',
    ),
  }
}

/** A set of prints by open addressing. 0: free; -1: one was here, and others may lie behind it. */
class Prints {
  size = 0
  #used = 0
  #hashes = new Float64Array(64)
  #rests = new Uint32Array(64)

  has(print: Print): boolean {
    return this.#find(print) >= 0
  }

  add(print: Print): void {
    if (this.has(print)) return
    if ((this.#used + 1) * 2 > this.#hashes.length) this.#grow()
    this.#place(print.hash, print.rest)
    this.size++
  }

  delete(print: Print): void {
    const at = this.#find(print)
    if (at < 0) return
    this.#hashes[at] = -1
    this.size--
  }

  #find({ hash, rest }: Print): number {
    const mask = this.#hashes.length - 1
    for (let at = hash % (mask + 1); this.#hashes[at] !== 0; at = (at + 1) & mask) {
      if (this.#hashes[at] === hash && this.#rests[at] === rest) return at
    }
    return -1
  }

  #place(hash: number, rest: number): void {
    const mask = this.#hashes.length - 1
    let at = hash % (mask + 1)
    while (this.#hashes[at] !== 0) at = (at + 1) & mask
    this.#hashes[at] = hash
    this.#rests[at] = rest
    this.#used++
  }

  /** Also where most of what is used is gone: then the size stays. */
  #grow(): void {
    const [hashes, rests] = [this.#hashes, this.#rests]
    const slots = this.size * 4 > hashes.length ? hashes.length * 2 : hashes.length
    this.#hashes = new Float64Array(slots)
    this.#rests = new Uint32Array(slots)
    this.#used = 0
    for (const [n, hash] of hashes.entries()) if (hash > 0) this.#place(hash, rests[n]!)
  }
}
