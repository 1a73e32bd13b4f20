// What is known of each device a file lists: made at its first line, found again without making its name a string, and
// forgotten once the file no longer lists it.

/** What a parser of such a file is given: `begin`, `at` for the name on each line, `end` after the last. */
export interface Listing<T> {
  begin(): void
  /** The device whose name lies at these bytes. */
  at(bytes: Buffer, start: number, end: number): T
  /** Ends a pass over a whole list. Not called after a list that could not be read: its devices stay known. */
  end(): void
}

interface Known<T> {
  readonly name: Buffer
  readonly device: T
}

export class Devices<T> implements Listing<T> {
  readonly #make: (name: string) => T
  readonly #forget: (device: T) => void
  readonly #known = new Map<string, Known<T>>()
  /** As listed in the last pass, and so far in this one. */
  #before: Known<T>[] = []
  #now: Known<T>[] = []

  /** `make` is called once a device, `forget` when it vanished. */
  constructor(make: (name: string) => T, forget: (device: T) => void = () => {}) {
    this.#make = make
    this.#forget = forget
  }

  begin(): void {
    this.#now = []
  }

  at(bytes: Buffer, start: number, end: number): T {
    const expected = this.#before[this.#now.length]
    const isExpected = expected !== undefined && isAt(expected.name, bytes, start, end)
    const known = isExpected ? expected : this.#lookUp(bytes.toString('utf8', start, end))
    this.#now.push(known)
    return known.device
  }

  end(): void {
    this.#before = this.#now
    if (this.#now.length === this.#known.size) return
    const present = new Set(this.#now)
    for (const [name, known] of this.#known) {
      if (present.has(known)) continue
      this.#known.delete(name)
      this.#forget(known.device)
    }
  }

  /** All devices known. */
  *all(): Iterable<T> {
    for (const { device } of this.#known.values()) yield device
  }

  #lookUp(name: string): Known<T> {
    const known = this.#known.get(name) ?? { name: Buffer.from(name), device: this.#make(name) }
    this.#known.set(name, known)
    return known
  }
}

/** Names are short: a loop is quicker than a call into the runtime. */
function isAt(name: Buffer, bytes: Buffer, start: number, end: number): boolean {
  if (name.length !== end - start) return false
  for (let n = 0; n < name.length; n++) if (bytes[start + n] !== name[n]) return false
  return true
}
