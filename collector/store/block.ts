// The seal around what a chunk holds, so that a damaged part is known as such and the parts beside it still read.
//
//   block = crc:u32 LE, length:u24 LE, body      crc = CRC-32 (as zlib) of length and body

import { crc32 } from 'node:zlib'
import { Cursor, type Sink } from './sink.ts'

const crcBytes = 4
/** A body stays below 2^24 bytes. */
const lengthBytes = 3

export function startBlock(out: Sink): number {
  out.reserve(crcBytes + lengthBytes)
  out.at += crcBytes + lengthBytes
  return out.at
}

/** Seals what was written since `startBlock` gave `body`. */
export function endBlock(out: Sink, body: number): void {
  const { bytes } = out
  const length = out.at - body
  bytes.writeUIntLE(length, body - lengthBytes, lengthBytes)
  bytes.writeUInt32LE(crc32(bytes.subarray(body - lengthBytes, out.at)), body - lengthBytes - crcBytes)
}

/** Hands each whole block's body to `read` in order; returns how many damaged stretches lay between them. */
export function readBlocks(blob: Uint8Array, read: (body: Cursor) => void): number {
  let damaged = 0
  let lost = false
  for (let at = 0; at < blob.length; ) {
    const end = blockEnd(blob, at)
    if (end !== undefined) {
      read(new Cursor(blob.subarray(at + crcBytes + lengthBytes, end)))
      at = end
    } else {
      if (!lost) damaged++
      at++
    }
    lost = end === undefined
  }
  return damaged
}

/** Where the block at `at` ends, if there is a whole one. */
function blockEnd(blob: Uint8Array, at: number): number | undefined {
  const body = at + crcBytes + lengthBytes
  if (body >= blob.length) return undefined
  const length = blob[body - 3]! | (blob[body - 2]! << 8) | (blob[body - 1]! << 16)
  const end = body + length
  if (length === 0 || end > blob.length) return undefined
  const crc = (blob[at]! | (blob[at + 1]! << 8) | (blob[at + 2]! << 16) | (blob[at + 3]! << 24)) >>> 0
  return crc32(blob.subarray(body - lengthBytes, end)) === crc ? end : undefined
}
