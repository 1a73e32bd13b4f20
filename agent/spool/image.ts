// The pages of a database file under those of its log, read without SQLite.

import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import type { Image } from './pages.ts'
import { pageSize } from './tables.ts'
import { scanWal } from './wal.ts'

/**
 * The file under every frame of its log, then as SQLite would read it: the newest version that is whole is met first.
 * `committed` says whether all of an image was.
 */
export function withImages(file: string, use: (image: Image, committed: boolean) => void): void {
  withFile(file, (fd, size = 0) => {
    const pages = Math.ceil(size / pageSize)
    withFile(`${file}-wal`, (wal, length = 0) => {
      const { newest, committed } = length > 0 ? scanWal(wal!, length) : { newest: new Map(), committed: undefined }
      use(overlaid(fd, pages, wal, newest), committed === undefined)
      if (committed !== undefined) use(overlaid(fd, pages, wal, committed), true)
    })
  })
}

type Handle = number | undefined

function overlaid(fd: Handle, pages: number, wal: Handle, log: ReadonlyMap<number, number>): Image {
  const buffer = Buffer.allocUnsafe(pageSize)
  const highest = Math.max(pages, ...sane(log.keys(), pages))
  const page = (n: number): Buffer | undefined => {
    const offset = log.get(n)
    if (n < 1 || (offset === undefined && n > pages)) return undefined
    buffer.fill(0)
    return read(offset === undefined ? fd : wal, buffer, offset ?? (n - 1) * pageSize) ? buffer : undefined
  }
  return { pages: highest, page }
}

/** A page number in a damaged frame may be anything; the file does not grow by more than a log holds. */
function* sane(numbers: Iterable<number>, pages: number): Generator<number> {
  for (const n of numbers) if (n <= pages + 100_000) yield n
}

/** False where the disk does not give the page back. */
function read(fd: Handle, buffer: Buffer, position: number): boolean {
  try {
    return fd !== undefined && readSync(fd, buffer, 0, pageSize, position) > 0
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EIO') throw error
    return false
  }
}

/** `use` gets nothing where there is no file. */
export function withFile<T>(file: string, use: (fd: Handle, size: number | undefined) => T): T {
  if (!existsSync(file)) return use(undefined, undefined)
  const fd = openSync(file, 'r')
  try {
    return use(fd, fstatSync(fd).size)
  } finally {
    closeSync(fd)
  }
}

export function sizeOf(file: string): number | undefined {
  return withFile(file, (_, size) => size)
}
