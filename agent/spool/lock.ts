// One daemon a spool. The lock is an SQLite lock on an empty file beside it: it dies with the process, so none is ever
// stale. Who holds it stands in a text file, for the message only.

import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { reason } from '../../core/errors.ts'
import type { Say } from '../../core/log.ts'
import { hasCode } from './damage.ts'
import type { Open } from './tables.ts'

export interface Lock {
  release(): void
}

/** @throws Error that names the process which holds the folder. */
export function lockFolder(folder: string, open: Open, say: Say): Lock {
  const db = open(join(folder, 'spool.lock'))
  const holder = join(folder, 'spool.pid')
  try {
    db.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    if (!hasCode(error, 'SQLITE_BUSY')) throw new Error(`spool: cannot lock ${folder}`, { cause: error })
    throw new Error(`spool: ${folder} is in use by ${whoHolds(holder)}`, { cause: error })
  }
  note(holder, say)
  const release = (): void => {
    if (!db.open) return
    rmSync(holder, { force: true })
    db.close()
  }
  return { release }
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
