// One table of what is remembered, and over it what messages changed that are still on their way to the disk. Mostly
// there is nothing of that: then looking something up is a look into a map.

import { own } from './own.ts'

/** A map as far as the mapper needs one. */
export interface Table<V> {
  get(key: string): V | undefined
  set(key: string, value: V): void
  delete(key: string): void
}

/** A message's view of a ledger. It is written to before the next one is opened. */
export interface Page<V> extends Table<V> {
  /** What the message changed counts from now on. The keys whose values became different. */
  apply(): readonly string[]
  /** Forgets it. After `apply` it does nothing. */
  drop(): void
}

/** Entries of one table; the oldest go. */
const most = 10_000
const nothing: readonly string[] = []

interface Held<V> {
  readonly page: OpenPage<V>
  readonly value: V | undefined
}

export class Ledger<V> {
  readonly entries: Map<string, V>
  /** Of a key: what pages not applied yet say, the newest last. */
  readonly #held = new Map<string, Held<V>[]>()

  constructor(entries: Iterable<readonly [string, V]> = []) {
    this.entries = new Map(entries)
  }

  page(): Page<V> {
    return new OpenPage(this)
  }

  get(key: string): V | undefined {
    const held = this.#held.size === 0 ? undefined : this.#held.get(key)
    return held === undefined ? this.entries.get(key) : held.at(-1)!.value
  }

  /** Whether setting it would change nothing, whatever becomes of the messages under way. */
  isPlain(key: string, value: V | undefined): boolean {
    return !this.#held.has(key) && this.entries.get(key) === value
  }

  hold(page: OpenPage<V>, key: string, value: V | undefined): void {
    const others = (this.#held.get(key) ?? []).filter(held => held.page !== page)
    this.#held.set(key, [...others, { page, value }])
  }

  /** What the page held of the key. */
  release(page: OpenPage<V>, key: string): V | undefined {
    const held = this.#held.get(key) ?? []
    const others = held.filter(one => one.page !== page)
    if (others.length === 0) this.#held.delete(key)
    else this.#held.set(key, others)
    return held.find(one => one.page === page)?.value
  }

  /** Whether it became different. */
  store(key: string, value: V | undefined): boolean {
    const before = this.entries.get(key)
    if (before === value || JSON.stringify(before) === JSON.stringify(value)) return false
    this.entries.delete(key)
    if (value !== undefined) this.entries.set(own(key), value)
    if (this.entries.size > most) this.entries.delete(this.entries.keys().next().value!)
    return true
  }
}

class OpenPage<V> implements Page<V> {
  readonly #ledger: Ledger<V>
  #keys: Set<string> | undefined

  constructor(ledger: Ledger<V>) {
    this.#ledger = ledger
  }

  get(key: string): V | undefined {
    return this.#ledger.get(key)
  }

  set(key: string, value: V): void {
    this.#hold(key, value)
  }

  delete(key: string): void {
    this.#hold(key, undefined)
  }

  #hold(key: string, value: V | undefined): void {
    if (this.#ledger.isPlain(key, value)) return
    this.#keys ??= new Set()
    this.#keys.add(key)
    this.#ledger.hold(this, key, value)
  }

  apply(): readonly string[] {
    if (this.#keys === undefined) return nothing
    const changed = [...this.#keys].filter(key => this.#ledger.store(key, this.#ledger.release(this, key)))
    this.#keys = undefined
    return changed
  }

  drop(): void {
    for (const key of this.#keys ?? nothing) this.#ledger.release(this, key)
    this.#keys = undefined
  }
}
