// OTLP/HTTP in: POST /v1/metrics and /v1/logs, protobuf or JSON, plain, gzip or zstd.
// An answer of 200 follows the commit. What a client may send again is answered 429 or 503 with Retry-After, what it may
// not 400, 413 or 415. A request sent again after an answer that got lost is stored twice: OTLP has no sequence. One
// that carries an envelope (otlp-envelope.ts) has, and is stored once.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Refused, reason } from '../../core/errors.ts'
import { fromJson, type Signal } from '../../core/otlp/json.ts'
import type { Accept } from '../../core/receipt.ts'
import { guard } from '../api/guard.ts'
import { Busy } from './gate.ts'
import type { Parcel } from './inbox-store.ts'
import { type ContentType, contentTypeOf, failureBody, formats, type Rejected, successBody } from './otlp-answers.ts'
import {
  type BodyEncoding,
  bodyEncodings,
  decompress,
  maxDecompressed,
  type Open,
  type Opened,
  opener,
} from './otlp-body.ts'
import { envelopeHeader, envelopeOf, receiptHeader, receiptText } from './otlp-envelope.ts'

/** Why a request, or a node's part of it, was not taken. */
export const otlpRefusals = [
  'too-large',
  'content-type',
  'content-encoding',
  'malformed',
  'no-node',
  'refused',
  'busy',
  'unavailable',
  'traces',
] as const
export type OtlpRefusal = (typeof otlpRefusals)[number]

export interface OtlpParts {
  /** Resolves after the commit. Throws Refused for ever, Busy for now, anything else when nothing was committed. */
  take(parcel: Parcel): Promise<void>
  readonly accept: Accept
  count(refusal: OtlpRefusal): void
}

/** Bytes of a body as it arrives. */
const maxBody = 4 * 1024 ** 2
/** Requests read and answered at once; with their bodies they hold at most 256 MiB. */
const maxInFlight = 64
/** Seconds that a client should wait where nobody knows better. */
const retrySeconds = 1

const noNode = 'a resource has neither host.name nor service.instance.id nor service.name'

class Failure extends Error {
  readonly status: number
  readonly refusal: OtlpRefusal
  /** Seconds. */
  readonly retryAfter: number | undefined

  constructor(status: number, refusal: OtlpRefusal, message: string, retryAfter?: number) {
    super(message)
    this.status = status
    this.refusal = refusal
    this.retryAfter = retryAfter
  }
}

/** Adds the routes in a scope of their own: body parsing and error answers do not reach what else `app` serves. */
export function registerOtlp(app: FastifyInstance, parts: OtlpParts): void {
  app.register(async scope => {
    guard(scope)
    limitInFlight(scope)
    // By this header a Fieldline uplink knows that it may send whole envelopes, and be told what is committed.
    scope.addHook('onRequest', async (_, reply) => void reply.header(receiptHeader, ''))
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_, body, done) => done(null, body))
    scope.setErrorHandler((error, request, reply) => answerFailure(failureOf(error), request, reply, parts))
    const open = opener()
    for (const signal of ['metrics', 'logs'] as const)
      scope.post(`/v1/${signal}`, { bodyLimit: maxBody }, (request, reply) =>
        ingest(signal, request, reply, parts, open),
      )
    scope.post('/v1/traces', { bodyLimit: maxBody }, () => {
      throw new Failure(404, 'traces', 'this collector takes metrics and logs, no traces')
    })
  })
}

function limitInFlight(scope: FastifyInstance): void {
  let inFlight = 0
  scope.addHook('onRequest', async (_, reply) => {
    if (inFlight >= maxInFlight)
      throw new Failure(429, 'busy', `more than ${maxInFlight} requests at once`, retrySeconds)
    inFlight++
    reply.raw.once('close', () => inFlight--)
  })
}

async function ingest(
  signal: Signal,
  request: FastifyRequest,
  reply: FastifyReply,
  parts: OtlpParts,
  open: Open,
): Promise<FastifyReply> {
  const type = requireType(request)
  const encoding = requireEncoding(request)
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  const envelope = request.headers[envelopeHeader]
  if (typeof envelope === 'string') {
    if (type !== 'application/x-protobuf' || encoding !== 'zstd')
      throw new Failure(400, 'malformed', 'an envelope is protobuf in zstd')
    return acceptEnvelope(envelope, signal, body, reply, parts)
  }
  const rejected = await takeParcels(read(signal, type, encoding, body, open), parts)
  return reply.type(type).send(successBody(type, signal, rejected))
}

