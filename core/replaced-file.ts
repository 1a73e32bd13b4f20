// A damaged database gives way to one made of what still reads of it. The new file is complete and on disk before the old
// one moves, and `.ready` marks that moment: a crash before it begins again, a crash after it only finishes the renames.
// Nothing is lost in between.

import { closeSync, existsSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** Damaged files kept beside the new one for whoever wants to look. */
const keptAside = 3

/**
 * `make` writes the new file, and closes it so that it is one: no log beside it. Gives what `make` does, and where the old
 * file went. `now`: ms since the epoch, for its name.
 */
export function replaceFile<T>(file: string, now: number, make: (fresh: string) => T): { made: T; aside: string } {
  const fresh = `${file}.new`
  removeFile(fresh)
  const made = make(fresh)
  syncPath(fresh)
  renameSync(fresh, `${file}.ready`)
  syncPath(dirname(file))
  return { made, aside: swap(file, now) }
}

/** Ends what a crash interrupted; to be called before the file is opened. */
export function finishReplacing(file: string, now: number): void {
  removeFile(`${file}.new`)
  if (existsSync(`${file}.ready`)) swap(file, now)
}

/** With its log and what else SQLite keeps beside it. */
export function removeFile(file: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(file + suffix, { force: true })
}

/** Of a file or a folder. */
export function syncPath(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Moves the old file and its log aside and the ready one into place. */
function swap(file: string, now: number): string {
  const aside = freeName(file, now)
  for (const suffix of ['', '-wal']) if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix)
  removeFile(file)
  renameSync(`${file}.ready`, file)
  syncPath(dirname(file))
  forgetOldest(file, aside)
  return aside
}

function freeName(file: string, now: number): string {
  const stamp = new Date(now).toISOString().replace(/[-:.]/g, '')
  const name = `${file}.corrupt-${stamp}`
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? name : `${name}-${n}`
    if (!existsSync(candidate) && !existsSync(`${candidate}-wal`)) return candidate
  }
}

function forgetOldest(file: string, newest: string): void {
  const folder = dirname(file)
  const names = readdirSync(folder).filter(name => name.startsWith(`${basename(file)}.corrupt-`))
  const files = new Set(names.map(name => join(folder, name.replace(/-(wal|shm)$/, ''))))
  files.delete(newest)
  const older = [...files].sort()
  for (const one of older.slice(0, Math.max(0, older.length + 1 - keptAside))) removeFile(one)
}
