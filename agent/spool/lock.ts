// One daemon a spool. The lock is an SQLite lock on an empty file beside it: it dies with the process, so none is ever
// stale. Who holds it stands in a text file, for the message only.

import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Database } from 'better-sqlite3'
import { reason } from '../../core/errors.ts'
import type { Say } from '../../core/log.ts'
import { hasCode } from './damage.ts'
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
  let db: Database | undefined
  try {
    db = open(join(folder, 'spool.lock'))
    db.exec('BEGIN EXCLUSIVE')
    return db
  } catch (cause) {
    db?.close()
    if (!hasCode(cause, 'SQLITE_BUSY')) throw new Error(`spool: cannot lock ${folder}`, { cause })
    throw new Error(`spool: ${folder} is in use by ${whoHolds(holder)}`, { cause })
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
