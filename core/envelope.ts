// What travels: one sealed batch of OTLP bytes with its place in a stream. docs/wire.md describes the bytes.

import { crc32 } from 'node:zlib'
import { Refused } from './errors.ts'
import { ProtoReader, ProtoWriter } from './protobuf.ts'

export const encodings = ['otlp-metrics-zstd', 'otlp-logs-zstd'] as const
export type Encoding = (typeof encodings)[number]
/** On the wire alone, of `otlp-metrics-zstd`: the payload is compressed after another one of its stream (base.ts). */
const afterBase = encodings.length + 1

/** Where an envelope belongs and what it holds; everything but `previous` is under the seal. */
export interface Header {
  readonly node: string
  /** `<spool id>.<lane>.<n>-<salt>`: one ordered sequence from one spool. */
  readonly stream: string
  /** 1, 2, 3 ... within the stream. */
  readonly seq: number
  /** Time of the oldest and of the newest sample or event inside, ms since the epoch. */
  readonly firstTime: number
  readonly lastTime: number
  readonly samples: number
  readonly events: number
  readonly encoding: Encoding
}

export interface Envelope extends Header {
  /** The seq before this one that the spool still holds, 0 if none: what lies between was given up by the edge. */
  readonly previous: number
  /**
   * Only under way. A seq before its own: the envelope after which the payload is compressed. Its own: the payload is
   * whole, and the collector is asked to keep it as a base for others.
   */
  readonly base?: number
  readonly payload: Uint8Array
  /** CRC-32 (IEEE 802.3, as zlib) of the encoded header followed by the payload. */
  readonly crc: number
}

/** Bytes of an encoded envelope that a collector takes. */
export const maxEnvelope = 4 * 1024 ** 2

const names = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
const streams = /^[A-Za-z0-9._-]{1,64}$/

/** Node, tenant and shard names stand in MQTT topics and in files: letters, digits, `.`, `_`, `-`, at most 64. */
export function isName(text: string): boolean {
  return names.test(text)
}

/** Whether its payload cannot be read without another envelope's. */
export function isAfterBase({ seq, base }: Placed): boolean {
  return base !== undefined && base !== seq
}

type Placed = Pick<Envelope, 'seq' | 'base'>

/** The seal over a header and its payload: what the spool stores and the collector checks. */
export function seal(header: Header & Placed, payload: Uint8Array): number {
  return crc32(payload, crc32(encodeHeader(header)))
}

function encodeHeader(h: Header & Placed): Buffer {
  const out = new ProtoWriter(128)
  out.string(1, h.node)
  out.string(2, h.stream)
  out.uint(3, h.seq)
  out.uint(4, h.firstTime)
  out.uint(5, h.lastTime)
  out.uint(6, h.samples)
  out.uint(7, h.events)
  out.uint(8, isAfterBase(h) ? afterBase : encodings.indexOf(h.encoding) + 1)
  return out.finish()
}

export function encodeEnvelope(e: Envelope): Buffer {
  const out = new ProtoWriter(e.payload.length + 160)
  out.raw(encodeHeader(e))
  out.uint(9, e.previous)
  out.fixed32(10, e.crc)
  out.bytes(11, e.payload)
  if (e.base !== undefined) out.uint(12, e.base)
  return out.finish()
}

/** @throws Refused on anything that is not a whole, sealed envelope. */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  const { code, base, ...rest } = readFields(bytes)
  const e: Envelope = { ...rest, encoding: encodingOf(code), ...(base > 0 && { base }) }
  if (!names.test(e.node)) throw new Refused(`envelope: node name ${JSON.stringify(e.node.slice(0, 80))} is not valid`)
  if (!streams.test(e.stream)) throw new Refused(`envelope of ${e.node}: stream name is not valid`)
  if (e.seq < 1 || e.previous >= e.seq) throw new Refused(`envelope of ${e.node}: seq ${e.seq} after ${e.previous}`)
  if (base > e.seq || isAfterBase(e) !== (code === afterBase))
    throw new Refused(`envelope of ${e.node}, seq ${e.seq}: encoding ${code} with base ${base}`)
  if (seal(e, e.payload) !== e.crc) throw new Refused(`envelope of ${e.node}, seq ${e.seq}: checksum does not match`)
  return e
}

/** Where bytes that are not a whole envelope say they belong, as far as it can be read: for telling their sender. */
export function readPlace(bytes: Uint8Array): Pick<Header, 'node' | 'stream' | 'seq'> | undefined {
  const place = { node: '', stream: '', seq: 0 }
  const input = new ProtoReader(bytes)
  try {
    for (let field = input.next(); field !== 0 && place.seq === 0; field = input.next()) {
      if (field === 1) place.node = input.string()
      else if (field === 2) place.stream = input.string()
      else if (field === 3) place.seq = input.uint()
      else input.skip()
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  return names.test(place.node) && streams.test(place.stream) && place.seq > 0 ? place : undefined
}

function readFields(bytes: Uint8Array) {
  const e = {
    node: '',
    stream: '',
    seq: 0,
    firstTime: 0,
    lastTime: 0,
    samples: 0,
    events: 0,
    code: 0,
    previous: 0,
    base: 0,
    crc: 0,
    payload: bytes.subarray(0, 0),
  }
  const input = new ProtoReader(bytes)
  try {
    for (let field = input.next(); field !== 0; field = input.next()) {
      if (field === 1) e.node = input.string()
      else if (field === 2) e.stream = input.string()
      else if (field === 3) e.seq = input.uint()
      else if (field === 4) e.firstTime = input.uint()
      else if (field === 5) e.lastTime = input.uint()
      else if (field === 6) e.samples = input.uint()
      else if (field === 7) e.events = input.uint()
      else if (field === 8) e.code = input.uint()
      else if (field === 9) e.previous = input.uint()
      else if (field === 10) e.crc = input.fixed32()
      else if (field === 11) e.payload = input.bytes()
      else if (field === 12) e.base = input.uint()
      else input.skip()
    }
  } catch (cause) {
    throw new Refused('envelope: not readable as protobuf', { cause })
  }
  return e
}

function encodingOf(code: number): Encoding {
  if (code === 0) throw new Refused('envelope: no encoding given')
  const encoding = code === afterBase ? 'otlp-metrics-zstd' : encodings[code - 1]
  if (encoding === undefined) throw new Refused(`encoding ${code} is unknown; known are 1 to ${afterBase}`)
  return encoding
}
