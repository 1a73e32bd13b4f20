// What a configuration value must look like. Small on purpose: an agent lives with it, so no schema library here.
// A shape reports every problem it meets to the place it is given and still returns a value, so that one reading
// finds all mistakes; nobody uses the value when there were problems.

import { hideSecrets } from './log.ts'

export type Path = readonly (string | number)[]

export interface Problem {
  readonly path: Path
  /** What is wrong and what would be right, without the place. */
  readonly message: string
  /** The problem is the key itself, not its value. */
  readonly key?: true
  /** Where the same thing was said before. */
  readonly first?: Path
}

export class Place {
  readonly path: Path
  readonly problems: Problem[]
  /** Keys of the map here that somebody else reads. */
  readonly taken: readonly string[]

  constructor(path: Path = [], problems: Problem[] = [], taken: readonly string[] = []) {
    this.path = path
    this.problems = problems
    this.taken = taken
  }

  at(key: string | number): Place {
    return new Place([...this.path, key], this.problems)
  }

  /** The same place for a shape that shares its map with whoever reads `keys`. */
  sharing(keys: readonly string[]): Place {
    return new Place(this.path, this.problems, keys)
  }

  wrong(message: string): void {
    this.problems.push({ path: this.path, message })
  }

  wrongKey(message: string): void {
    this.problems.push({ path: this.path, message, key: true })
  }

  /** What stands here was already said at `first`. */
  again(message: string, first: Path): void {
    this.problems.push({ path: this.path, message, first })
  }
}

export interface Shape<T> {
  /** `raw` is undefined where the key is absent. */
  read(raw: unknown, place: Place): T
  /** For messages and docs: `a duration such as 10s`. */
  readonly expects: string
  /** Absent is fine. */
  readonly optional?: true
  /** Of a map with known keys: what each holds. */
  readonly fields?: Fields
}

/** A shape from one question: what `parse` makes of the value, or undefined where it is not as expected. */
export function shape<T>(expects: string, parse: (raw: unknown, place: Place) => T | undefined): Shape<T> {
  const read = (raw: unknown, place: Place): T => {
    const before = place.problems.length
    const value = raw === undefined ? undefined : parse(raw, place)
    if (value === undefined && place.problems.length === before) place.wrong(`expected ${expects}${got(raw)}`)
    return value as T
  }
  return { read, expects }
}

function got(raw: unknown): string {
  if (raw === undefined) return ', but it is missing'
  if (raw === null) return ', got nothing'
  if (typeof raw === 'object') return Array.isArray(raw) ? ', got a list' : ', got a map'
  const text = hideSecrets(JSON.stringify(raw) ?? String(raw))
  return `, got ${text.length > 60 ? `${text.slice(0, 57)}...` : text}`
}

/** The value if absent. */
export function optional<T>(inner: Shape<T>, fallback: T): Shape<T>
export function optional<T>(inner: Shape<T>): Shape<T | undefined>
export function optional<T>(inner: Shape<T>, fallback?: T): Shape<T | undefined> {
  const read = (raw: unknown, place: Place) => (raw === undefined || raw === null ? fallback : inner.read(raw, place))
  return { ...inner, read, optional: true }
}

export const text = shape('a text', raw => (typeof raw === 'string' && raw !== '' ? raw : undefined))
export const bool = shape('true or false', raw => (typeof raw === 'boolean' ? raw : undefined))
export const number = shape('a number', raw => (typeof raw === 'number' && Number.isFinite(raw) ? raw : undefined))
export const positive = shape('a number above 0', raw =>
  typeof raw === 'number' && Number.isFinite(raw) && raw > 0 ? raw : undefined,
)

/** An attribute's value. */
export const scalar = shape('a text, a number, true or false', raw => {
  if (typeof raw === 'number') return Number.isFinite(raw) ? raw : undefined
  return typeof raw === 'string' || typeof raw === 'boolean' ? raw : undefined
})
export const absolutePath = matching(/^\/[^\0]*$/, 'an absolute path such as /etc/fieldline')

/** A text that `pattern` matches; `expects` says so in words. */
export function matching(pattern: RegExp, expects: string): Shape<string> {
  return shape(expects, raw => (typeof raw === 'string' && pattern.test(raw) ? raw : undefined))
}

export function integer(min: number, max: number): Shape<number> {
  const fits = (raw: unknown): raw is number =>
    Number.isInteger(raw) && (raw as number) >= min && (raw as number) <= max
  return shape(`a whole number from ${min} to ${max}`, raw => (fits(raw) ? raw : undefined))
}

export function oneOf<const T extends string>(values: readonly T[]): Shape<T> {
  return shape(`one of ${values.join(', ')}`, raw => values.find(v => v === raw))
}

