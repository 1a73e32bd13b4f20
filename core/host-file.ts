// Files of /proc and /sys, read over and over: the descriptor stays open, every read starts at position 0 and goes into
// one buffer shared by all. Measured: opening costs several times what reading does.
// A file that went away (a NIC unplugged, a process ended) is no data; its descriptor is closed and opened anew next time.

import { closeSync, constants, openSync, readlinkSync, readSync } from 'node:fs'
import type { HostFile } from './host.ts'

const largest = 4 * 1024 * 1024

/** Without O_NONBLOCK a FIFO in the place of a file would hang the daemon. */
const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY

/** What the kernel says of hardware, links and processes that are gone, switched off or not ours to read. */
const absences: ReadonlySet<unknown> = new Set([
  'ENOENT',
  'ENODEV',
  'ENXIO',
  'ENOTDIR',
  'EACCES',
  'EPERM',
  'EIO',
  'EINVAL',
  'ESRCH',
  'EOPNOTSUPP',
  'ENOTSUP',
  'ENODATA',
])

export function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && absences.has(error.code)
}

/** Opens files below `top` (a real path); all that it opens share one buffer, which grows up to 4 MiB. */
export function fileOpener(top: string, path: (path: string) => string): (path: string) => HostFile {
  let shared = Buffer.allocUnsafe(64 * 1024)

  const content = (fd: number): Buffer => {
    let length = 0
    // A seq_file gives about a page at a time: only a read of 0 bytes is the end.
    for (;;) {
      const got = readSync(fd, shared, length, shared.length - length, length)
      length += got
      if (got === 0) return shared.subarray(0, length)
      if (length === shared.length) shared = larger(shared)
    }
  }

  return name => new KeptOpen(() => openBelow(top, path(name)), content, name)
}

class KeptOpen implements HostFile {
  readonly #open: () => number
  readonly #content: (fd: number) => Buffer
  readonly #name: string
  #fd: number | undefined

  constructor(open: () => number, content: (fd: number) => Buffer, name: string) {
    this.#open = open
    this.#content = content
    this.#name = name
  }

  read(): Buffer | undefined {
    try {
      this.#fd ??= this.#open()
      return this.#content(this.#fd)
    } catch (error) {
      this.close()
      if (isAbsent(error)) return undefined
      throw new Error(`cannot read ${this.#name}`, { cause: error })
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }
}

function larger(full: Buffer): Buffer<ArrayBuffer> {
  if (full.length >= largest) throw new Error('it is larger than 4 MiB')
  const next = Buffer.allocUnsafe(full.length * 2)
  full.copy(next)
  return next
}

/** A link below another root than `/` may point out of it: what was opened decides, not its name. */
export function openBelow(top: string, path: string): number {
  const fd = openSync(path, flags)
  if (top === '/') return fd
  try {
    if (readlinkSync(`/proc/self/fd/${fd}`).startsWith(`${top}/`)) return fd
    throw new Error(`it leads out of ${top}`)
  } catch (error) {
    closeSync(fd)
    throw error
  }
}
