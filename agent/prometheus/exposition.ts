// What an endpoint exposes, read again and again: the Prometheus text format 0.0.4 and OpenMetrics 1.0.
//
// Endpoints repeat themselves, so each line's name and labels are kept as bytes with what was made of them, and each
// knows what followed it last time: a line known from before costs one comparison and its number. Only what is new is
// taken apart.

import { type Identity, Lines } from './line.ts'

export const formats = ['text', 'openmetrics'] as const
export type Format = (typeof formats)[number]

const types = [
  'counter',
  'gauge',
  'histogram',
  'gaugehistogram',
  'summary',
  'info',
  'stateset',
  'unknown',
  'untyped',
] as const
export type MetricType = (typeof types)[number]

/** What its TYPE and UNIT lines say of a metric. */
export interface Family {
  readonly name: string
  readonly type: MetricType
  readonly unit: string
}

/** A sample met for the first time. */
export interface NewSample extends Identity {
  /** Undefined where no TYPE line speaks of it. */
  readonly family: Family | undefined
}

/** One line's name and labels, or one whole line that speaks of a family. */
interface Line<T> {
  readonly key: Uint8Array
  readonly made: T
  readonly isMeta: boolean
  next: Line<T> | undefined
  /** In which reading it was met last. */
  seen: number
}

const [newline, space, tab, hash, open] = [10, 32, 9, 35, 123]
const endOfFile = Buffer.from('# EOF')
const metaWords = { type: Buffer.from('# TYPE '), unit: Buffer.from('# UNIT ') } as const
/** What may follow a family's name in the names of its samples. */
const suffixes = ['_total', '_bucket', '_count', '_sum', '_created', '_info', '_gcount', '_gsum']
/** Lines kept that the last reading did not meet, beside as many as it met. */
const spareLines = 1000

export class Exposition<T> {
  readonly #origin: string
  readonly #make: (sample: NewSample) => T
  readonly #lines = new Map<string, Line<T>>()
  readonly #families = new Map<string, Family>()
  /** The line that said what is known of a family, by word and name. */
  readonly #spoken = new Map<string, Line<T>>()
  /** Names of families, and of samples without one, that something was made for; and in which reading. */
  readonly #used = new Map<string, number>()
  #first: Line<T> | undefined
  /** The line met before, in this reading. */
  #last: Line<T> | undefined
  #reading = 0
  /** Lines of this reading. */
  #met = 0

  /** `make` is called once for each name and labels, and again after a family changed; `origin` is for errors. */
  constructor(origin: string, make: (sample: NewSample) => T) {
    this.#origin = origin
    this.#make = make
  }

  /**
   * Calls `take` for each sample in the order of the bytes; `time` in ms where one is given.
   * @throws Error that names the origin and the line; then what was taken is half of a whole.
   */
  read(bytes: Buffer, format: Format, take: (made: T, value: number, time: number | undefined) => void): void {
    const lines = new Lines(this.#origin, bytes)
    const isOpen = format === 'openmetrics'
    this.#last = undefined
    this.#reading++
    this.#met = 0
    let ended = !isOpen
    while (lines.more) {
      const { byte } = lines
      if (byte === newline) lines.at++
      else if (byte === space || byte === tab) lines.blanks()
      else if (byte === hash && isOpen && lines.startsWith(endOfFile)) ended = atEnd(lines)
      else if (byte === hash) this.#meta(lines)
      else {
        const { made } = this.#sample(lines)
        const value = lines.value()
        const time = isOpen ? lines.seconds() : lines.milliseconds()
        if (isOpen) lines.exemplar()
        lines.lineEnds()
        take(made, value, time)
      }
    }
    if (!ended) lines.fail('# EOF')
    this.#sweep()
  }

  /** All lines are new then. */
  #forget(): void {
    this.#lines.clear()
    this.#used.clear()
    this.#first = undefined
    this.#last = undefined
  }

