// Reads an SQLite write-ahead log without SQLite, which silently ends at the first frame whose checksum fails.
// Format: https://www.sqlite.org/fileformat2.html#the_write_ahead_log, clauses 4.1 to 4.3.

import { readSync } from 'node:fs'
import { pageSize } from './tables.ts'

const headerSize = 32
const frameHeader = 24
export const frameSize = frameHeader + pageSize

export interface WalScan {
  /** Page number -> where its newest copy lies in the file: every frame of the present log, whole or not. */
  readonly newest: ReadonlyMap<number, number>
  /** The same, only up to the last commit before the first frame that fails: what SQLite itself would use. */
  readonly committed: ReadonlyMap<number, number>
  /** Something of the present log lies behind a header or frame that fails. */
  readonly damaged: boolean
}

export function scanWal(fd: number, size: number): WalScan {
  const header = readAt(fd, 0, headerSize)
  const big = (header.readUInt32BE(0) & 1) === 1
  const sound = isSound(header, big)
  const salts = sound ? header.subarray(16, 24) : readAt(fd, headerSize, frameHeader).subarray(8, 16)
  const newest = new Map<number, number>()
  const committed = new Map<number, number>()
  let pending: [number, number][] = []
  let chain: Sum | undefined = sound ? { a: header.readUInt32BE(24), b: header.readUInt32BE(28) } : undefined
  let damaged = false
  for (let at = headerSize; at + frameSize <= size; at += frameSize) {
    const frame = readAt(fd, at, frameSize)
    if (!frame.subarray(8, 16).equals(salts)) {
      chain = undefined
      continue
    }
    chain = chain && followed(frame, chain, big)
    if (chain === undefined) damaged = true
    newest.set(frame.readUInt32BE(0), at + frameHeader)
    pending.push([frame.readUInt32BE(0), at + frameHeader])
    if (chain === undefined || frame.readUInt32BE(4) === 0) continue
    for (const [page, offset] of pending) committed.set(page, offset)
    pending = []
  }
  return { newest, committed, damaged }
}

interface Sum {
  readonly a: number
  readonly b: number
}

function isSound(header: Buffer, big: boolean): boolean {
  if (header.readUInt32BE(0) >>> 1 !== 0x377f0682 >>> 1 || header.readUInt32BE(8) !== pageSize) return false
  const sum = add({ a: 0, b: 0 }, header, 0, 24, big)
  return sum.a === header.readUInt32BE(24) && sum.b === header.readUInt32BE(28)
}

/** The checksum up to this frame, or undefined where the frame does not match it. */
function followed(frame: Buffer, before: Sum, big: boolean): Sum | undefined {
  const sum = add(add(before, frame, 0, 8, big), frame, frameHeader, frameSize, big)
  return sum.a === frame.readUInt32BE(16) && sum.b === frame.readUInt32BE(20) ? sum : undefined
}

function add({ a, b }: Sum, bytes: Buffer, from: number, to: number, big: boolean): Sum {
  for (let at = from; at < to; at += 8) {
    a = (a + (big ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at)) + b) >>> 0
    b = (b + (big ? bytes.readUInt32BE(at + 4) : bytes.readUInt32LE(at + 4)) + a) >>> 0
  }
  return { a, b }
}

/** Zeros where the file ends. */
function readAt(fd: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  readSync(fd, bytes, 0, length, position)
  return bytes
}
