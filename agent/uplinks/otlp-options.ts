// Where an OTLP/HTTP backend is, and what is sent along with each request.

import { secretFile } from '../../core/config-shapes.ts'
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
