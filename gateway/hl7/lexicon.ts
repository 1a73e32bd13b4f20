// Codes and units as fields write them, read once: a monitor sends the same thirty every second.

import { type Coded, readCoded } from './coded.ts'
import type { Encoding } from './escape.ts'
import type { Field } from './segment.ts'
import { unitFieldOf, unitOf } from './units.ts'

export interface Words {
  coded(field: Field): Coded | undefined
  unit(field: Field): string | undefined
}

/** Different fields remembered for one way to delimit, and ways. */
const most = 10_000
const ways = 4

export class Lexicon {
  readonly #local: ReadonlySet<string>
  readonly #words = new Map<string, Words>()

  constructor(localCodes: readonly string[]) {
    this.#local = new Set(localCodes)
  }

  /** The same text means another thing under other delimiters. */
  of(encoding: Encoding): Words {
    const { component, repetition, subcomponent, charset } = encoding
    const way = [component, repetition, encoding.escape, subcomponent, charset].join('\r')
    const known = this.#words.get(way)
    if (known !== undefined) return known
    if (this.#words.size >= ways) this.#words.clear()
    const words: Words = {
      coded: remembered(field => readCoded(field, this.#local)),
      unit: remembered(field => unitOf(unitFieldOf(field))),
    }
    this.#words.set(way, words)
    return words
  }
}

function remembered<T>(read: (field: Field) => T): (field: Field) => T {
  const known = new Map<string, T>()
  return field => {
    const { text } = field
    const before = known.get(text)
    if (before !== undefined || known.has(text)) return before!
    if (known.size >= most) known.clear()
    const value = read(field)
    known.set(text, value)
    return value
  }
}
