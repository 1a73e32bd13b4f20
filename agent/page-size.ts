// The size of the kernel's memory pages: what some of its files count in.

import type { Host } from '../core/host.ts'

/** AT_PAGESZ of getauxval(3). */
const pageSizeEntry = 6n

/** Undefined where it cannot be known; on x86-64 it is always 4096. */
export function pageSize(host: Host, arch: string = process.arch): number | undefined {
  if (arch === 'x64') return 4096
  const bytes = host.read('/proc/self/auxv')
  return bytes && parseAuxv(bytes)
}

/** Pairs of 64-bit numbers, key and value. */
export function parseAuxv(bytes: Buffer): number | undefined {
  for (let at = 0; at + 16 <= bytes.length; at += 16) {
    if (bytes.readBigUInt64LE(at) !== pageSizeEntry) continue
    const size = Number(bytes.readBigUInt64LE(at + 8))
    return size >= 4096 && size <= 2 ** 20 ? size : undefined
  }
  return undefined
}
