// What the spool knows in memory: its streams, how far each is put, drained and erased, and the totals.
//
// Every stream's rows lie in (floor, last]; rows up to `floor` are delivered everywhere or given up, and count no more.
// `erased` lags behind `floor`: erasing waits for the next transaction, so that a drain costs no fsync of its own.

import { type Row, seqRange } from './tables.ts'

export const lanes = ['events', 'metrics'] as const
export type Lane = (typeof lanes)[number]

export interface Stream {
  readonly n: number
  readonly name: string
  readonly lane: Lane
  /** Opened by this process: every seq up to `last` is its own. */
  readonly own: boolean
  /** Highest seq put. */
  last: number
  floor: number
  erased: number
  /** Rows in (floor, last] and their size. */
  envelopes: number
  bytes: number
  /** Per uplink the highest seq it is done with. */
  readonly places: Map<string, number>
  /** Per uplink seqs beyond its place that the far end will never take. */
  readonly skips: Map<string, Set<number>>
  /** Places or floor changed since they were last written. */
  owing: boolean
}

const letters = '0123456789abcdefghijklmnopqrstuvwxyz'

/** To tell apart, not to keep secret: `node:crypto` would cost 3 MB of RSS. */
export function randomName(length: number): string {
  return Array.from({ length }, () => letters[Math.floor(Math.random() * letters.length)]).join('')
}

export class Book {
  readonly streams = new Map<number, Stream>()
  readonly #byName = new Map<string, Stream>()
  readonly #id: string
  /** A file put back from a backup counts on from an old number: the salt keeps its new streams apart from lost ones. */
  readonly #salt = randomName(6)
  #nextStream = 1
  current: Partial<Record<Lane, Stream>> = {}
  bytes = 0
  envelopes = 0

  constructor(id: string) {
    this.#id = id
  }

  named(name: string): Stream | undefined {
    return this.#byName.get(name)
  }

  open(lane: Lane, changes: Undo): Stream {
    const n = this.#nextStream++
    const stream = blank(n, `${this.#id}.${lane}.${n}-${this.#salt}`, lane, true)
    changes.add(() => this.remove(stream))
    this.#add(stream)
    this.current[lane] = stream
    return stream
  }

  /** A stream found in the file. */
  adopt(n: number, name: string, lane: Lane, first: number, last: number): Stream {
    const stream = { ...blank(n, name, lane, false), last, floor: first - 1, erased: first - 1 }
    this.#nextStream = Math.max(this.#nextStream, n + 1)
    this.#add(stream)
    return stream
  }

  #add(stream: Stream): void {
    this.streams.set(stream.n, stream)
    this.#byName.set(stream.name, stream)
  }

  remove(stream: Stream): void {
    this.streams.delete(stream.n)
    this.#byName.delete(stream.name)
    if (this.current[stream.lane] === stream) delete this.current[stream.lane]
  }

  /** Counts rows in or out (negative). */
  count(stream: Stream, envelopes: number, bytes: number, changes?: Undo): void {
    changes?.note(stream, 'envelopes', 'bytes')
    changes?.note(this as Book, 'envelopes', 'bytes')
    stream.envelopes += envelopes
    stream.bytes += bytes
    this.envelopes += envelopes
    this.bytes += bytes
  }

  /** Of one lane, oldest first, those with rows; `n` rises with age. */
  *waiting(lane: Lane): Generator<Stream> {
    for (const stream of this.streams.values()) if (stream.lane === lane && stream.envelopes > 0) yield stream
  }
}

function blank(n: number, name: string, lane: Lane, own: boolean): Stream {
  return {
    n,
    name,
    lane,
    own,
    last: 0,
    floor: 0,
    erased: 0,
    envelopes: 0,
    bytes: 0,
    places: new Map(),
    skips: new Map(),
    owing: false,
  }
}

/** The lane in a stream's name, or undefined. */
export function laneOf(name: string): Lane | undefined {
  return lanes.find(lane => name.split('.')[1] === lane)
}

export function keyOf(stream: Stream, seq: number): number {
  return stream.n * seqRange + seq
}

export function seqOf(row: Pick<Row, 'k'>): number {
  return row.k % seqRange
}

/** Where an uplink is done: what lies below the floor is gone, wherever its place is. */
export function placeOf(stream: Stream, uplink: string): number {
  return Math.max(stream.places.get(uplink) ?? 0, stream.floor)
}

/** Remembers what numbers were, so that a transaction that fails leaves the book as the file is. */
export class Undo {
  readonly #steps: (() => void)[] = []

  note<T extends object>(target: T, ...keys: (keyof T)[]): void {
    for (const key of keys) {
      const was = target[key]
      this.#steps.push(() => {
        target[key] = was
      })
    }
  }

  add(step: () => void): void {
    this.#steps.push(step)
  }

  run(): void {
    for (const step of this.#steps.reverse()) step()
  }
}