const durationUnits = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** `250ms`, `10s`, `5m`, `1h`, `7d`: in milliseconds, between the bounds (also ms). */
export function duration(min = 1, max = 3650 * durationUnits.d): Shape<number> {
  return shape(`a duration such as 10s (units: ms, s, m, h, d; from ${short(min)} to ${short(max)})`, raw => {
    const ms = parseDuration(raw)
    return ms !== undefined && ms >= min && ms <= max ? ms : undefined
  })
}

/** Milliseconds of `10s`, or undefined. */
export function parseDuration(raw: unknown): number | undefined {
  const m = typeof raw === 'string' ? /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/.exec(raw) : null
  return m ? Number(m[1]) * durationUnits[m[2] as keyof typeof durationUnits] : undefined
}

function short(ms: number): string {
  const unit = (['d', 'h', 'm', 's'] as const).find(u => ms % durationUnits[u] === 0) ?? 'ms'
  return `${ms / durationUnits[unit]}${unit}`
}

const byteUnits = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 } as const

/** `512KiB`, `64MiB`, `2GiB`: in bytes, at least `min`. */
export function size(min = 0): Shape<number> {
  const least = min === 0 ? '' : `; at least ${shortSize(min)}`
  return shape(`a size such as 64MiB (units: B, KiB, MiB, GiB, TiB${least})`, raw => {
    const m = typeof raw === 'string' ? /^(\d+(?:\.\d+)?)\s*(B|KiB|MiB|GiB|TiB)$/.exec(raw) : null
    const value = m ? Math.round(Number(m[1]) * byteUnits[m[2] as keyof typeof byteUnits]) : -1
    return value >= min ? value : undefined
  })
}

function shortSize(value: number): string {
  const unit = (['TiB', 'GiB', 'MiB', 'KiB'] as const).find(u => value % byteUnits[u] === 0) ?? 'B'
  return `${value / byteUnits[unit]}${unit}`
}

export const bytes: Shape<number> = size()

export function list<T>(item: Shape<T>, max = 10_000): Shape<readonly T[]> {
  return shape(`a list of at most ${max}, each ${item.expects}`, (raw, place) =>
    Array.isArray(raw) && raw.length <= max ? raw.map((r, n) => item.read(r, place.at(n))) : undefined,
  )
}

export function record<T>(value: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return shape(`a map, each value ${value.expects}`, (raw, place) =>
    isMap(raw) ? Object.fromEntries(Object.entries(raw).map(([k, v]) => [k, value.read(v, place.at(k))])) : undefined,
  )
}

export type Fields = Readonly<Record<string, Shape<unknown>>>
export type Of<F extends Fields> = { readonly [K in keyof F]: F[K] extends Shape<infer T> ? T : never }

/** What `inner` reads, with a rule across its parts; asked only where `inner` found nothing wrong. */
export function refined<T>(inner: Shape<T>, rule: (value: T, place: Place) => void): Shape<T> {
  const read = (raw: unknown, place: Place): T => {
    const before = place.problems.length
    const value = inner.read(raw, place)
    if (place.problems.length === before) rule(value, place)
    return value
  }
  return { ...inner, read }
}

/** A map with exactly these keys; an unknown key is a problem that names the nearest known one. */
export function object<F extends Fields>(fields: F, what = 'a map'): Shape<Of<F>> {
  const map = shape(`${what} with ${Object.keys(fields).join(', ')}`, (raw, place) => {
    if (!isMap(raw)) return undefined
    const known = [...place.taken, ...Object.keys(fields)]
    for (const key of Object.keys(raw)) if (!known.includes(key)) unknownKey(key, known, place)
    const entries = Object.entries(fields).map(([key, field]) => [key, field.read(raw[key], place.at(key))])
    return Object.fromEntries(entries) as Of<F>
  })
  return { ...map, fields }
}

export function isMap(raw: unknown): raw is Record<string, unknown> {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw)
}

function unknownKey(key: string, known: readonly string[], place: Place): void {
  if (known.includes(`${key}_file`)) {
    place.at(key).wrongKey(`a secret does not belong in this file; write ${key}_file: with the file that holds it`)
    return
  }
  const near = nearest(key, known)
  const hint = near === undefined ? `known keys: ${known.join(', ')}` : `did you mean ${near}?`
  place.at(key).wrongKey(`unknown key ${key}; ${hint}`)
}

/** The known word within a third of its length in edits, if any. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const scored = known.map(k => ({ k, d: edits(word, k) })).sort((a, b) => a.d - b.d)
  const best = scored[0]
  return best && best.d <= Math.max(1, Math.ceil(best.k.length / 3)) ? best.k : undefined
}

/** Levenshtein distance. */
function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, n) => n)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1))
    }
    row = next
  }
  return row[b.length]!
}
