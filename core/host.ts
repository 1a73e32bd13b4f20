// The only way to the machine: files under a root, programs, and time. Also what tests replace.

import {
  closeSync,
  constants,
  open,
  read,
  readdirSync,
  realpath,
  realpathSync,
  type StatsFs,
  stat,
  statfs,
  statfsSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { monotonic } from './clock.ts'
import { type Commands, commands } from './host-command.ts'
import { fileOpener, isAbsent } from './host-file.ts'
import { openRecords } from './host-records.ts'
import { sharedSleep } from './host-sleep.ts'
import { timeLimited } from './host-slow.ts'

export interface Host extends Commands {
  /** Where the machine's `/` is mounted: `/`, a container's `/host`, or a fixture tree. */
  readonly root: string
  /** The clock, ms since the epoch; it may be stepped at any time. */
  now(): number
  /** Milliseconds since some moment, never stepped. */
  monotonic(): number
  /** Resolves after `ms`, or at once when the signal aborts; never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
  /** Resolves a path of the machine to a path here; `..` never leads out of the root. */
  path(path: string): string
  /** Names in a folder, sorted; none if it is absent. */
  list(path: string): readonly string[]
  /** A file to be read again and again. */
  file(path: string): HostFile
  /** The content of a file that is read seldom: as `file(path).read()`, without keeping a descriptor. */
  read(path: string): Buffer | undefined
  /** A device that gives one record a read, such as /dev/kmsg; undefined where it is absent or not ours to read. */
  records(path: string): Records | undefined
  /**
   * The same for a file whose reading asks a device that may not answer; rejects then. At most the first 4 KiB, which is
   * the most that a file of sysfs has.
   */
  slow(path: string): Promise<Buffer | undefined>
  /** Where a path leads when all links are followed, as a path of the machine; undefined where it is absent. */
  realpath(path: string): string | undefined
  /**
   * The size of the file system mounted at `path`; undefined where there is none. Rejects when it does not answer.
   * One that answers from memory is asked at once: waking a thread for it costs more than the answer.
   */
  statfs(path: string, fromMemory?: boolean): Promise<FilesystemSize | undefined>
  /** The device `path` lies on as `major:minor`; undefined where it is absent. Rejects when it does not answer. */
  device(path: string): Promise<string | undefined>
}

export interface HostFile {
  /**
   * The file's present content, or undefined where it is absent or unreadable (absent hardware is no data, not a failure).
   * The bytes lie in a buffer shared by all files of the host: parse them before the next read.
   * @throws Error when it is larger than 4 MiB or lies outside the root.
   */
  read(): Buffer | undefined
  /** Gives the descriptor back; a later `read` opens the file again. */
  close(): void
}

export interface Records {
  /** The next record; undefined while there is none. The bytes are good until the next call. Never waits. */
  next(): Buffer | 'overwritten' | undefined
  close(): void
}

/** Bytes and counts as statfs(2) has them. */
export interface FilesystemSize {
  readonly bytes: number
  /** Unused, also by what is reserved for root. */
  readonly free: number
  /** Unused and open to everyone. */
  readonly available: number
  /** 0 where the file system has no fixed number of them. */
  readonly inodes: number
  readonly inodesFree: number
}

/** How long a call that may hang may take, ms, and how many of libuv's four threads may hang in one. */
const patience = 2000
const hangingThreads = 3

/** @throws Error when there is no such root. */
export function realHost(root = '/'): Host {
  const top = realpathSync(root)
  const path = (p: string): string => join(top, resolve('/', p))
  const ask = timeLimited(patience, hangingThreads)

  const askSlow = <T>(p: string, verb: string, call: (at: string) => Promise<T>): Promise<T | undefined> =>
    ask(`${verb} ${p}`, async () => {
      try {
        const at = top === '/' ? path(p) : await promisify(realpath.native)(path(p))
        return isWithin(top, at) ? await call(at) : undefined
      } catch (error) {
        if (isAbsent(error)) return undefined
        throw error
      }
    })

  const file = fileOpener(top, path)
  const readOnce = (p: string): Buffer | undefined => {
    const once = file(p)
    try {
      return once.read()
    } finally {
      once.close()
    }
  }

  return {
    ...commands(top === '/'),
    root: top,
    now: Date.now,
    monotonic,
    sleep: sharedSleep(Date.now),
    path,
    list: p => list(top, path(p)),
    file,
    read: readOnce,
    records: p => openRecords(top, path(p)),
    slow: p => askSlow(p, 'read', firstPage),
    realpath: p => follow(top, path(p)),
    statfs: (p, fromMemory) => (fromMemory && top === '/' ? sizeNow(path(p)) : askSlow(p, 'statfs', size)),
    device: p => askSlow(p, 'stat', device),
  }
}

function list(top: string, folder: string): readonly string[] {
  try {
    // Following links costs several times what listing does, and where the root is the machine's they lead nowhere else.
    return top === '/' || isWithin(top, realpathSync(folder)) ? readdirSync(folder).sort() : []
  } catch (error) {
    if (isAbsent(error)) return []
    throw new Error(`cannot list ${folder}`, { cause: error })
  }
}

function follow(top: string, path: string): string | undefined {
  try {
    const real = realpathSync(path)
    if (top === '/') return real
    return isWithin(top, real) ? real.slice(top.length) || '/' : undefined
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw new Error(`cannot follow ${path}`, { cause: error })
  }
}

const [openAsync, readAsync] = [promisify(open), promisify(read)]

async function firstPage(at: string): Promise<Buffer> {
  const fd = await openAsync(at, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const { buffer, bytesRead } = await readAsync(fd, Buffer.allocUnsafe(4096), 0, 4096, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    closeSync(fd)
  }
}

/** Whether a real path lies in the root, itself a real path. */
export function isWithin(top: string, real: string): boolean {
  return top === '/' || real === top || real.startsWith(`${top}/`)
}

async function size(at: string): Promise<FilesystemSize> {
  return sizeOf(await promisify(statfs)(at))
}

async function sizeNow(at: string): Promise<FilesystemSize | undefined> {
  try {
    return sizeOf(statfsSync(at))
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}

function sizeOf({ frsize, blocks, bfree, bavail, files, ffree }: StatsFs): FilesystemSize {
  return { bytes: blocks * frsize, free: bfree * frsize, available: bavail * frsize, inodes: files, inodesFree: ffree }
}

async function device(at: string): Promise<string> {
  const { dev } = await promisify(stat)(at, { bigint: true })
  // The layout of dev_t in glibc, sys/sysmacros.h.
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn)
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn)
  return `${major}:${minor}`
}
