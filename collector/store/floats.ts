// A column of doubles, bit for bit (NaN, -0 and subnormals included): each XORed with the one before, as in Gorilla
// (Pelkonen et al., VLDB 2015, 4.1.2), on whole bytes.
//
//   column  = first:8 bytes LE, then   0 run:varint            the same value `run` times
//                                    | control byte*           control = trailing zero bytes << 4 | bytes that follow (1..8)

import type { Cursor, Sink } from './sink.ts'

export function encodeFloats(out: Sink, values: Float64Array, from: number, count: number): void {
  out.reserve(16 + count * 10)
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length * 2)
  out.at = out.bytes.writeDoubleLE(values[from]!, out.at)
  let run = 0
  for (let i = from + 1; i < from + count; i++) {
    const low = (words[i * 2]! ^ words[i * 2 - 2]!) >>> 0
    const high = (words[i * 2 + 1]! ^ words[i * 2 - 1]!) >>> 0
    if (low === 0 && high === 0) {
      run++
      continue
    }
    if (run > 0) endRun(out, run)
    run = 0
    putXor(out, low, high)
  }
  if (run > 0) endRun(out, run)
}

function endRun(out: Sink, run: number): void {
  out.bytes[out.at++] = 0
  out.varint(run)
}

function putXor(out: Sink, low: number, high: number): void {
  const { bytes } = out
  const top = high !== 0 ? 8 - (Math.clz32(high) >>> 3) : 4 - (Math.clz32(low) >>> 3)
  const bottom = low !== 0 ? trailingBytes(low) : 4 + trailingBytes(high)
  bytes[out.at++] = (bottom << 4) | (top - bottom)
  for (let n = bottom; n < top; n++) bytes[out.at++] = n < 4 ? low >>> (n * 8) : high >>> (n * 8 - 32)
}

function trailingBytes(word: number): number {
  return (31 - Math.clz32(word & -word)) >>> 3
}

/** Fills `out` with `count` doubles. Throws RangeError on bytes that cannot be such a column. */
export function decodeFloats(input: Cursor, out: Float64Array, count: number): void {
  const { bytes } = input
  const words = new Uint32Array(out.buffer, out.byteOffset, out.length * 2)
  let low = readWord(bytes, input.at)
  let high = readWord(bytes, input.at + 4)
  input.at += 8
  words[0] = low
  words[1] = high
  let i = 1
  while (i < count) {
    const control = input.byte()
    if (control === 0) {
      const end = i + input.varint()
      if (end > count || end === i) throw new RangeError('chunk: run beyond the block')
      out.fill(out[i - 1]!, i, end)
      i = end
      continue
    }
    let at = input.at
    const bottom = control >>> 4
    const top = bottom + (control & 15)
    if (top > 8) throw new RangeError('chunk: XOR wider than a double')
    for (let n = bottom; n < top; n++) {
      if (n < 4) low ^= bytes[at++]! << (n * 8)
      else high ^= bytes[at++]! << (n * 8 - 32)
    }
    input.at = at
    words[i * 2] = low
    words[i * 2 + 1] = high
    i++
  }
  if (input.at > bytes.length) throw new RangeError('chunk: truncated')
}

function readWord(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}
