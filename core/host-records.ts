// Devices that give one record a read and go on by themselves, such as /dev/kmsg: read without ever waiting.

import { closeSync, readSync } from 'node:fs'
import type { Records } from './host.ts'
import { isAbsent, openBelow } from './host-file.ts'

/** The largest record of /dev/kmsg, PRINTKRB_RECORD_MAX and CONSOLE_EXT_LOG_MAX of the kernel. */
const largest = 8192

export function openRecords(top: string, path: string): Records | undefined {
  try {
    const fd = openBelow(top, path)
    return { next: () => next(fd, path), close: () => closeSync(fd) }
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw new Error(`cannot open ${path}`, { cause: error })
  }
}

const record = Buffer.allocUnsafe(largest)

function next(fd: number, path: string): Buffer | 'overwritten' | undefined {
  try {
    const length = readSync(fd, record, 0, record.length, null)
    return length === 0 ? undefined : record.subarray(0, length)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EAGAIN') return undefined
    // The oldest were overwritten before they were read; the next read gives what is the oldest now.
    if (code === 'EPIPE') return 'overwritten'
    throw new Error(`cannot read ${path}`, { cause: error })
  }
}
