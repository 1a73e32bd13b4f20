// What an OTLP/HTTP server's answer means. https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
// Differs from it in one thing: of the errors that it calls permanent, only those that speak of the request's content are
// taken so. 401, 404 or 500 speak of the place; the data waits in the spool until somebody has put that right.

import { ProtoReader } from '../../core/protobuf.ts'
import type { Answer } from './post.ts'

export type Verdict =
  | { readonly taken: true; readonly rejected?: string }
  | { readonly refused: string }
  /** `wait`: ms, 0 if the server did not say. */
  | { readonly later: string; readonly wait: number }

const aboutContent: readonly number[] = [400, 413, 415, 422]
const busy: readonly number[] = [429, 502, 503, 504]
/** The longest wait a server is granted at a time, ms. */
export const longestWait = 60_000

export function judge(answer: Answer, now: number): Verdict {
  const { status } = answer
  if (status >= 200 && status < 300) return { taken: true, ...partial(answer) }
  const text = `HTTP ${status}${detail(answer)}`
  if (aboutContent.includes(status)) return { refused: text }
  const wait = busy.includes(status) ? retryAfter(answer.headers['retry-after'], now) : 0
  return { later: text, wait }
}

/** Seconds or an HTTP date, in ms from now; 0 if it is neither. https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
export function retryAfter(value: string | undefined, now: number): number {
  if (value === undefined) return 0
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now
  return Number.isNaN(ms) ? 0 : Math.min(longestWait, Math.max(0, ms))
}

function partial({ headers, body }: Answer): { rejected?: string } {
  const isJson = headers['content-type']?.startsWith('application/json') === true
  const { count, message } = isJson ? partialOfJson(body) : partialOfProtobuf(body)
  return count > 0 ? { rejected: `${count} rejected${message && `: ${message}`}` } : {}
}

interface Partial {
  readonly count: number
  readonly message: string
}

const none: Partial = { count: 0, message: '' }

/** Export{Metrics,Logs}ServiceResponse: partial_success = 1 { rejected = 1, error_message = 2 }. */
function partialOfProtobuf(body: Uint8Array): Partial {
  try {
    const outer = new ProtoReader(body)
    for (let field = outer.next(); field !== 0; field = outer.next()) {
      if (field === 1) return readPartial(new ProtoReader(outer.bytes()))
      outer.skip()
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  return none
}

function readPartial(input: ProtoReader): Partial {
  let [count, message] = [0, '']
  for (let field = input.next(); field !== 0; field = input.next()) {
    if (field === 1) count = input.uint()
    else if (field === 2) message = input.string()
    else input.skip()
  }
  return { count, message: message.slice(0, 300) }
}

function partialOfJson(body: Buffer): Partial {
  try {
    const { partialSuccess = {} } = JSON.parse(body.toString('utf8'))
    const count = Number(partialSuccess.rejectedDataPoints ?? partialSuccess.rejectedLogRecords ?? 0)
    return {
      count: Number.isFinite(count) ? count : 0,
      message: String(partialSuccess.errorMessage ?? '').slice(0, 300),
    }
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return none
    throw error
  }
}

/** The server's own words where they are text; google.rpc.Status has them in field 2. */
function detail({ headers, body }: Answer): string {
  const type = headers['content-type'] ?? ''
  const words = type.startsWith('application/x-protobuf') ? statusMessage(body) : body.toString('utf8')
  const line = words.replace(/\s+/g, ' ').trim().slice(0, 200)
  return line === '' ? '' : `: ${line}`
}

function statusMessage(body: Uint8Array): string {
  const input = new ProtoReader(body)
  try {
    for (let field = input.next(); field !== 0; field = input.next()) {
      if (field === 2) return input.string()
      input.skip()
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  return ''
}
