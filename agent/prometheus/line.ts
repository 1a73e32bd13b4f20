// One line of an exposition, by bytes: the Prometheus text format 0.0.4 and OpenMetrics 1.0, with the quoted names that both
// take since Prometheus 3. https://prometheus.io/docs/instrumenting/exposition_formats/
// https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md (ABNF in section "Text Format")

export type Labels = readonly (readonly [name: string, value: string])[]

/** A sample's name and labels, as written. */
export interface Identity {
  readonly name: string
  readonly labels: Labels
}

const [tab, newline, space, quote, hash, plus, comma, minus, dot] = [9, 10, 32, 34, 35, 43, 44, 45, 46]
const [zero, nine, equals, backslash, open, close] = [48, 57, 61, 92, 123, 125]

/** Digits that are exact in a double, and powers of ten that are. */
const exactDigits = 15
const powers = Array.from({ length: 23 }, (_, n) => 10 ** n)

/** Walks the bytes of an exposition; every failure names the line. */
export class Lines {
  readonly #origin: string
  readonly bytes: Buffer
  at = 0

  /** `origin` is where the bytes came from, for errors. */
  constructor(origin: string, bytes: Buffer) {
    this.#origin = origin
    this.bytes = bytes
  }

  get more(): boolean {
    return this.at < this.bytes.length
  }

  get byte(): number {
    return this.bytes[this.at] ?? -1
  }

  blanks(): void {
    const { bytes } = this
    let at = this.at
    while (bytes[at] === space || bytes[at] === tab) at++
    this.at = at
  }

  /** Whether `key` stands here. */
  startsWith(key: Uint8Array): boolean {
    const { bytes, at } = this
    for (let n = 0; n < key.length; n++) if (bytes[at + n] !== key[n]) return false
    return true
  }

  /** Steps over the rest of the line. A line without its end is half of one. */
  skipLine(): void {
    const end = this.bytes.indexOf(newline, this.at)
    if (end < 0) this.fail('the end of the line', this.bytes.length)
    this.at = end + 1
  }

  /** Steps over a sample's name and labels without looking into them; gives where they end. */
  skipIdentity(): number {
    const { bytes } = this
    let at = this.at
    while (isNameByte(bytes[at]!)) at++
    let end = at
    while (bytes[at] === space || bytes[at] === tab) at++
    if (bytes[at] === open) {
      for (at++; bytes[at] !== close; at++) {
        if (bytes[at] === quote) at = this.#behindQuote(at)
        else if (bytes[at] === newline || at >= bytes.length) this.fail('the end of the labels', at)
      }
      end = at + 1
    }
    if (end === this.at) this.fail('a metric name')
    this.at = end
    return end
  }

  /** A number and what ends it; `NaN` and infinities are what they say. */
  value(): number {
    this.blanks()
    const { bytes } = this
    const start = this.at
    let at = start
    const sign = bytes[at]
    if (sign === minus || sign === plus) at++
    let mantissa = 0
    let point = -1
    const digitsAt = at
    for (; ; at++) {
      const byte = bytes[at]!
      if (byte >= zero && byte <= nine) mantissa = mantissa * 10 + (byte - zero)
      else if (byte === dot && point < 0) point = at
      else break
    }
    const digits = at - digitsAt - (point < 0 ? 0 : 1)
    if (digits === 0 || digits > exactDigits || !ends(bytes[at]!)) return this.#oddNumber(start)
    this.at = at
    const value = point < 0 ? mantissa : mantissa / powers[at - point - 1]!
    return sign === minus ? -value : value
  }

  /** A whole number of milliseconds, or undefined where the line ends. */
  milliseconds(): number | undefined {
    this.blanks()
    if (this.byte === newline) return undefined
    const start = this.at
    const time = this.value()
    if (!Number.isSafeInteger(time)) this.fail('a timestamp in milliseconds', start)
    return time
  }

  /** Seconds as milliseconds, or undefined where the line or an exemplar follows. */
  seconds(): number | undefined {
    this.blanks()
    if (this.byte === newline || this.byte === hash) return undefined
    const start = this.at
    const time = Math.round(this.value() * 1000)
    if (!Number.isSafeInteger(time)) this.fail('a timestamp in seconds', start)
    return time
  }

  /** Steps over an exemplar, ` # {labels} value timestamp`, which is checked and not kept. */
  exemplar(): void {
    this.blanks()
    if (this.byte !== hash) return
    this.at++
    this.blanks()
    const start = this.at
    const { name } = this.identity(true)
    if (name !== '') this.fail('the labels of an exemplar', start)
    this.value()
    this.seconds()
  }

  lineEnds(): void {
    this.blanks()
    if (this.byte !== newline) this.fail('the end of the line')
    this.at++
  }

