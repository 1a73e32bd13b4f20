// Opening history.db, also when it is damaged: it is then moved aside, what still reads of it goes into a new file,
// and the collector goes on. Damage found while running leaves `history.db.suspect` and the next opening salvages.

import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { reason } from '../../core/errors.ts'
import type { Say } from '../../core/log.ts'
import { finishReplacing, replaceFile } from '../../core/replaced-file.ts'
import { isEmptied } from '../emptied.ts'
import { extents, salvage } from './salvage.ts'
import { checkSchema, openFile, pageSize } from './schema.ts'

/** Files up to this size are checked whole at each opening; larger ones by what opening itself reads. */
const checkedBytes = 64 * 1024 * 1024

export interface Opened {
  readonly db: Database.Database
  readonly path: string
  readonly salvaged: boolean
}

/**
 * `others` are the statements that make the tables which others keep in the file. Throws what stands in the way when it is
 * not damage: no rights, no space, another process has the file.
 */
export function openHistoryFile(folder: string, others: readonly string[], say: Say, now: () => number): Opened {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, 'history.db')
  finishReplacing(path, now())
  try {
    return { db: openSound(path, others), path, salvaged: false }
  } catch (error) {
    if (isLocked(error))
      throw new Error(`${path} is in use by another collector: stop it, or give this one another state folder`)
    if (!isCorruption(error)) throw new Error(`cannot open ${path}`, { cause: error })
    return { db: replaceDamaged(path, others, reason(error), say, now), path, salvaged: true }
  }
}

export function isCorruption(error: unknown): boolean {
  return error instanceof Database.SqliteError && /^SQLITE_(CORRUPT|NOTADB)/.test(error.code)
}

/** Marks the file as damaged for the next opening, and says so once; whether it was news. */
export function suspect(path: string, say: Say): boolean {
  const mark = `${path}.suspect`
  if (existsSync(mark)) return false
  writeFileSync(mark, '')
  say('critical', 'history: the file is damaged; it is closed, and salvaged when it is opened again', { file: path })
  return true
}

function openSound(path: string, others: readonly string[]): Database.Database {
  if (isEmptied(path, pageSize)) throw new Database.SqliteError('it has no bytes left', 'SQLITE_CORRUPT')
  const db = openFile(path)
  try {
    if (existsSync(`${path}.suspect`)) throw new Database.SqliteError('marked as damaged', 'SQLITE_CORRUPT')
    for (const sql of others) db.exec(sql)
    checkSchema(db, others)
    if (statSync(path).size <= checkedBytes) checkWhole(db)
    db.prepare('SELECT count(*) FROM series JOIN extent ON series = series.id').get()
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

function checkWhole(db: Database.Database): void {
  const verdict = db.pragma('integrity_check(1)', { simple: true })
  if (verdict !== 'ok') throw new Database.SqliteError(String(verdict).replaceAll(/\s+/g, ' '), 'SQLITE_CORRUPT')
  // Extents follow from the chunks; a wrong one would hide samples from every query.
  const wrong = db.prepare(`SELECT count(*) FROM (SELECT * FROM extent EXCEPT ${extents})`).pluck().get()
  if (wrong !== 0) throw new Database.SqliteError('extents do not match the chunks', 'SQLITE_CORRUPT')
}

function replaceDamaged(
  path: string,
  others: readonly string[],
  why: string,
  say: Say,
  now: () => number,
): Database.Database {
  const { made, aside } = replaceFile(path, now(), fresh => {
    const db = openFile(fresh)
    try {
      for (const sql of others) db.exec(sql)
      return salvage(path, db)
    } finally {
      db.close()
    }
  })
  rmSync(`${path}.suspect`, { force: true })
  say('critical', `history: the file was damaged (${why}); it is kept aside, and what still reads was taken over`, {
    file: aside,
    ...made,
  })
  return openFile(path)
}

function isLocked(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY'
}
