// What fields mean, read once: a monitor sends the same thirty codes and units every second, about the same person.

import { type Coded, readCoded } from './coded.ts'
import type { Encoding } from './escape.ts'
import { type Identity, identities } from './identity.ts'
import { type Layout, layouts } from './layout.ts'
import type { Message } from './message.ts'
import type { Field, Segment } from './segment.ts'
import { type Flags, readFlags } from './status.ts'
import { unitFieldOf, unitOf } from './units.ts'

export interface Words {
  coded(field: Field): Coded | undefined
  unit(field: Field): string | undefined
  flags(field: Field): Flags
  identity(message: Message): Identity
  layout(observations: readonly Segment[]): Layout
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
    const way = Object.values(encoding).join('\r')
    const known = this.#words.get(way)
    if (known !== undefined) return known
    if (this.#words.size >= ways) this.#words.clear()
    const words: Omit<Words, 'layout'> = {
      coded: remembered(field => readCoded(field, this.#local)),
      unit: remembered(field => unitOf(unitFieldOf(field))),
      flags: remembered(readFlags),
      identity: identities(),
    }
    const all: Words = { ...words, layout: layouts(words) }
    this.#words.set(way, all)
    return all
  }
}

function remembered<T>(read: (field: Field) => T): (field: Field) => T {
  const known = new Map<string, T>()
  return field => {
    const before = known.get(field.text)
    if (before !== undefined || known.has(field.text)) return before!
    if (known.size >= most) known.clear()
    const kept = field.kept()
    const value = read(kept)
    known.set(kept.text, value)
    return value
  }
}
