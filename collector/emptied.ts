// SQLite takes a file of no bytes for a new one, and deletes the log beside it without a word.

import { existsSync, statSync, truncateSync } from 'node:fs'

/** Whether a database was cut to nothing. It is given a page of zeros, behind which its log can be read. */
export function isEmptied(file: string, pageSize: number): boolean {
  if (!existsSync(file) || statSync(file).size > 0) return false
  truncateSync(file, pageSize)
  return true
}