  #sample(lines: Lines): Line<T> {
    const guess = this.#last === undefined ? this.#first : this.#last.next
    if (guess !== undefined && !guess.isMeta && lines.startsWith(guess.key) && endsThere(lines, guess.key)) {
      lines.at += guess.key.length
      return this.#follow(guess)
    }
    const start = lines.at
    const end = lines.skipIdentity()
    const text = lines.bytes.toString('latin1', start, end)
    const known = this.#lines.get(text)
    if (known !== undefined) return this.#follow(known)
    lines.at = start
    const identity = lines.identity()
    lines.at = end
    return this.#follow(this.#add(text, this.#make({ ...identity, family: this.#familyOf(identity.name) })))
  }

  #follow(line: Line<T>): Line<T> {
    if (this.#last === undefined) this.#first = line
    else this.#last.next = line
    line.seen = this.#reading
    this.#met++
    this.#last = line
    return line
  }

  #add(text: string, made: T, isMeta = false): Line<T> {
    const line = { key: Buffer.from(text, 'latin1'), made, isMeta, next: undefined, seen: 0 }
    this.#lines.set(text, line)
    return line
  }

  /** A TYPE or UNIT line; any other comment is passed over. */
  #meta(lines: Lines): void {
    const guess = this.#last === undefined ? this.#first : this.#last.next
    if (guess?.isMeta && lines.startsWith(guess.key)) {
      lines.at += guess.key.length
      this.#follow(guess)
      return
    }
    const word = lines.startsWith(metaWords.type) ? 'type' : lines.startsWith(metaWords.unit) ? 'unit' : undefined
    if (word === undefined) {
      lines.skipLine()
      return
    }
    const start = lines.at
    lines.at += metaWords[word].length
    const subject = this.#speak(lines, word)
    lines.lineEnds()
    const text = lines.bytes.toString('latin1', start, lines.at)
    // Its `made` is never asked for.
    const line = this.#follow(this.#lines.get(text) ?? this.#add(text, undefined as T, true))
    this.#spoken.set(subject, line)
  }

  /** Takes in what the line says; gives the word and the name it is about. */
  #speak(lines: Lines, word: 'type' | 'unit'): string {
    const name = lines.word()
    lines.blanks()
    const at = lines.at
    const said = lines.byte === newline && word === 'unit' ? '' : lines.word()
    const type = types.find(t => t === said)
    if (word === 'type' && type === undefined) lines.fail(`one of ${types.join(', ')}`, at)
    const subject = `${word} ${name}`
    const known = this.#families.get(name) ?? { name, type: 'unknown', unit: '' }
    const now: Family = word === 'type' ? { ...known, type: type! } : { ...known, unit: said }
    const changes = now.type !== known.type || now.unit !== known.unit
    if (changes && this.#spoken.get(subject)?.seen === this.#reading) lines.fail(`one ${word} of ${name}`, at)
    if (changes || !this.#families.has(name)) this.#families.set(name, now)
    if (changes) this.#outdate(lines, name, at)
    return subject
  }

  /** What was made of the family's samples before no longer holds. */
  #outdate(lines: Lines, name: string, at: number): void {
    const made = ['', ...suffixes].flatMap(suffix => this.#used.get(name + suffix) ?? [])
    if (made.includes(this.#reading)) lines.fail(`what is said of ${name} before its samples`, at)
    if (made.length > 0) this.#forget()
  }

  #familyOf(name: string): Family | undefined {
    const suffix = ['', ...suffixes].find(
      s => name.endsWith(s) && this.#families.has(name.slice(0, name.length - s.length)),
    )
    const family = suffix === undefined ? undefined : this.#families.get(name.slice(0, name.length - suffix.length))
    this.#used.set(family?.name ?? name, this.#reading)
    return family
  }

  /** What comes and goes does not pile up. */
  #sweep(): void {
    if (this.#last !== undefined) this.#last.next = undefined
    if (this.#families.size + this.#used.size > 3 * this.#met + spareLines) {
      this.#families.clear()
      this.#spoken.clear()
      this.#forget()
    } else if (this.#lines.size > 3 * this.#met + spareLines) {
      for (const [text, line] of this.#lines) if (line.seen !== this.#reading) this.#lines.delete(text)
    }
  }
}

/** Nothing may follow `# EOF`. */
function atEnd(lines: Lines): true {
  lines.at += endOfFile.length
  if (lines.more) lines.lineEnds()
  if (lines.more) lines.fail('nothing behind # EOF')
  return true
}

/** `up` must not be taken for the beginning of `up_since`, nor `up` of `up {job="x"}`. */
function endsThere(lines: Lines, key: Uint8Array): boolean {
  const { bytes } = lines
  let at = lines.at + key.length
  if (bytes[at] !== space && bytes[at] !== tab) return false
  while (bytes[at] === space || bytes[at] === tab) at++
  return bytes[at] !== open
}
