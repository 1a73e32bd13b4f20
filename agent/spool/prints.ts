// The keys of `once.ts` in memory: 12 bytes each in tables at most half full.

/** What is kept of a key: 84 bits of its SHA-256. Among a million the chance that two are alike is one in 10^13. */
export interface Print {
  readonly hash: number
  readonly rest: number
}

export function printOf(key: string): Print {
  // `node:crypto` takes 3 MB of RSS, which only who uses keys shall pay.
  const bytes = process.getBuiltinModule('node:crypto').hash('sha256', key, 'buffer')
  return { hash: 1 + bytes.readUIntBE(0, 6) * 16 + (bytes[6]! & 15), rest: bytes.readUInt32BE(8) }
}

/** Of a million prints in one table 0.1 s would pass while it grows; here each grows by itself. */
const tables = 64

export class Prints {
  readonly #tables = Array.from({ length: tables }, () => new Table())

  has(print: Print): boolean {
    return this.#of(print).has(print)
  }

  add(print: Print): void {
    this.#of(print).add(print)
  }

  delete(print: Print): void {
    this.#of(print).delete(print)
  }

  #of({ rest }: Print): Table {
    return this.#tables[rest % tables]!
  }
}

/** By open addressing. 0: free; -1: one was here, and others may lie behind it. */
class Table {
  #size = 0
  #used = 0
  #hashes = new Float64Array(8)
  #rests = new Uint32Array(8)

  has(print: Print): boolean {
    return this.#find(print) >= 0
  }

  add(print: Print): void {
    if (this.has(print)) return
    if ((this.#used + 1) * 2 > this.#hashes.length) this.#grow()
    this.#place(print.hash, print.rest)
    this.#size++
  }

  delete(print: Print): void {
    const at = this.#find(print)
    if (at < 0) return
    this.#hashes[at] = -1
    this.#size--
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
    const slots = this.#size * 4 > hashes.length ? hashes.length * 2 : hashes.length
    this.#hashes = new Float64Array(slots)
    this.#rests = new Uint32Array(slots)
    this.#used = 0
    for (const [n, hash] of hashes.entries()) if (hash > 0) this.#place(hash, rests[n]!)
  }
}
