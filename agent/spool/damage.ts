// Which errors mean a damaged file, which a full disk.

import { Damage } from './tables.ts'

const damaged = /^SQLITE_(CORRUPT|NOTADB|FORMAT|IOERR_READ|IOERR_SHORT_READ|IOERR_CORRUPTFS|IOERR_DATA)/

export function isDamage(error: unknown): boolean {
  const first = firstOf(error)
  return first instanceof Damage || damaged.test(codeOf(first)) || isForeign(first)
}

export function hasCode(error: unknown, code: string): boolean {
  return codeOf(firstOf(error)).startsWith(code)
}

/** The statements are fixed: a file that they do not fit is not the one that was made. */
function isForeign(error: unknown): boolean {
  if (codeOf(error) !== 'SQLITE_ERROR' || !(error instanceof Error)) return false
  return /^(no such (table|column)|unsupported file format|table \w+ has \d+ columns)/.test(error.message)
}

/** Of a transaction that could not be rolled back either, what failed first. */
function firstOf(error: unknown): unknown {
  return error instanceof AggregateError ? error.cause : error
}

function codeOf(error: unknown): string {
  const code = error instanceof Error ? (error as Error & { code?: unknown }).code : undefined
  return typeof code === 'string' ? code : ''
}
