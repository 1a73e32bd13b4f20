// A column of values: whole numbers over a power of ten where that is exact, the doubles' own bits otherwise.
//
//   column = 0..6 integers     each value is exactly k / 10^n
//          | 7 floats

import { decodeFloats, encodeFloats } from './floats.ts'
import { decodeIntegers, encodeIntegers, largestInteger } from './integers.ts'
import type { Cursor, Sink } from './sink.ts'

const powers = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000] as const
const floats = powers.length
/** Above this many bytes a value the doubles' own bits may be smaller. */
const dear = 5

/** Writes columns of up to `capacity` values. */
export class ColumnEncoder {
  readonly #scaled: Float64Array
  readonly #spare: Uint8Array

  constructor(capacity: number) {
    this.#scaled = new Float64Array(capacity)
    this.#spare = new Uint8Array(capacity * 9 + 64)
  }

  encode(out: Sink, values: Float64Array, from: number, count: number): void {
    out.reserve(1)
    const start = out.at
    const exponent = this.#scale(values, from, count)
    if (exponent !== floats) {
      out.bytes[out.at++] = exponent
      if (encodeIntegers(out, this.#scaled, 0, count)) {
        if (out.at - start > dear * count) this.#keepSmaller(out, start, values, from, count)
        return
      }
    }
    out.at = start
    this.#floats(out, values, from, count)
  }

  #floats(out: Sink, values: Float64Array, from: number, count: number): void {
    out.bytes[out.at++] = floats
    encodeFloats(out, values, from, count)
  }

  #keepSmaller(out: Sink, start: number, values: Float64Array, from: number, count: number): void {
    const size = out.at - start
    this.#spare.set(out.bytes.subarray(start, out.at))
    out.at = start
    this.#floats(out, values, from, count)
    if (out.at - start <= size) return
    out.bytes.set(this.#spare.subarray(0, size), start)
    out.at = start + size
  }

  /** The least exponent at which all values are whole, with `#scaled` filled; `floats` if none is. */
  #scale(values: Float64Array, from: number, count: number): number {
    let exponent = 0
    for (let i = 0; i < count; i++) {
      const value = values[from + i]!
      if (this.#whole(i, value, powers[exponent]!)) continue
      if (++exponent === floats) return floats
      i = -1
    }
    return exponent
  }

  #whole(i: number, value: number, power: number): boolean {
    const scaled = Math.round(value * power)
    this.#scaled[i] = scaled
    if (scaled / power !== value || scaled > largestInteger || scaled < -largestInteger) return false
    return value !== 0 || 1 / value > 0
  }
}

/** Fills `out` with `count` values. Throws RangeError on bytes that cannot be a column. */
export function decodeColumn(input: Cursor, out: Float64Array, count: number): void {
  const form = input.byte()
  if (form < floats) decodeIntegers(input, out, count, powers[form]!)
  else if (form === floats) decodeFloats(input, out, count)
  else throw new RangeError(`chunk: column form ${form}`)
}
