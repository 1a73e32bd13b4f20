// Where an OTLP/HTTP backend is, and what is sent along with each request.

import { readFileSync } from 'node:fs'
import { secretFile, secretPath } from '../../core/config-shapes.ts'
import { Refused } from '../../core/errors.ts'
import { absolutePath, bool, duration, matching, object, oneOf, optional, type Shape } from '../../core/shape.ts'

export const compressions = ['gzip', 'zstd', 'none'] as const

export interface OtlpOptions {
  /** `/v1/metrics` and `/v1/logs` are appended. */
  readonly url: string
  /** Lines of `Name: value`; empty lines and lines that begin with # are skipped. */
  readonly headers_file: string | undefined
  /** PEM file; without it the system's authorities are trusted. */
  readonly ca: string | undefined
  /** ms */
  readonly timeout: number
  readonly compression: (typeof compressions)[number]
  /** Whether the far end is a Fieldline collector; asked of it when absent. */
  readonly fieldline: boolean | undefined
}

const url = matching(
  /^https?:\/\/[^\s/@?#]+(\/[^\s?#]*)?$/,
  'an address such as https://otel.example:4318, without user and password',
)

export const otlpOptions: Shape<OtlpOptions> = object({
  url,
  headers_file: optional(secretFile),
  ca: optional(absolutePath),
  timeout: optional(duration(100, 300_000), 10_000),
  compression: optional(oneOf(compressions), 'gzip'),
  fieldline: optional(bool),
})

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
