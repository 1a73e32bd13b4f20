// A payload compressed after another one of its stream. The points of a series have the same length and the same place from
// one reading to the next, so with the bytes of an earlier reading as zstd's dictionary little is left but what changed. And
// as all points of one reading have one time, that time is first put into the dictionary too: 5.3 KB become 0.7 KB where
// the dictionary alone gives 1.9 (323 points, of which 130 changed).
//
// The dictionary: the base's OTLP bytes, in which each place that holds its last_time (ns, fixed64 as in OTLP; found from
// the front, not overlapping) holds the last_time of the other one instead. docs/wire.md tells who may name which base.

import { constants, type Zlib, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { Envelope } from './envelope.ts'

/** Bytes of a base, and of what is compressed after one, as payload and once decompressed. */
export const mostBase = { payload: 32 * 1024, opened: 128 * 1024 } as const

/** The frame's checksum tells a wrong dictionary from the right one: zstd itself would make other bytes of it. */
const compression = {
  [constants.ZSTD_c_compressionLevel]: 1,
  [constants.ZSTD_c_checksumFlag]: 1,
  [constants.ZSTD_c_windowLog]: 17,
}
/** 8 MiB, the least that RFC 8878 (3.1.1.1.2) wants a decoder to take; a frame may ask for far more. */
const decompression = { [constants.ZSTD_d_windowLogMax]: 23 }
/** Most of what is opened, and of what is compressed, fits into one piece, which need not be put together. Bytes. */
const [piece, smallPiece] = [64 * 1024, 4096]

export class Base {
  readonly seq: number
  readonly #bytes: Buffer
  /** Where its last_time stands. */
  readonly #times: Uint32Array

  /** `bytes`: of its payload, decompressed; they are copied. */
  constructor({ seq, lastTime }: Pick<Envelope, 'seq' | 'lastTime'>, bytes: Uint8Array) {
    this.seq = seq
    this.#bytes = Buffer.from(bytes)
    this.#times = places(this.#bytes, nanoseconds(lastTime))
  }

  get size(): number {
    return this.#bytes.length
  }

  compress(bytes: Uint8Array, lastTime: number): Buffer {
    return zstdCompressSync(bytes, { params: compression, chunkSize: smallPiece, dictionary: this.#at(lastTime) })
  }

  /** @throws if it was not compressed after this base, and as openFrame does. */
  open(payload: Uint8Array, lastTime: number): Buffer {
    return openFrame(payload, this.#at(lastTime))
  }

  #at(lastTime: number): Buffer {
    const time = nanoseconds(lastTime)
    for (const place of this.#times) this.#bytes.set(time, place)
    return this.#bytes
  }
}

/** One zstd frame. @throws on anything else, and past mostBase.opened. */
export function openFrame(payload: Uint8Array, dictionary?: Buffer): Buffer {
  const limits = { maxOutputLength: mostBase.opened, params: decompression, chunkSize: piece, info: true }
  const { buffer, engine } = zstdDecompressSync(payload, {
    ...limits,
    ...(dictionary && { dictionary }),
  }) as unknown as {
    readonly buffer: Buffer
    readonly engine: Pick<Zlib, 'bytesWritten'>
  }
  if (engine.bytesWritten !== payload.length) throw new Error('more than one zstd frame')
  return buffer
}

function nanoseconds(ms: number): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(ms) * 1_000_000n))
  return bytes
}

function places(bytes: Buffer, time: Buffer): Uint32Array {
  const found: number[] = []
  for (let at = bytes.indexOf(time); at >= 0; at = bytes.indexOf(time, at + time.length)) found.push(at)
  return Uint32Array.from(found)
}
