// Kinds of harm that a database file may come to, each at a place that the seed decides.

import { closeSync, openSync, readSync, statSync, truncateSync, writeSync } from 'node:fs'
import type { Random } from '../random.ts'

export type Harm = (file: string, random: Random) => void

const page = 4096

export const harms: readonly [string, Harm][] = [
  ['cut in half', file => truncateSync(file, Math.floor(sizeOf(file) / 2))],
  ['cut within a page', file => truncateSync(file, sizeOf(file) - page - 100)],
  ['cut to nothing', file => truncateSync(file, 0)],
  ['without its first page', file => zero(file, 0, page)],
  ['with a hole of zeros', (file, random) => zero(file, page * (1 + random.below(sizeOf(file) / page - 4)), 3 * page)],
  ['with one flipped bit', (file, random) => flip(file, random, 1)],
  ['with fifty flipped bits', (file, random) => flip(file, random, 50)],
]

/** Flips bits behind the first page. */
export function flip(file: string, random: Random, bits: number): void {
  const fd = openSync(file, 'r+')
  const byte = Buffer.alloc(1)
  const size = sizeOf(file)
  for (let n = 0; n < bits; n++) {
    const at = page + random.below(size - page)
    readSync(fd, byte, 0, 1, at)
    writeSync(fd, Buffer.from([byte[0]! ^ (1 << random.below(8))]), 0, 1, at)
  }
  closeSync(fd)
}

export function sizeOf(file: string): number {
  return statSync(file).size
}

export function zero(file: string, from: number, bytes: number): void {
  const fd = openSync(file, 'r+')
  writeSync(fd, Buffer.alloc(bytes), 0, bytes, from)
  closeSync(fd)
}
