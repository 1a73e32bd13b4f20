// One daemon a spool. The lock is an SQLite lock on a file beside it: it dies with the process, so none is ever
// stale. Who holds it stands in a text file, for the message only.

import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Database } from 'better-sqlite3'
import { reason } from '../../core/errors.ts'
import type { Say } from '../../core/log.ts'
import { hasCode, isDamage } from './damage.ts'
import type { Open } from './tables.ts'

export interface Lock {
  release(): void
}

/** @throws Error that names the process which holds the folder. */
export function lockFolder(folder: string, open: Open, say: Say): Lock {
  const holder = join(folder, 'spool.pid')
  const db = locked(folder, open, holder)
  note(holder, say)
  const release = (): void => {
    if (!db.open) return
    rmSync(holder, { force: true })
    db.close()
  }
  return { release }
}

function locked(folder: string, open: Open, holder: string): Database {
  const file = join(folder, 'spool.lock')
  try {
    return beginAnew(file, open)
  } catch (cause) {
    if (!hasCode(cause, 'SQLITE_BUSY')) throw new Error(`spool: cannot lock ${folder}`, { cause })
    throw new Error(`spool: ${folder} is in use by ${whoHolds(holder)}`, { cause })
  }
}

/** A damaged lock file holds nothing; it is emptied, not replaced, as another process may have its lock on it. */
function beginAnew(file: string, open: Open): Database {
  try {
    return begin(file, open)
  } catch (error) {
    if (!isDamage(error)) throw error
    writeFileSync(file, '')
    return begin(file, open)
  }
}

function begin(file: string, open: Open): Database {
  const db = open(file)
  try {
    // Beginning on an empty file writes its first page, for which a full disk has no room at a later start.
    if (db.pragma('page_count', { simple: true }) === 0) db.pragma('user_version = 1')
    db.exec('BEGIN EXCLUSIVE')
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** On a full disk the daemon starts all the same. */
function note(holder: string, say: Say): void {
  try {
    writeFileSync(holder, `${process.pid}\n`)
  } catch (error) {
    say('warning', `spool: cannot note who holds it: ${reason(error)}`)
  }
}

function whoHolds(holder: string): string {
  try {
    return `process ${readFileSync(holder, 'utf8').trim()}`
  } catch {
    return 'another process, which left no pid'
  }
}
