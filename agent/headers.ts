// HTTP headers that hold a secret come from a file of their own.

import { readFileSync } from 'node:fs'
import { secretPath } from '../core/config-shapes.ts'
import { Refused } from '../core/errors.ts'

/** @throws Refused naming the line, never its value: it may hold a secret. */
export function readHeaders(file: string): Record<string, string> {
  let text: string
  try {
    text = readFileSync(secretPath(file), 'utf8')
  } catch (cause) {
    throw new Refused(`cannot read headers_file ${file}`, { cause })
  }
  const headers: Record<string, string> = {}
  for (const [n, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const m = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/.exec(line)
    if (m === null) throw new Refused(`headers_file ${file}, line ${n + 1}: expected Name: value`)
    headers[m[1]!.toLowerCase()] = m[2]!.trimEnd()
  }
  return headers
}
