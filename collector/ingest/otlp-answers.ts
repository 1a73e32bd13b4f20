// What OTLP/HTTP answers (https://opentelemetry.io/docs/specs/otlp/#otlphttp-response), in the request's own format.

import type { Signal } from '../../core/otlp/json.ts'
import { ProtoWriter } from '../../core/protobuf.ts'

export const formats = { 'application/x-protobuf': 'protobuf', 'application/json': 'json' } as const
export type ContentType = keyof typeof formats

/** The content type of a request, or undefined where it is none that we read. */
export function contentTypeOf(header: string | undefined): ContentType | undefined {
  const type = (header ?? '').replace(/;.*/, '').trim().toLowerCase()
  return Object.hasOwn(formats, type) ? (type as ContentType) : undefined
}

/** What was not taken of a request that was otherwise. */
export interface Rejected {
  readonly count: number
  readonly message: string
}

/** Export(Metrics|Logs)ServiceResponse: partial_success 1 { rejected_(data_points|log_records) 1, error_message 2 }. */
export function successBody(type: ContentType, signal: Signal, rejected: Rejected | undefined): Buffer {
  const { count, message: errorMessage } = rejected ?? { count: 0, message: '' }
  if (formats[type] === 'json') {
    const counted = signal === 'metrics' ? { rejectedDataPoints: String(count) } : { rejectedLogRecords: String(count) }
    return Buffer.from(JSON.stringify(rejected ? { partialSuccess: { ...counted, errorMessage } } : {}))
  }
  const out = new ProtoWriter(64)
  if (rejected) {
    const start = out.open(1)
    out.uint(1, count)
    out.string(2, errorMessage)
    out.close(start)
  }
  return out.finish()
}

/** google.rpc.Code by HTTP status: NOT_FOUND, RESOURCE_EXHAUSTED, UNAVAILABLE; all else is INVALID_ARGUMENT. */
const rpcCodes: Readonly<Record<number, number>> = { 404: 5, 429: 8, 503: 14 }

/** google.rpc.Status: code 1, message 2. */
export function failureBody(type: ContentType, status: number, message: string): Buffer {
  const code = rpcCodes[status] ?? 3
  if (formats[type] === 'json') return Buffer.from(JSON.stringify({ code, message }))
  const out = new ProtoWriter(64)
  out.uint(1, code)
  out.string(2, message)
  return out.finish()
}