  /** A word up to the next blank, or a quoted name. */
  word(): string {
    this.blanks()
    if (this.byte === quote) return this.#quoted()
    const start = this.at
    while (this.more && !ends(this.byte)) this.at++
    if (this.at === start) this.fail('a word')
    return this.#utf8(start, this.at)
  }

  /** Name and labels, read and checked; `bare`: labels without a name, as an exemplar has them. */
  identity(bare = false): Identity {
    const start = this.at
    while (isNameByte(this.byte)) this.at++
    let name = this.bytes.toString('latin1', start, this.at)
    if (name !== '' && isDigit(name.charCodeAt(0))) this.fail('a metric name', start)
    this.blanks()
    const labels: [string, string][] = []
    if (this.byte === open) {
      this.at++
      this.blanks()
      while (this.byte !== close) {
        const word = this.#labelName()
        this.blanks()
        if (this.byte === equals) labels.push([word, this.#labelValue()])
        else if (name === '' && !bare && labels.length === 0) name = word
        else this.fail('=')
        this.blanks()
        if (this.byte === comma) this.at++
        else if (this.byte !== close) this.fail('a comma or the end of the labels')
        this.blanks()
      }
      this.at++
    }
    if (name === '' && !bare) this.fail('a metric name', start)
    const repeated = labels.find(([key], n) => labels.findIndex(([other]) => other === key) !== n)
    if (repeated !== undefined) this.fail(`the label ${repeated[0]} once`, start)
    return { name, labels }
  }

  /** @throws Error that names the origin, the line and what stands there. */
  fail(expected: string, at = this.at): never {
    let line = 1
    for (let n = this.bytes.indexOf(newline); n >= 0 && n < at; n = this.bytes.indexOf(newline, n + 1)) line++
    const rest = this.bytes.toString('utf8', at, at + 24).split('\n', 1)[0]
    const got = at >= this.bytes.length ? 'the end' : JSON.stringify(rest)
    throw new Error(`${this.#origin}: expected ${expected} in line ${line}, got ${got}`)
  }

  #labelName(): string {
    if (this.byte === quote) return this.#quoted()
    const start = this.at
    while (isNameByte(this.byte) && this.byte !== 0x3a) this.at++
    if (this.at === start || isDigit(this.bytes[start]!)) this.fail('a label name', start)
    return this.bytes.toString('latin1', start, this.at)
  }

  #labelValue(): string {
    this.at++
    this.blanks()
    if (this.byte !== quote) this.fail('a value in quotes')
    return this.#quoted(true)
  }

  /** Escapes are \\, \" and \n; what else a backslash stands before is kept as written, as Prometheus does. */
  #quoted(mayBeEmpty = false): string {
    const start = this.at
    const end = this.#behindQuote(start)
    this.at = end + 1
    const text = this.#utf8(start + 1, end)
    if (text === '' && !mayBeEmpty) this.fail('a name', start)
    return text.includes('\\')
      ? text.replace(/\\(["\\n])/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped))
      : text
  }

  /** The place of the quote that ends what begins at `at`. */
  #behindQuote(at: number): number {
    const { bytes } = this
    for (let n = at + 1; n < bytes.length; n++) {
      if (bytes[n] === quote) return n
      if (bytes[n] === backslash) n++
      if (bytes[n] === newline) break
    }
    return this.fail('the closing quote', at)
  }

  #utf8(start: number, end: number): string {
    const text = this.bytes.toString('utf8', start, end)
    // A replacement character that the bytes do not spell stands for bytes that are no UTF-8.
    if (text.includes('\ufffd') && !this.bytes.subarray(start, end).equals(Buffer.from(text))) this.fail('UTF-8', start)
    return text
  }

  /** Exponents, long numbers, NaN and infinities. */
  #oddNumber(start: number): number {
    let end = start
    while (end < this.bytes.length && !ends(this.bytes[end]!)) end++
    const text = this.bytes.toString('latin1', start, end)
    const value = numberOf(text)
    if (value === undefined || end === this.bytes.length) this.fail('a number', start)
    this.at = end
    return value
  }
}

/** A number as both formats write it, as a value and as the label `le`; undefined where it is none. */
export function numberOf(text: string): number | undefined {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text)
  if (/^nan$/i.test(text)) return Number.NaN
  const infinite = /^([+-]?)inf(inity)?$/i.exec(text)
  if (infinite === null) return undefined
  return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
}

function ends(byte: number): boolean {
  return byte === space || byte === newline || byte === tab
}

function isDigit(byte: number): boolean {
  return byte >= zero && byte <= nine
}

/** Letters, digits, `_` and `:`. */
function isNameByte(byte: number): boolean {
  return (byte >= 97 && byte <= 122) || (byte >= 65 && byte <= 90) || (byte >= 48 && byte <= 58) || byte === 95
}
