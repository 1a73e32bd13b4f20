// The body of an OTLP/HTTP request: what it is compressed with, and what it holds for which node.

import { constants, gunzipSync, type Zlib, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { isName } from '../../core/envelope.ts'
import type { Attributes } from '../../core/model.ts'
import { decodeLogs, MetricDecoder } from '../../core/otlp/decode.ts'
import type { Signal } from '../../core/otlp/json.ts'
import { readResource } from '../../core/otlp/values.ts'
import { ProtoReader } from '../../core/protobuf.ts'
import type { Parcel } from './inbox-store.ts'

export const bodyEncodings = ['identity', 'gzip', 'zstd'] as const
export type BodyEncoding = (typeof bodyEncodings)[number]

/** Bytes that a body may have once decompressed. As JSON fewer: 32 MiB of `[],[],` parse into half a gigabyte. */
export const maxDecompressed = { protobuf: 32 * 1024 ** 2, json: 8 * 1024 ** 2 } as const
/** 8 MiB, the least that RFC 8878 (3.1.1.1.2) wants a decoder to take; a frame may ask for far more. */
const maxWindowLog = 23
const maxFrames = 100
/** Telemetry shrinks about twelvefold: what fits into one piece need not be put together. Bytes. */
const usualRatio = 16
const [leastPiece, mostPiece] = [4096, 128 * 1024]
/** Nodes that one request may speak for. */
const maxNodes = 1000

/** @throws RangeError with code ERR_BUFFER_TOO_LARGE past `most` bytes, zlib's errors on damage. */
export function decompress(body: Buffer, encoding: BodyEncoding, most: number): Buffer {
  if (encoding === 'identity') return body
  return encoding === 'gzip' ? gunzipSync(body, { maxOutputLength: most }) : unzstd(body, most)
}

/** Node stops behind the first frame without a word; a body may have more. */
function unzstd(body: Buffer, most: number): Buffer {
  const params = { [constants.ZSTD_d_windowLogMax]: maxWindowLog }
  const chunkSize = Math.min(mostPiece, Math.max(leastPiece, body.length * usualRatio))
  const parts: Buffer[] = []
  let left = most
  for (let at = 0; at < body.length || at === 0; ) {
    const options = { maxOutputLength: Math.max(1, left), params, info: true, chunkSize }
    const { buffer, engine } = zstdDecompressSync(body.subarray(at), options) as unknown as Inflated
    if (parts.push(buffer) > maxFrames) throw new Error(`more than ${maxFrames} zstd frames`)
    at += engine.bytesWritten
    left -= buffer.length
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
}

/** What zlib gives with `info`; bytesWritten is what it took of the input. */
interface Inflated {
  readonly buffer: Buffer
  readonly engine: Pick<Zlib, 'bytesWritten'>
}

export interface Opened {
  readonly parcels: readonly Parcel[]
  /** Samples or events of resources that name no node. */
  readonly unnamed: number
}

export type Open = (signal: Signal, bytes: Uint8Array) => Opened

/** @throws RangeError on malformed bytes: whatever passes can be decoded later. */
export function opener(): Open {
  const metrics = new MetricDecoder<never>({ series: () => undefined, sample: () => {} }, 100_000)
  const measures = { metrics: (bytes: Uint8Array) => metrics.summary(bytes), logs: logSummary }
  return (signal, bytes) => {
    const parcels: Parcel[] = []
    let unnamed = 0
    for (const [node, part] of byNode(bytes)) {
      const { samples, firstTime, lastTime } = measures[signal](part)
      if (node === undefined) unnamed += samples
      else if (samples > 0) parcels.push({ node, firstTime, lastTime, ...content(signal, samples, part) })
    }
    return { parcels, unnamed }
  }
}

function content(signal: Signal, count: number, bytes: Uint8Array) {
  const payload = zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 1 } })
  if (signal === 'metrics') return { encoding: 'otlp-metrics-zstd', samples: count, events: 0, payload } as const
  return { encoding: 'otlp-logs-zstd', samples: 0, events: count, payload } as const
}

function logSummary(bytes: Uint8Array) {
  const times = decodeLogs(bytes).map(({ event }) => event.time)
  if (times.length === 0) return { samples: 0, firstTime: 0, lastTime: 0 }
  const least = (a: number, b: number) => Math.min(a, b)
  const most = (a: number, b: number) => Math.max(a, b)
  return { samples: times.length, firstTime: times.reduce(least), lastTime: times.reduce(most) }
}

/**
 * The request's bytes divided by node. Metrics and logs are alike here: the request is a list (field 1) of messages
 * whose field 1 is the resource. @throws RangeError on malformed bytes and on too many nodes.
 */
function byNode(bytes: Uint8Array): Map<string | undefined, Uint8Array> {
  const parts = new Map<string | undefined, Range[]>()
  const input = new ProtoReader(bytes)
  for (let field = input.next(); field !== 0; field = input.next()) {
    if (field === 1) addRange(parts, input)
    else input.skip()
    if (parts.size > maxNodes) throw new RangeError(`otlp: more than ${maxNodes} nodes in one request`)
  }
  return new Map([...parts].map(([node, ranges]) => [node, cut(bytes, ranges)]))
}

interface Range {
  readonly start: number
  end: number
}

function addRange(parts: Map<string | undefined, Range[]>, input: ProtoReader): void {
  const start = input.fieldAt
  const node = nodeOf(resourceAt(input))
  const ranges = parts.get(node)
  const last = ranges?.at(-1)
  if (ranges === undefined) parts.set(node, [{ start, end: input.at }])
  else if (last?.end === start) last.end = input.at
  else ranges.push({ start, end: input.at })
}

function cut(bytes: Uint8Array, ranges: readonly Range[]): Uint8Array {
  const pieces = ranges.map(({ start, end }) => bytes.subarray(start, end))
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
}

function resourceAt(input: ProtoReader): Attributes {
  const outer = input.enter()
  let resource: Attributes = {}
  for (let field = input.next(); field !== 0; field = input.next()) {
    if (field === 1) resource = { ...resource, ...readResource(input) }
    else input.skip()
  }
  input.leave(outer)
  return resource
}

/** The attributes that can name a node, best first. */
const naming = ['host.name', 'service.instance.id', 'service.name'] as const

function nodeOf(resource: Attributes): string | undefined {
  return naming.map(key => toName(String(resource[key] ?? ''))).find(isName)
}

/** `Werk 3/Presse` becomes `Werk-3-Presse`. */
function toName(text: string): string {
  return text
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 64)
}
