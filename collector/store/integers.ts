// A column of whole numbers: first value, usual step, then how each step differs from the usual one.
//
//   column = first base token*         first = |k| * 2 + (k < 0), base = zigzag, all LEB128 varints
//   token  = run * 2 + 1               the usual step `run` times
//          | zigzag(step - base) * 2
//
// The usual step is the median of a few, so that a gap or a burst does not spoil it. Perfectly regular columns are one
// token; timestamps with a jitter of +-15 ms and steady counters take a byte a value.

import { type Cursor, putVarint, type Sink } from './sink.ts'

/** Values up to 2^52 and differences up to 2^51 keep every intermediate exact in a double. */
export const largestInteger = 2 ** 52
const largestStep = 2 ** 51

/** Appends `count` >= 1 whole numbers; false, with the sink as it was, when they are too far apart. */
export function encodeIntegers(out: Sink, values: Float64Array, from: number, count: number): boolean {
  const start = out.at
  out.reserve(32 + count * 9)
  const base = usualStep(values, from, count)
  const first = values[from]!
  out.varint(first < 0 ? -first * 2 + 1 : first * 2)
  out.varint(base < 0 ? -base * 2 - 1 : base * 2)
  if (encodeSteps(out, values, from, count, base)) return true
  out.at = start
  return false
}

function encodeSteps(out: Sink, values: Float64Array, from: number, count: number, base: number): boolean {
  const { bytes } = out
  let { at } = out
  let run = 0
  let previous = values[from]!
  for (let i = from + 1; i < from + count; i++) {
    const value = values[i]!
    const step = value - previous - base
    previous = value
    if (step === 0) {
      run++
      continue
    }
    if (!(step <= largestStep && step >= -largestStep)) return false
    if (run > 0) at = putVarint(bytes, at, run * 2 + 1)
    run = 0
    at = putVarint(bytes, at, step < 0 ? step * -4 - 2 : step * 4)
  }
  out.at = run > 0 ? putVarint(bytes, at, run * 2 + 1) : at
  return true
}

function usualStep(values: Float64Array, from: number, count: number): number {
  if (count < 2) return 0
  const stride = Math.max(1, Math.floor((count - 1) / 9))
  const steps: number[] = []
  for (let i = 1; i < count; i += stride) insert(steps, values[from + i]! - values[from + i - 1]!)
  const median = steps[steps.length >> 1]!
  return Math.abs(median) <= largestStep ? median : 0
}

/** Keeps a short list sorted, without the cost of a comparison function. */
function insert(sorted: number[], value: number): void {
  let at = sorted.length
  for (; at > 0 && sorted[at - 1]! > value; at--) sorted[at] = sorted[at - 1]!
  sorted[at] = value
}

/** Fills `out` with `count` numbers, each divided by `divisor`. Throws RangeError on bytes that cannot be such a column. */
export function decodeIntegers(input: Cursor, out: Float64Array, count: number, divisor: number): void {
  const first = input.varint()
  const step = input.varint()
  const base = step % 2 === 1 ? -(step + 1) / 2 : step / 2
  let value = first % 2 === 1 ? -(first - 1) / 2 : first / 2
  out[0] = value / divisor
  const { bytes } = input
  let { at } = input
  let i = 1
  while (i < count) {
    let token = bytes[at++]!
    if (token >= 0x80) {
      input.at = at - 1
      token = input.varint()
      at = input.at
    }
    if (token % 2 === 1) {
      const end = i + (token - 1) / 2
      if (end > count || end === i) throw new RangeError('chunk: run beyond the block')
      for (; i < end; i++) {
        value += base
        out[i] = value / divisor
      }
    } else {
      const zigzag = token / 2
      value += base + (zigzag % 2 === 1 ? -(zigzag + 1) / 2 : zigzag / 2)
      out[i++] = value / divisor
    }
  }
  if (at > bytes.length) throw new RangeError('chunk: truncated')
  input.at = at
}
