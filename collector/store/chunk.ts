// A chunk: the samples of one series within one hour, in time order, as a sequence of self-contained blocks.
//
//   chunk = block*                        see block.ts
//   body  = count:varint times values     times = integers (ms since the epoch), values = column

import { endBlock, readBlocks, startBlock } from './block.ts'
import { ColumnEncoder, decodeColumn } from './column.ts'
import { decodeIntegers, encodeIntegers } from './integers.ts'
import { type Cursor, Sink } from './sink.ts'

/** Samples in a full block: what one damaged byte can cost. */
export const blockSamples = 1024

export class ChunkEncoder {
  readonly #out = new Sink(16 * 1024)
  readonly #columns = new ColumnEncoder(blockSamples)

  /** The bytes lie in a buffer that the next call overwrites. `times` are whole and do not fall. */
  encode(times: Float64Array, values: Float64Array, from: number, to: number): Buffer {
    const out = this.#out
    out.at = 0
    for (let at = from; at < to; at += blockSamples) this.#block(times, values, at, Math.min(blockSamples, to - at))
    return out.bytes.subarray(0, out.at)
  }

  #block(times: Float64Array, values: Float64Array, from: number, count: number): void {
    const out = this.#out
    const body = startBlock(out)
    out.reserve(8)
    out.varint(count)
    if (!encodeIntegers(out, times, from, count)) throw new RangeError('chunk: times too far apart')
    this.#columns.encode(out, values, from, count)
    endBlock(out, body)
  }
}

export class ChunkDecoder {
  /** The present block's samples, for the callback of `each` only. */
  readonly times = new Float64Array(blockSamples)
  readonly values = new Float64Array(blockSamples)

  /** Calls `block` with the number of samples in each block; returns how many damaged stretches were skipped. */
  each(chunk: Uint8Array, block: (count: number) => void): number {
    let unreadable = 0
    const damaged = readBlocks(chunk, body => {
      const count = this.#decode(body)
      if (count > 0) block(count)
      else unreadable++
    })
    return damaged + unreadable
  }

  /** The number of samples, or 0 for a body that is whole but not what this version writes. */
  #decode(body: Cursor): number {
    try {
      const count = body.varint()
      if (count > blockSamples) return 0
      decodeIntegers(body, this.times, count, 1)
      decodeColumn(body, this.values, count)
      return count
    } catch (error) {
      if (error instanceof RangeError) return 0
      throw error
    }
  }
}
