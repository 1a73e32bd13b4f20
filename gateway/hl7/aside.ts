// Messages that made no sense, kept for a person to look at: `fieldline hl7 aside` lists them, `fieldline hl7 send` sends
// one again when what was wrong is mended. They hold patient data and never leave this folder by themselves.
//
// A message is two files, readable for the daemon's user alone: `<time>-<print>.hl7` with the bytes as they came and
// `.json` beside it with the reason. The same message is kept once. There are at most 1,000; the oldest
// make room for the newest.

import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

export interface Aside {
  /** What it is, in the words of the daemon: `malformed`, `unusable`. */
  readonly kind: string
  /** Why; may hold patient data. */
  readonly reason: string
  /** The sender's address. */
  readonly peer: string
}

export interface KeptAside extends Aside {
  readonly file: string
  /** ms since the epoch. */
  readonly time: number
  readonly bytes: number
}

/** What one file costs beside its bytes, as the bound counts it: a block or two of the disk. */
const overhead = 8192
const mostMessages = 1000

/** Durable when it returns; false where the same message is there already. @throws the disk's error. */
export function keepAside(
  folder: string,
  most: number,
  {
    bytes,
    print,
    time,
    ...about
  }: Aside & { readonly bytes: Uint8Array; readonly print: string; readonly time: number },
): boolean {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const names = namesIn(folder)
  if (names.some(name => name.endsWith(`-${print}`))) return false
  makeRoom(folder, names, most - bytes.length - overhead)
  const name = `${new Date(time).toISOString().replace(/[-:.]/g, '')}-${print}`
  write(folder, `${name}.json`, JSON.stringify({ ...about, time }))
  write(folder, `${name}.hl7`, bytes)
  sync(folder)
  return true
}

/** Newest first. */
export function listAside(folder: string): readonly KeptAside[] {
  return namesIn(folder)
    .toReversed()
    .map(name => {
      const file = join(folder, `${name}.hl7`)
      const about = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Aside & { readonly time: number }
      return { ...about, file, bytes: statSync(file).size }
    })
}

/** Oldest first, without the ending. What a crash left half is no message. */
function namesIn(folder: string): readonly string[] {
  try {
    const ending = /\.hl7$/
    return readdirSync(folder)
      .filter(name => ending.test(name))
      .map(name => name.replace(ending, ''))
      .sort()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

function makeRoom(folder: string, names: readonly string[], room: number): void {
  let held = names.reduce((sum, name) => sum + statSync(join(folder, `${name}.hl7`)).size + overhead, 0)
  for (const [n, name] of names.entries()) {
    if (held <= room && names.length - n < mostMessages) return
    held -= statSync(join(folder, `${name}.hl7`)).size + overhead
    for (const ending of ['hl7', 'json']) rmSync(join(folder, `${name}.${ending}`), { force: true })
  }
}

function write(folder: string, name: string, content: string | Uint8Array): void {
  const file = join(folder, name)
  writeFileSync(`${file}.new`, content, { mode: 0o600, flush: true })
  renameSync(`${file}.new`, file)
}

function sync(folder: string): void {
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
