// Finding again what is known by the exact bytes it was described with, without making a string.
//
// Senders repeat themselves: what followed a thing last time follows it now. So each item keeps its successor, and one
// comparison of bytes usually settles it; only a wrong guess costs a look into a Map keyed by the bytes as text.
// Items nest: a resource owns metrics, a metric owns points.

export class Item<T> {
  readonly id: number
  readonly key: Uint8Array
  /** What tells apart items of the same bytes. */
  readonly shape: number
  readonly value: T
  /** What came behind it, and first inside it, last time. */
  next: Item<unknown> | undefined
  first: Item<unknown> | undefined

  constructor(id: number, key: Uint8Array, shape: number, value: T) {
    this.id = id
    this.key = key
    this.shape = shape
    this.value = value
  }
}

export class Intern {
  readonly #most: number
  readonly #known = new Map<string, Item<unknown>>()
  #lastId = 0
  root = new Item(0, new Uint8Array(0), 0, undefined)

  /**
   * Holds at most `most` items. When full it forgets all of them: to evict the oldest, every item found would have to be
   * noted, on the hot path, while starting over costs each living item one insertion. What was found stays usable.
   */
  constructor(most: number) {
    this.#most = most
  }

  /** `last` is the item found before within the same owner, if any. Whoever owns an item fixes its type. */
  find<T>(owner: Item<unknown>, last: Item<T> | undefined, shape: number, key: Key): Item<T> | undefined {
    const guess = last === undefined ? owner.first : last.next
    if (guess !== undefined && guess.shape === shape && key.equals(guess.key)) return guess as Item<T>
    const found = this.#known.get(textOf(owner, shape, key))
    if (found !== undefined) follow(owner, last, found)
    return found as Item<T> | undefined
  }

  add<T>(owner: Item<unknown>, last: Item<T> | undefined, shape: number, key: Key, value: T): Item<T> {
    if (this.#known.size >= this.#most) this.clear()
    const item = new Item(++this.#lastId, key.copy(), shape, value)
    this.#known.set(textOf(owner, shape, key), item)
    follow(owner, last, item)
    return item
  }

  clear(): void {
    this.#known.clear()
    this.root = new Item(0, new Uint8Array(0), 0, undefined)
  }
}

function follow(owner: Item<unknown>, last: Item<unknown> | undefined, item: Item<unknown>): void {
  if (last === undefined) owner.first = item
  else last.next = item
}

function textOf(owner: Item<unknown>, shape: number, key: Key): string {
  return `${owner.id} ${shape} ${key.latin1()}`
}

/** The bytes of some fields of one message: a view if they lie side by side, as from every usual encoder, else a copy. */
export class Key {
  readonly #source: Uint8Array
  #copy: Uint8Array | undefined
  #bytes: Uint8Array
  #start = 0
  #end = 0

  constructor(source: Uint8Array) {
    this.#source = source
    this.#bytes = source
  }

  clear(): void {
    this.#bytes = this.#source
    this.#start = 0
    this.#end = 0
  }

  add(start: number, end: number): void {
    if (this.#end === 0) this.#start = start
    else if (this.#bytes !== this.#source || this.#end !== start) {
      this.#append(start, end)
      return
    }
    this.#end = end
  }

  /** The pieces are parts of the source: a buffer of its size holds them all, and no piece is moved twice. */
  #append(start: number, end: number): void {
    if (this.#bytes === this.#source) {
      this.#copy ??= new Uint8Array(this.#source.length)
      this.#copy.set(this.#source.subarray(this.#start, this.#end))
      this.#end -= this.#start
      this.#start = 0
      this.#bytes = this.#copy
    }
    this.#bytes.set(this.#source.subarray(start, end), this.#end)
    this.#end += end - start
  }

  equals(other: Uint8Array): boolean {
    const bytes = this.#bytes
    const start = this.#start
    if (other.length !== this.#end - start) return false
    for (let n = 0; n < other.length; n++) if (other[n] !== bytes[start + n]) return false
    return true
  }

  copy(): Uint8Array {
    return this.#bytes.slice(this.#start, this.#end)
  }

  latin1(): string {
    const { buffer, byteOffset } = this.#bytes
    return Buffer.from(buffer, byteOffset + this.#start, this.#end - this.#start).toString('latin1')
  }
}