function requireType(request: FastifyRequest): ContentType {
  const type = contentTypeOf(request.headers['content-type'])
  if (type === undefined) throw new Failure(415, 'content-type', `expected ${Object.keys(formats).join(' or ')}`)
  return type
}

function requireEncoding(request: FastifyRequest): BodyEncoding {
  const given = request.headers['content-encoding']?.trim().toLowerCase() ?? 'identity'
  const encoding = bodyEncodings.find(known => known === given)
  if (encoding === undefined) throw new Failure(415, 'content-encoding', `expected ${bodyEncodings.join(', ')}`)
  return encoding
}

/** Synchronous on purpose: only one decompressed body exists at a time. */
function read(signal: Signal, type: ContentType, encoding: BodyEncoding, body: Buffer, open: Open): Opened {
  const format = formats[type]
  const most = maxDecompressed[format]
  try {
    const bytes = decompress(body, encoding, most)
    return open(signal, format === 'json' ? fromJson(signal, bytes) : bytes)
  } catch (error) {
    if (error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE')
      throw new Failure(413, 'too-large', `more than ${most} bytes once decompressed`)
    throw new Failure(400, 'malformed', reason(error))
  }
}

/**
 * Offers all at once, so that one transaction holds them. Where some nodes must wait, the whole request is to come
 * again: rather twice than never.
 */
async function takeParcels({ parcels, unnamed }: Opened, parts: OtlpParts): Promise<Rejected | undefined> {
  const outcomes = await Promise.allSettled(parcels.map(parcel => parts.take(parcel)))
  const failures = outcomes.map(o => (o.status === 'rejected' ? o.reason : undefined))
  const retryable = failures.find(f => f !== undefined && !(f instanceof Refused))
  if (retryable !== undefined) throw retryable
  const rejections: Rejection[] = parcels.flatMap(({ samples, events }, n) => {
    return failures[n] ? [{ refusal: 'refused', count: samples + events, message: reason(failures[n]) }] : []
  })
  if (unnamed > 0) rejections.push({ refusal: 'no-node', count: unnamed, message: noNode })
  return settle(rejections, parcels.length + (unnamed > 0 ? 1 : 0), parts)
}

type Rejection = Rejected & { readonly refusal: OtlpRefusal }

/** A request of which nothing was taken has failed; otherwise its answer says what was not. */
function settle(rejections: readonly Rejection[], offered: number, parts: OtlpParts): Rejected | undefined {
  const last = rejections.at(-1)
  if (last === undefined) return undefined
  if (rejections.length === offered) throw new Failure(400, last.refusal, last.message)
  for (const { refusal } of rejections) parts.count(refusal)
  return { count: rejections.reduce((sum, { count }) => sum + count, 0), message: last.message }
}

async function acceptEnvelope(header: string, signal: Signal, body: Buffer, reply: FastifyReply, parts: OtlpParts) {
  const receipt = await parts.accept(envelopeOf(header, signal, body))
  const type = 'application/x-protobuf'
  reply.header(receiptHeader, receiptText(receipt)).type(type)
  if (receipt.retry_after === undefined) return reply.send(successBody(type, signal, undefined))
  parts.count('busy')
  reply.code(429).header('retry-after', toSeconds(receipt.retry_after))
  return reply.send(failureBody(type, 429, 'not now'))
}

function toSeconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000))
}

function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error
  if (error instanceof Refused) return new Failure(400, 'refused', error.message)
  if (error instanceof Busy) return new Failure(429, 'busy', error.message, toSeconds(error.retry_after))
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 503
  if (status === 413) return new Failure(413, 'too-large', `more than ${maxBody} bytes`)
  if (status === 415) return new Failure(415, 'content-type', reason(error))
  if (status >= 400 && status < 500) return new Failure(status, 'malformed', reason(error))
  return new Failure(503, 'unavailable', `nothing was taken: ${reason(error)}`, retrySeconds)
}

function answerFailure(failure: Failure, request: FastifyRequest, reply: FastifyReply, parts: OtlpParts): FastifyReply {
  parts.count(failure.refusal)
  const type = contentTypeOf(request.headers['content-type']) ?? 'application/json'
  if (failure.retryAfter !== undefined) reply.header('retry-after', failure.retryAfter)
  if (failure.refusal === 'content-encoding') reply.header('accept-encoding', bodyEncodings.join(', '))
  return reply
    .code(failure.status)
    .type(type)
    .send(failureBody(type, failure.status, failure.message))
}
