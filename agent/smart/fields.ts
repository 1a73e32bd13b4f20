// The fields of a JSON report, read by what they should be. What is absent is undefined. What is there and is not as it
// should be is undefined too, and noted: other versions of a program say things in other ways, and one field of that kind
// must not cost the others.

import { isMap } from '../../core/shape.ts'

/** The kernel's and the drives' counters are at most 64 bits; what has the top bit set went below zero. */
const negative = 2 ** 63
const longestText = 200
const longestList = 1000
const mostNotes = 20

export class Fields {
  readonly #map: Readonly<Record<string, unknown>>
  readonly #place: string
  readonly #strange: string[]

  constructor(map: Readonly<Record<string, unknown>>, place: string, strange: string[]) {
    this.#map = map
    this.#place = place
    this.#strange = strange
  }

  get keys(): readonly string[] {
    return Object.keys(this.#map)
  }

  text(key: string): string | undefined {
    const found = this.#as(key, 'a text', (raw): raw is string => typeof raw === 'string')
    return found?.trim().slice(0, longestText) || undefined
  }

  flag(key: string): boolean | undefined {
    return this.#as(key, 'true or false', (raw): raw is boolean => typeof raw === 'boolean')
  }

  /** Above 2^53 rounded to a double. */
  number(key: string): number | undefined {
    return this.#as(key, 'a number', (raw): raw is number => typeof raw === 'number' && Math.abs(raw) < negative)
  }

  /** A whole number of 0 to 2^63 - 1. */
  count(key: string): number | undefined {
    return this.#as(key, 'a count', isCount)
  }

  /** The fields below; none where there is no such map. */
  map(key: string): Fields {
    const found = this.#as(key, 'a map', isMap)
    return new Fields(found ?? {}, this.#at(key), this.#strange)
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#map, key)
  }

  /** The maps in a list. */
  list(key: string): readonly Fields[] {
    return this.#list(key).flatMap((raw, n) => {
      if (isMap(raw)) return [new Fields(raw, this.#at(`${key}[${n}]`), this.#strange)]
      // smartctl leaves null where an entry of a log is not in use.
      if (raw !== null) this.#note(`${key}[${n}]`, 'a map')
      return []
    })
  }

  /** The numbers in a list, undefined where there is none. */
  numbers(key: string): readonly (number | undefined)[] {
    return this.#list(key).map(raw => (typeof raw === 'number' && Math.abs(raw) < negative ? raw : undefined))
  }

  #list(key: string): readonly unknown[] {
    const found = this.#as(key, 'a list', (raw): raw is readonly unknown[] => Array.isArray(raw)) ?? []
    if (found.length > longestList) this.#note(key, `at most ${longestList} entries`)
    return found.slice(0, longestList)
  }

  #as<T>(key: string, expected: string, fits: (raw: unknown) => raw is T): T | undefined {
    if (!Object.hasOwn(this.#map, key)) return undefined
    const raw = this.#map[key]
    if (fits(raw)) return raw
    if (raw !== null) this.#note(key, expected)
    return undefined
  }

  #note(key: string, expected: string): void {
    if (this.#strange.length < mostNotes) this.#strange.push(`${this.#at(key)} is not ${expected}`)
  }

  #at(key: string): string {
    return this.#place === '' ? key : `${this.#place}.${key}`
  }
}

export function isCount(raw: unknown): raw is number {
  return typeof raw === 'number' && Number.isInteger(raw) && raw >= 0 && raw < negative
}

/** Milliseconds since the epoch that a Date can hold. */
export function isTime(raw: unknown): raw is number {
  return isCount(raw) && raw <= 8.64e15
}

/** The fields of a file. @throws Error that names the file where it is not a JSON map. */
export function parseFields(file: string, bytes: Buffer, strange: string[]): Fields {
  let raw: unknown
  try {
    raw = JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw new Error(`${file}: is not JSON`, { cause })
  }
  if (!isMap(raw)) throw new Error(`${file}: expected a JSON map`)
  return new Fields(raw, '', strange)
}
