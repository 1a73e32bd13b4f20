// A disk that a test can fill and make room on: a tmpfs where one may be mounted. Elsewhere SQLite is made to meet its
// own limit of pages, which is the same SQLITE_FULL.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import SQLite, { type Database } from 'better-sqlite3'
import type { Test } from 'tap'

export interface Disk {
  readonly folder: string
  /** How databases must be opened to meet its end; undefined where the disk is a real one. */
  readonly open?: (file: string) => Database
  fill(): void
  empty(): void
}

/** `size` in MiB. */
export function smallDisk(t: Test, size: number): Disk {
  const folder = mkdtempSync(join(tmpdir(), 'fieldline-road-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}m`, 'fieldline-test', folder])
  if (status !== 0) return imagined(t, folder)
  t.teardown(() => void spawnSync('umount', ['-l', folder]))
  const ballast = join(folder, 'ballast')
  return { folder, fill: () => fill(ballast), empty: () => rmSync(ballast) }
}

function fill(ballast: string): void {
  for (const bytes of [65536, 4096, 512]) {
    try {
      for (;;) writeFileSync(ballast, Buffer.alloc(bytes), { flag: 'a' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }
}

function imagined(t: Test, folder: string): Disk {
  t.comment('mounting a tmpfs is not permitted here: the databases are limited to their present size instead')
  const all: Database[] = []
  const limit = (pages: (db: Database) => unknown) => (): void => {
    for (const db of all) if (db.open) db.pragma(`max_page_count = ${pages(db)}`)
  }
  const open = (file: string): Database => {
    const db = new SQLite(file)
    all.push(db)
    return db
  }
  return { folder, open, fill: limit(db => db.pragma('page_count', { simple: true })), empty: limit(() => 2 ** 31) }
}
