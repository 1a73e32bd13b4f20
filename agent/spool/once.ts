// What observations that may come again are known by (`Observation.once`). A key is stored in the transaction of its
// envelope, so that neither is there without the other, and outlives the envelope by days.
//
// Table `once`, made with the first key: a row a key. The first word of a key is whose it is, and each owner has a range of ids, in
// which a put appends and age and number cut a prefix: whoever has many keys makes nobody else's forgotten.
// Beside the file every key is in memory (prints.ts): looking one up costs no disk.

import { crc32 } from 'node:zlib'
import type { Database } from 'better-sqlite3'
import type { Undo } from './book.ts'
import { type Print, Prints, printOf } from './prints.ts'

export interface KeyRow extends Print {
  readonly id: number
  /** When it was put. */
  readonly time: number
  /** The row of `rows` that was stored with it. */
  readonly k: number
}

/** As rows, docs/spool.md: before this the clock was not set, and age is not known. */
const clockSet = Date.UTC(2020, 0, 1)
/** How many aged keys of one owner go with one transaction at most. */
const batch = 1000
/** Ids of one owner, and how many ranges there are; two owners in one, which hardly happens, share their bounds. */
const idsEach = 2 ** 40
const ranges = 2 ** 13

interface Owner {
  /** Ids from here on are its. */
  readonly first: number
  next: number
  count: number
  /** When the oldest that is kept was put; undefined: none is. */
  oldest: number | undefined
}

export class Once {
  readonly #db: Database
  #keys: Prints | undefined
  readonly #owners = new Map<number, Owner>()
  #statements: ReturnType<typeof statements> | undefined

  constructor(db: Database) {
    this.#db = db
  }

  has(key: string): boolean {
    return this.#known().has(printOf(key))
  }

  /** Inside a transaction. */
  add(key: string, k: number, now: number, changes: Undo): void {
    const keys = this.#known()
    const print = printOf(key)
    const { insert } = this.#ready(changes)
    const owner = this.#owner(rangeOf(key))
    changes.note(owner, 'next', 'count', 'oldest')
    insert.run(owner.next++, print.hash, print.rest, now, k)
    owner.count++
    owner.oldest ??= now
    keys.add(print)
    changes.add(() => keys.delete(print))
  }

  /** Inside a transaction: of each owner what is over the number goes, and what is over the age. */
  shed(most: number, maxAge: number, now: number, changes: Undo): void {
    this.#known()
    const { oldest } = this.#ready(changes)
    const isAged = (time: number | undefined): boolean => time !== undefined && time >= clockSet && time < now - maxAge
    for (const owner of this.#owners.values()) {
      const times = isAged(owner.oldest) ? oldest.all(owner.first, owner.next) : []
      const going = Math.max(times.filter(({ time }) => isAged(time)).length, owner.count - most)
      if (going > 0) this.#forget(owner, going, changes)
    }
  }

  #forget(owner: Owner, going: number, changes: Undo): void {
    const keys = this.#known()
    const { oldest, forget } = this.#ready(changes)
    for (const print of forget.all(owner.first, owner.next, going)) {
      keys.delete(print)
      changes.add(() => keys.add(print))
    }
    changes.note(owner, 'count', 'oldest')
    owner.count -= going
    owner.oldest = oldest.get(owner.first, owner.next)?.time
  }

  /** All rows, the oldest first, for a new file. */
  rows(): readonly KeyRow[] {
    return this.#isThere() ? this.#db.prepare<[], KeyRow>('SELECT * FROM once ORDER BY time, id').all() : []
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
      for (const row of this.#db.prepare<[], KeyRow>('SELECT * FROM once ORDER BY id').iterate()) {
        keys.add(row)
        this.#count(row)
      }
    this.#keys = keys
    return keys
  }

  #count({ id, time }: KeyRow): void {
    const owner = this.#owner(Math.floor(id / idsEach))
    owner.next = id + 1
    owner.count++
    owner.oldest ??= time
  }

  #owner(range: number): Owner {
    const known = this.#owners.get(range)
    if (known !== undefined) return known
    const first = range * idsEach
    const made: Owner = { first, next: first, count: 0, oldest: undefined }
    this.#owners.set(range, made)
    return made
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
    insert: db.prepare<[number, number, number, number, number]>('INSERT OR IGNORE INTO once VALUES (?, ?, ?, ?, ?)'),
    oldest: db.prepare<[number, number], { time: number }>(
      `SELECT time FROM once WHERE id >= ? AND id < ? ORDER BY id LIMIT ${batch}`,
    ),
    forget: db.prepare<[number, number, number], Print>(
      'DELETE FROM once WHERE id IN (SELECT id FROM once WHERE id >= ? AND id < ? ORDER BY id LIMIT ?) RETURNING hash, rest',
    ),
  }
}

function rangeOf(key: string): number {
  return crc32(key.split(' ', 1)[0]!) % ranges
}
