// HL7 v2 messages, 2.1 to 2.8 (v2.8.2, chapter 2). Pure: bytes in, text with lazy accessors out. Nothing is lost on the
// way: `bytes` is what came, and `head` with every segment's `text` and `end` is the whole text again.
//
// What senders do and the standard does not: a byte order mark or noise in front of MSH, segments that end with LF or
// CRLF, a line break within a text. A line that does not begin as a segment does belongs to the segment before it.

import { type Charset, decode, textOf, wideOrder } from './charset.ts'
import type { Encoding } from './escape.ts'
import { Segment } from './segment.ts'

/** How far behind the beginning MSH is looked for, bytes. */
const mostNoise = 120
/** Where MSH-18 must have come, bytes. */
const mostHeader = 8192

/** The bytes are no message. The text holds nothing of them, so it may be logged. */
export class Malformed extends Error {
  override readonly name = 'Malformed'
}

export interface ParseOptions {
  /** The character set, as table 0211 or the platform names it, of messages that name none. */
  readonly charset?: string | undefined
}

export class Message {
  /** As they came. */
  readonly bytes: Buffer
  readonly text: string
  readonly charset: Charset
  readonly encoding: Encoding
  readonly #start: number
  #header: Segment | undefined
  #segments: readonly Segment[] | undefined

  constructor(bytes: Buffer, text: string, charset: Charset) {
    this.bytes = bytes
    this.text = text
    this.charset = charset
    this.#start = headerStart(text)
    this.encoding = encodingAt(text, this.#start, charset.used)
  }

  /** What stands in front of MSH: normally nothing. */
  get head(): string {
    return this.text.slice(0, this.#start)
  }

  /** MSH comes first. */
  get segments(): readonly Segment[] {
    this.#segments ??= [this.header, ...[...segmentsOf(this.text, this.#start, this.encoding)].slice(1)]
    return this.#segments
  }

  get header(): Segment {
    this.#header ??= segmentsOf(this.text, this.#start, this.encoding).next().value as Segment
    return this.#header
  }

  /** Lets go of all segments but the header until they are asked for again: they are ten times as large as the text. */
  release(): void {
    this.#segments = undefined
  }

  /** The first segment of that name. */
  segment(name: string): Segment | undefined {
    return this.segments.find(segment => segment.name === name)
  }

  /** MSH-9.1, such as `ORU`. */
  get type(): string {
    return this.header.field(9).component(1)
  }

  /** MSH-9.2, such as `R01`. */
  get trigger(): string {
    return this.header.field(9).component(2)
  }

  /** MSH-10. */
  get controlId(): string {
    return this.header.field(10).value()
  }

  /** MSH-12.1, such as `2.6`. */
  get version(): string {
    return this.header.field(12).component(1)
  }
}

/** @throws Malformed where there is no MSH, or one whose delimiters make no sense. */
export function parse(bytes: Uint8Array, { charset: fallback = '' }: ParseOptions = {}): Message {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const { text, charset } = decode(whole, charsetSaid(whole), fallback)
  return new Message(whole, text, charset)
}

/** MSH-18, read before the character set is known: all but UTF-16 have the delimiters where ASCII has them. */
function charsetSaid(bytes: Buffer): string {
  const beginning = textOf(bytes.subarray(0, mostHeader), wideOrder(bytes) ?? 'latin1')
  const start = headerStart(beginning)
  const end = beginning.slice(start).search(/[\r\n]/)
  const header = end < 0 ? beginning.slice(start) : beginning.slice(start, start + end)
  return new Segment(header, '', encodingAt(header, 0, 'ascii')).field(18).component()
}

function headerStart(text: string): number {
  const start = text.slice(0, mostNoise + 3).search(/MSH[^A-Za-z0-9\s]/)
  if (start < 0) throw new Malformed('there is no MSH segment at the beginning')
  return start
}

/** Clause 2.5.4: the delimiters are those that MSH-1 and MSH-2 name. */
function encodingAt(text: string, start: number, charset: string): Encoding {
  const field = text[start + 3]!
  const end = text.indexOf(field, start + 4)
  const named = text.slice(start + 4, end < 0 ? start + 10 : end).replace(/[\r\n].*/s, '')
  const all = field + named
  if (named === '' || named.length > 5 || new Set(all).size < all.length || /[A-Za-z0-9\s]/.test(named))
    throw new Malformed('MSH-1 and MSH-2 do not name delimiters')
  const nth = (n: number): string => named[n] ?? ''
  return {
    field,
    component: nth(0),
    repetition: nth(1),
    escape: nth(2),
    subcomponent: nth(3),
    truncation: nth(4),
    charset,
  }
}

function* segmentsOf(text: string, start: number, encoding: Encoding): Generator<Segment> {
  const breaks = /[\r\n]+/g
  breaks.lastIndex = start
  let from = start
  for (let found = breaks.exec(text); found !== null; found = breaks.exec(text)) {
    if (breaks.lastIndex < text.length && !isSegmentStart(text, breaks.lastIndex, encoding.field)) continue
    yield new Segment(text.slice(from, found.index), found[0], encoding)
    from = breaks.lastIndex
  }
  if (from < text.length) yield new Segment(text.slice(from), '', encoding)
}

/** Three capital letters or digits, the first a letter, and then the field separator or nothing. */
function isSegmentStart(text: string, at: number, separator: string): boolean {
  for (let n = 0; n < 3; n++) {
    const code = text.charCodeAt(at + n)
    const isLetter = code >= 0x41 && code <= 0x5a
    if (!isLetter && !(n > 0 && code >= 0x30 && code <= 0x39)) return false
  }
  const next = text[at + 3]
  return next === undefined || next === separator || next === '\r' || next === '\n'
}
