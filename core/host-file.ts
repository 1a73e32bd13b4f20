// Files of /proc and /sys, read over and over: the descriptor stays open, every read starts at position 0 and goes into
// one buffer shared by all. Measured: opening costs several times what reading does.
// A file that went away (a NIC unplugged, a process ended) is no data; its descriptor is closed and opened anew next time.

import { closeSync, constants, existsSync, openSync, readlinkSync, readSync } from 'node:fs'
import type { HostFile } from './host.ts'

const largest = 4 * 1024 * 1024

/** Of these the kernel gives all at once, at most a page; and it allocates as much as it is asked for. */
const atOnce = /^\/(sys|proc\/sys)\//
const page = 4096

/** Without O_NONBLOCK a FIFO in the place of a file would hang the daemon. */
const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY

/** What the kernel says of hardware, links and processes that are gone, switched off or not ours to read. */
const absences: ReadonlySet<unknown> = new Set([
  'ENOENT',
  'ENODEV',
  'ENXIO',
  'ENOTDIR',
  'EACCES',
  'EBUSY',
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

  const content = (fd: number, name: string): Buffer => {
    let length = atOnce.test(name) ? readSync(fd, shared, 0, page, 0) : 0
    if (length > 0 && length < page) return shared.subarray(0, length)
    // A seq_file gives about a page at a time: only a read of 0 bytes is the end.
    for (;;) {
      const got = readSync(fd, shared, length, shared.length - length, length)
      length += got
      if (got === 0) return shared.subarray(0, length)
      if (length === shared.length) shared = larger(shared)
    }
  }

  return name => {
    const at = path(name)
    return new KeptOpen(
      () => openBelow(top, at),
      () => existsSync(at),
      content,
      name,
    )
  }
}

class KeptOpen implements HostFile {
  readonly #open: () => number
  readonly #exists: () => boolean
  readonly #content: (fd: number, name: string) => Buffer
  readonly #name: string
  #fd: number | undefined
  #absent = false

  constructor(open: () => number, exists: () => boolean, content: (fd: number, name: string) => Buffer, name: string) {
    this.#open = open
    this.#exists = exists
    this.#content = content
    this.#name = name
  }

  read(): Buffer | undefined {
    // To ask for what is not there costs a tenth of an error.
    if (this.#absent && !this.#exists()) return undefined
    try {
      this.#fd ??= this.#open()
      this.#absent = false
      return this.#content(this.#fd, this.#name)
    } catch (error) {
      this.close()
      this.#absent = isAbsent(error)
      if (this.#absent) return undefined
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
