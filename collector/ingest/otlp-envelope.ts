// A whole Fieldline envelope over OTLP/HTTP. The body is its payload; what else it has stands in the request header
// `fieldline-envelope` as base64url of JSON, and the receipt in the answer's header `fieldline-receipt` as JSON.
// An OpenTelemetry backend sees an ordinary request; a Fieldline collector takes it exactly once.

import { decodeEnvelope, type Envelope, encodeEnvelope } from '../../core/envelope.ts'
import { Refused } from '../../core/errors.ts'
import type { Signal } from '../../core/otlp/json.ts'
import type { Receipt } from '../../core/receipt.ts'
import { isMap } from '../../core/shape.ts'

export const envelopeHeader = 'fieldline-envelope'
export const receiptHeader = 'fieldline-receipt'

const encodings = { metrics: 'otlp-metrics-zstd', logs: 'otlp-logs-zstd' } as const
const texts = ['node', 'stream'] as const
const counts = ['seq', 'previous', 'firstTime', 'lastTime', 'samples', 'events', 'crc'] as const

/** @throws Refused on anything but a sealed envelope. */
export function envelopeOf(header: string, signal: Signal, payload: Uint8Array): Envelope {
  const fields = readHeader(header)
  for (const name of texts) if (typeof fields[name] !== 'string') throw new Refused(`envelope: ${name} is no text`)
  for (const name of counts) if (!isCount(fields[name])) throw new Refused(`envelope: ${name} is no whole number`)
  if ((fields.crc as number) > 0xffffffff) throw new Refused('envelope: crc has more than 32 bits')
  const { base: _, ...given } = fields as unknown as Omit<Envelope, 'encoding' | 'payload'>
  // Read back from its bytes, so that what an envelope must be is said in one place.
  return decodeEnvelope(encodeEnvelope({ ...given, encoding: encodings[signal], payload }))
}

function readHeader(header: string): Record<string, unknown> {
  let fields: unknown
  try {
    fields = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'))
  } catch (cause) {
    throw new Refused(`envelope: the header ${envelopeHeader} is not base64url of JSON`, { cause })
  }
  if (!isMap(fields)) throw new Refused(`envelope: the header ${envelopeHeader} holds no map`)
  return fields
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

/** JSON in ASCII, as a header must be. */
export function receiptText(receipt: Receipt): string {
  return JSON.stringify(receipt).replace(
    /[\u007f-\uffff]/g,
    char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
