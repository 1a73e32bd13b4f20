// Every series the history knows, and the head of each: the samples not yet folded, as time, value, time, value ...

import type { Attributes, Series } from '../../core/model.ts'
import type { Saying } from '../../judge/disks/saying.ts'

/** A series of a node; one object for the process's life, so that it may be held and compared by reference. */
export interface Ref {
  readonly id: number
  readonly node: string
  readonly series: Series
  /** Time of the oldest and of the newest sample, ms since the epoch; Infinity and -Infinity before the first. */
  readonly firstTime: number
  readonly lastTime: number
  /** Samples kept, the head included. */
  readonly count: number
  /** For whoever judges: anything it wants to find again at the next sample. */
  watch: unknown
  /** What it says of a drive; null: nothing; undefined: nobody asked yet. */
  drive: Saying | null | undefined
}

export interface Selector {
  readonly node?: string
  readonly name?: string
  /** Attributes that the series must have with just these values. */
  readonly attributes?: Attributes
  readonly limit?: number
}

const noHead = new Float64Array(0)
const smallestHead = 16

export class SeriesRef implements Ref {
  readonly id: number
  readonly node: string
  readonly series: Series
  firstTime = Number.POSITIVE_INFINITY
  lastTime = Number.NEGATIVE_INFINITY
  count = 0
  watch: unknown = undefined
  drive: Saying | null | undefined = undefined
  head = noHead
  /** Numbers used in `head`: two a sample. */
  used = 0
  /** Time of the oldest sample in the file. */
  keptFirst = Number.POSITIVE_INFINITY
  /** Its row is in the file. */
  stored = false
  /** False once retention removed it; a sample for it then goes to the series of that identity. */
  listed = true

  constructor(id: number, node: string, series: Series) {
    this.id = id
    this.node = node
    this.series = series
  }

  grow(): void {
    const larger = new Float64Array(Math.max(smallestHead, this.head.length * 2))
    larger.set(this.head)
    this.head = larger
  }

  /** Time of the oldest sample in the head. */
  headFirst(): number {
    let first = Number.POSITIVE_INFINITY
    for (let n = 0; n < this.used; n += 2) first = Math.min(first, this.head[n]!)
    return first
  }

  /** Empties the head once it is folded; room that a burst needed and this time did not is given back. */
  clear(): void {
    if (this.used * 4 < this.head.length) this.head = new Float64Array(Math.max(smallestHead, this.head.length / 4))
    this.used = 0
    this.keptFirst = this.firstTime
    this.stored = true
  }
}

/** The identity of a series as a text. */
export function identity(node: string, series: Series): string {
  return JSON.stringify([node, series.name, series.unit, series.kind, canonical(series.attributes)])
}

/** Attributes as JSON with sorted keys. */
export function canonical(attributes: Attributes): string {
  const keys = Object.keys(attributes).sort()
  return JSON.stringify(Object.fromEntries(keys.map(key => [key, attributes[key]])))
}

export class Registry {
  readonly #byIdentity = new Map<string, SeriesRef>()
  readonly #byId = new Map<number, SeriesRef>()
  readonly #byNode = new Map<string, Set<SeriesRef>>()
  #nextId: number

  constructor(nextId: number) {
    this.#nextId = nextId
  }

  get nextId(): number {
    return this.#nextId
  }

  get size(): number {
    return this.#byId.size
  }

  all(): Iterable<SeriesRef> {
    return this.#byId.values()
  }

  get(id: number): SeriesRef | undefined {
    return this.#byId.get(id)
  }

  ref(node: string, series: Series): SeriesRef {
    return this.#byIdentity.get(identity(node, series)) ?? this.list(new SeriesRef(this.#nextId++, node, series))
  }

  /** The listed series of the identity of one that was removed; itself again, if nobody made another since. */
  relist(ref: SeriesRef): SeriesRef {
    return this.#byIdentity.get(identity(ref.node, ref.series)) ?? this.list(ref)
  }

  list(ref: SeriesRef): SeriesRef {
    ref.listed = true
    this.#byIdentity.set(identity(ref.node, ref.series), ref)
    this.#byId.set(ref.id, ref)
    const ofNode = this.#byNode.get(ref.node)
    if (ofNode) ofNode.add(ref)
    else this.#byNode.set(ref.node, new Set([ref]))
    return ref
  }

  remove(ref: SeriesRef): void {
    this.#byIdentity.delete(identity(ref.node, ref.series))
    this.#byId.delete(ref.id)
    const ofNode = this.#byNode.get(ref.node)
    ofNode?.delete(ref)
    if (ofNode?.size === 0) this.#byNode.delete(ref.node)
    ref.listed = false
    ref.lastTime = Number.NEGATIVE_INFINITY
  }

  find(selector: Selector): Ref[] {
    const among = selector.node === undefined ? this.#byId.values() : (this.#byNode.get(selector.node) ?? [])
    const found: Ref[] = []
    const limit = selector.limit ?? Number.POSITIVE_INFINITY
    for (const ref of among) {
      if (found.length >= limit) break
      if (matches(ref.series, selector)) found.push(ref)
    }
    return found
  }
}

function matches(series: Series, { name, attributes = {} }: Selector): boolean {
  if (name !== undefined && series.name !== name) return false
  return Object.entries(attributes).every(([key, value]) => series.attributes[key] === value)
}
