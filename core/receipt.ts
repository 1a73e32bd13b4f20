// What the collector answers for a stream, as JSON on `.../receipt` and in the answer to an OTLP/HTTP post.

import { Refused } from './errors.ts'
import { isMap } from './shape.ts'

export interface Receipt {
  readonly stream: string
  /** The highest seq of the stream that is committed; everything up to it is safe and may be dropped. */
  readonly watermark: number
  /** Seqs that will never be taken, with why. The watermark has passed them: they do not block the stream. */
  readonly refused?: readonly { readonly seq: number; readonly reason: string }[]
  /** What was sent does not follow the watermark: go back to it and send again from there. */
  readonly resend?: true
  /**
   * The seq of an envelope of this stream that is kept as a base for others; 0 if what came names one that is not: what
   * is not committed then has to come whole.
   */
  readonly base?: number
  /** Not now: milliseconds to wait before sending this stream again. */
  readonly retry_after?: number
}

/** @throws Refused on anything that is not a receipt. */
export function readReceipt(json: string): Receipt {
  let raw: unknown
  try {
    raw = JSON.parse(json)
  } catch (cause) {
    throw new Refused('receipt: not JSON', { cause })
  }
  if (!isMap(raw)) throw new Refused('receipt: not a map')
  const { stream, watermark, refused = [], resend, base, retry_after } = raw
  if (typeof stream !== 'string' || !isCount(watermark)) throw new Refused('receipt: no stream or no watermark')
  if (!Array.isArray(refused)) throw new Refused('receipt: refused is not a list')
  return {
    stream,
    watermark,
    ...(refused.length > 0 && { refused: refused.map(readRefused) }),
    ...(resend === true && { resend }),
    ...(isCount(base) && { base }),
    ...(isCount(retry_after) && { retry_after }),
  }
}

function readRefused(raw: unknown): { seq: number; reason: string } {
  if (!isMap(raw) || !isCount(raw.seq)) throw new Refused('receipt: a refused entry without seq')
  return { seq: raw.seq, reason: String(raw.reason).slice(0, 500) }
}

function isCount(raw: unknown): raw is number {
  return Number.isSafeInteger(raw) && (raw as number) >= 0
}

/** Takes envelopes in: resolves after the commit that holds envelope and watermark. Throws when nothing was committed. */
export type Accept = (envelope: import('./envelope.ts').Envelope) => Promise<Receipt>
