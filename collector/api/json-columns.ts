// Columns of doubles as JSON, without a string a number: JSON.stringify spends most of /api/query on exactly that.
// Integers and decimals of up to six places are written digit by digit into one buffer; a column with anything else
// goes through JSON.stringify whole. Stored values are exact (they parse to the same double); computed ones (means, rates) may be rounded to
// nine significant digits, which also makes them short.

const powers = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15] as const
const longest = 32
const zero = 48
const minus = 45
const point = 46
const comma = 44
const open = 91
const close = 93
const none = Buffer.from('null')

export class JsonColumns {
  #buffer: Buffer
  #length = 0

  constructor(capacity = 65_536) {
    this.#buffer = Buffer.allocUnsafe(capacity)
  }

  text(json: string): void {
    this.#reserve(json.length * 3)
    this.#length += this.#buffer.write(json, this.#length)
  }

  /** A JSON array; NaN and infinities are null. */
  numbers(values: ArrayLike<number>, as: 'exact' | 'rounded'): void {
    this.#reserve(values.length * longest + 2)
    const start = this.#length
    if (this.#column(values, as)) return
    this.#length = start
    this.text(JSON.stringify(Array.from(values)))
  }

  /** A view of the bytes written; the writer is done with. */
  finish(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  /** False where a value needs more than this can write. */
  #column(values: ArrayLike<number>, as: 'exact' | 'rounded'): boolean {
    this.#buffer[this.#length++] = open
    for (let n = 0; n < values.length; n++) {
      if (n > 0) this.#buffer[this.#length++] = comma
      const value = values[n]!
      const done = as === 'exact' ? this.#exact(value) : this.#rounded(value)
      if (!done) return false
    }
    this.#buffer[this.#length++] = close
    return true
  }

  #exact(value: number): boolean {
    return this.#scaled(value, 0) || this.#scaled(value, 2) || this.#scaled(value, 6) || this.#none(value)
  }

  #rounded(value: number): boolean {
    const size = value < 0 ? -value : value
    if (!(size >= 1e-4 && size < 1e9)) return this.#exact(value)
    let whole = 1
    while (whole < 9 && size >= powers[whole]!) whole++
    const places = size >= 1 ? 9 - whole : size >= 0.01 ? 10 : 12
    this.#decimal(Math.round(value * powers[places]!), places)
    return true
  }

  /** Both k and the power are exact, so their quotient is the double nearest to the decimal, and so is what a parser gives. */
  #scaled(value: number, places: number): boolean {
    const k = Math.round(value * powers[places]!)
    if (k / powers[places]! !== value || !Number.isSafeInteger(k)) return false
    this.#decimal(k, places)
    return true
  }

  #none(value: number): boolean {
    if (Number.isFinite(value)) return false
    this.#length += none.copy(this.#buffer, this.#length)
    return true
  }

  /** `k` / 10^`places`, k a safe integer, without trailing zeros. */
  #decimal(k: number, places: number): void {
    if (k < 0) this.#buffer[this.#length++] = minus
    const size = k < 0 ? -k : k
    const whole = places === 0 ? size : Math.floor(size / powers[places]!)
    this.#digits(whole, 1)
    let rest = size - whole * powers[places]!
    if (rest === 0) return
    let width = places
    while (rest % 10 === 0) {
      rest /= 10
      width--
    }
    this.#buffer[this.#length++] = point
    this.#digits(rest, width)
  }

  /** At least `width` digits, zeros in front. Above 1e8 in two steps, so that each step stays a small integer. */
  #digits(n: number, width: number): void {
    if (n >= 1e8 || width > 8) {
      const high = Math.floor(n / 1e8)
      this.#small(high, Math.max(1, width - 8))
      this.#small(n - high * 1e8, 8)
    } else this.#small(n, width)
  }

  #small(n: number, width: number): void {
    let size = width
    while (size < powers.length && n >= powers[size]!) size++
    const end = this.#length + size
    let rest = n | 0
    for (let at = end - 1; at >= this.#length; at--) {
      const tenth = (rest / 10) | 0
      this.#buffer[at] = zero + rest - tenth * 10
      rest = tenth
    }
    this.#length = end
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + more))
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }
}
