// Reads the kernel's text files by bytes, without making strings. Strict: a number is digits ended by a blank or a line's
// end, so a file cut in the middle of one is an error and not a smaller number. Errors name the file.

const [tab, newline, space, dot, zero, nine] = [0x09, 0x0a, 0x20, 0x2e, 0x30, 0x39]

/** The kernel's counters are at most 64 bits; what has the top bit set went below zero in a fault of the kernel. */
const negative = 2 ** 63

const wholeNumbers = /^[\d ]*$/
const signedNumbers = /^[-\d ]*$/

export class Scan {
  readonly #file: string
  #bytes: Buffer
  #at = 0

  /** `file` is the name used in errors. */
  constructor(file: string, bytes: Buffer) {
    this.#file = file
    this.#bytes = bytes
  }

  get at(): number {
    return this.#at
  }

  /** Whether bytes are left. */
  get more(): boolean {
    return this.#at < this.#bytes.length
  }

  /** The byte at the present place, -1 at the end. */
  get byte(): number {
    return this.#bytes[this.#at] ?? -1
  }

  blanks(): void {
    const bytes = this.#bytes
    while (bytes[this.#at] === space || bytes[this.#at] === tab) this.#at++
  }

  /** A whole number of 0 to 2^63 - 1 after any blanks; above 2^53 rounded to a double. */
  integer(): number {
    this.blanks()
    const start = this.#at
    const value = this.#digits()
    if (value >= negative) this.fail('a number below 2^63', start)
    this.#numberEnds(start)
    return value
  }

  /**
   * The whole numbers that make up the rest of the line, at least `least`, as `integer` has them; steps to the next line.
   * An agent runs without optimizing compilers: there, one native split costs a sixth of the digits one by one.
   */
  integers(least: number): readonly number[] {
    return this.#row(least, wholeNumbers)
  }

  /** The same where some may be below zero. */
  signed(least: number): readonly number[] {
    return this.#row(least, signedNumbers)
  }

  #row(least: number, form: RegExp): readonly number[] {
    const end = this.#bytes.indexOf(newline, this.#at)
    if (end < 0) this.fail('the end of a line')
    const text = this.#bytes.toString('latin1', this.#at, end).replaceAll('\t', ' ')
    if (!form.test(text)) this.fail('whole numbers')
    const numbers: number[] = []
    for (const field of text.split(' ')) {
      if (field === '') continue
      const value = Number(field)
      // NaN too, as of `1-2`.
      if (!(value < negative)) this.fail('numbers below 2^63')
      numbers.push(value)
    }
    if (numbers.length < least) this.fail(`${least} numbers`)
    this.#at = end + 1
    return numbers
  }

  /** A whole number of at most `most` hexadecimal digits, below 2^63, after any blanks. */
  hex(most = 16): number {
    this.blanks()
    const start = this.#at
    let value = 0
    for (let digit = hexDigit(this.byte); digit >= 0; digit = hexDigit(this.byte)) {
      value = value * 16 + digit
      this.#at++
    }
    const digits = this.#at - start
    if (digits === 0 || digits > most || value >= negative) this.fail(`a number of ${most} hexadecimal digits`, start)
    this.#numberEnds(start)
    return value
  }

  /** `0.12`; digits are required on both sides of the point. */
  decimal(): number {
    this.blanks()
    const start = this.#at
    const whole = this.#digits()
    if (this.byte !== dot) this.fail('a number with a point', start)
    const point = ++this.#at
    const fraction = this.#digits()
    // One division: 1.91 is then what is written, to the last bit.
    const one = 10 ** (this.#at - point)
    const value = (whole * one + fraction) / one
    this.#numberEnds(start)
    return value
  }

  /** Steps over `word` if it is what comes next. */
  takes(word: Buffer): boolean {
    for (let n = 0; n < word.length; n++) if (this.#bytes[this.#at + n] !== word[n]) return false
    this.#at += word.length
    return true
  }

  /** Steps over what comes before `stop` in this line, and over it; gives the place of `stop`. */
  until(stop: number): number {
    const bytes = this.#bytes
    const start = this.#at
    while (this.#at < bytes.length && bytes[this.#at] !== stop && bytes[this.#at] !== newline) this.#at++
    if (bytes[this.#at] !== stop || this.#at === start) this.fail('a name', start)
    return this.#at++
  }

  /** Steps over the rest of the file, and gives it. */
  text(): string {
    const rest = this.#bytes.toString('utf8', this.#at)
    this.#at = this.#bytes.length
    return rest
  }

  /** Steps over any blanks and what stands up to the next blank or the line's end. */
  word(): void {
    this.blanks()
    const start = this.#at
    const bytes = this.#bytes
    for (let byte = bytes[start]; byte !== undefined && !isSpace(byte); byte = bytes[this.#at]) this.#at++
    if (this.#at === start) this.fail('a word')
  }

  /** Steps to the next line; a line without its end is an error. */
  line(): void {
    const end = this.#bytes.indexOf(newline, this.#at)
    if (end < 0) this.fail('the end of a line')
    this.#at = end + 1
  }

  /**
   * For each of `words`, a newline followed by how a line starts, the whole number behind it; undefined where no line does.
   * Quickest when the words stand in the order of the file.
   */
  after(words: readonly Buffer[]): (number | undefined)[] {
    return words.map(word => (this.#seek(word) ? this.integer() : undefined))
  }

  #seek(word: Buffer): boolean {
    let found = this.#bytes.indexOf(word, this.#at)
    if (found < 0) found = this.#bytes.indexOf(word)
    // The first line has no newline before it: there, found is -1 as if one stood there.
    if (found < 0 && !this.#bytes.subarray(0, word.length - 1).equals(word.subarray(1))) return false
    this.#at = found + word.length
    return true
  }

  /** @throws Error that names the file, the place and what stands there. */
  fail(expected: string, at = this.#at): never {
    const rest = this.#bytes.toString('utf8', at, at + 24)
    const got = at >= this.#bytes.length ? 'the end' : JSON.stringify(rest.split('\n', 1)[0])
    throw new Error(`${this.#file}: expected ${expected} at byte ${at}, got ${got}`)
  }

  #digits(): number {
    const bytes = this.#bytes
    const start = this.#at
    let at = start
    let value = 0
    for (let byte = bytes[at]; byte !== undefined && byte >= zero && byte <= nine; byte = bytes[++at]) {
      value = value * 10 + (byte - zero)
    }
    if (at === start) this.fail('a number', start)
    this.#at = at
    return value
  }

  #numberEnds(start: number): void {
    if (!isSpace(this.byte)) this.fail('a whole number', start)
  }
}

/** -1 where it is none. */
function hexDigit(byte: number): number {
  if (byte >= zero && byte <= nine) return byte - zero
  return byte >= 0x61 && byte <= 0x66 ? byte - 0x57 : -1
}

function isSpace(byte: number): boolean {
  return byte === space || byte === newline || byte === tab
}
