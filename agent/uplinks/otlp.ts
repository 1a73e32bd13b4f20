// OTLP/HTTP to any OpenTelemetry backend, one envelope a request. Such a backend keeps no place in our streams: what it
// answered for is committed, and what broke off before the answer is sent again and may be there twice.
// A Fieldline collector shows itself by the response header `fieldline-receipt`: it is sent the envelope's place beside
// the bytes that the envelope seals, its receipts decide, and nothing is there twice. docs/wire.md has the header.
// Whether the far end is one is asked with an empty request before the first envelope, for none may go both ways.

import { setTimeout as delay } from 'node:timers/promises'
import { gzipSync, zstdDecompressSync } from 'node:zlib'
import type { Envelope } from '../../core/envelope.ts'
import { readReceipt } from '../../core/receipt.ts'
import { readHeaders } from '../headers.ts'
import type { Delivery, Uplink, UplinkType } from '../uplink.ts'
import { judge, longestWait, type Verdict } from './otlp-answer.ts'
import { type OtlpOptions, otlpOptions } from './otlp-options.ts'
import { type Answer, openPoster, type Poster } from './post.ts'
import { Skips } from './skips.ts'
import { Window } from './window.ts'

const paths = { 'otlp-metrics-zstd': '/v1/metrics', 'otlp-logs-zstd': '/v1/logs' } as const
const encoders = { gzip: (bytes: Uint8Array) => gzipSync(bytes, { level: 4 }), none: (bytes: Uint8Array) => bytes }
const mostPlain = 64 * 1024 ** 2
const oneByOne = { envelopes: 1, bytes: Number.POSITIVE_INFINITY }
const receiptHeader = 'fieldline-receipt'

export const otlpUplink: UplinkType<OtlpOptions> = {
  name: 'otlp',
  options: otlpOptions,
  open: options => new OtlpUplink(options),
}

/** The far end asks to be left alone, or is not to be had; nothing is wrong with the envelope. */
class Later extends Error {
  override readonly name = 'Later'
  readonly wait: number

  constructor(message: string, wait: number) {
    super(message)
    this.wait = wait
  }
}

class OtlpUplink implements Uplink {
  readonly #options: OtlpOptions
  readonly #poster: Poster
  readonly #headers: Readonly<Record<string, string>>
  readonly #skips = new Skips()
  #isFieldline: boolean | undefined

  constructor(options: OtlpOptions) {
    const { url, ca, timeout, headers_file, fieldline } = options
    this.#options = options
    this.#poster = openPoster({ url, timeout, ca })
    this.#headers = {
      'user-agent': 'fieldline',
      ...(headers_file !== undefined && readHeaders(headers_file)),
      'content-type': 'application/x-protobuf',
    }
    this.#isFieldline = fieldline
  }

  async send(batch: readonly Envelope[], signal: AbortSignal): Promise<Delivery> {
    const window = new Window(batch, oneByOne)
    try {
      this.#isFieldline ??= await this.#ask(signal)
      for (let e = window.next(); e !== undefined; e = window.next()) {
        if (this.#isFieldline) await this.#sendEnvelope(e, window, signal)
        else await this.#sendPlain(e, window, signal)
      }
    } catch (error) {
      if (error instanceof Later) await rest(error.wait, signal)
      if (!window.news) throw error
    }
    await rest(window.pause, signal)
    return window.delivery()
  }

  async close(): Promise<void> {
    this.#poster.close()
  }

  async #ask(signal: AbortSignal): Promise<boolean> {
    const answer = await this.#poster.post('/v1/metrics', this.#headers, new Uint8Array(0), signal)
    if (receiptHeader in answer.headers) return true
    const verdict = judge(answer, Date.now())
    if ('later' in verdict) throw later(verdict, this.#options.url)
    return false
  }

  async #sendPlain(e: Envelope, window: Window, signal: AbortSignal): Promise<void> {
    const verdict = await this.#post(e, signal)
    if ('later' in verdict) throw later(verdict, this.#options.url)
    const why = 'refused' in verdict ? verdict.refused : verdict.rejected
    const refused = why === undefined ? {} : { refused: [{ seq: e.seq, reason: why }] }
    window.receipt({ stream: e.stream, watermark: e.seq, ...refused })
  }

  async #post(e: Envelope, signal: AbortSignal): Promise<Verdict> {
    const { compression } = this.#options
    const body = compression === 'zstd' ? e.payload : decompressed(e)
    if (body === undefined) return { refused: 'the payload cannot be decompressed' }
    const coded = compression === 'zstd' ? body : encoders[compression](body)
    const headers = { ...this.#headers, ...(compression !== 'none' && { 'content-encoding': compression }) }
    return judge(await this.#poster.post(paths[e.encoding], headers, coded, signal), Date.now())
  }

  async #sendEnvelope(e: Envelope, window: Window, signal: AbortSignal): Promise<void> {
    const { node, stream, seq, previous, firstTime, lastTime, samples, events, crc } = this.#skips.mend(e)
    const place = { node, stream, seq, previous, firstTime, lastTime, samples, events, crc }
    const coded = Buffer.from(JSON.stringify(place)).toString('base64url')
    const headers = { ...this.#headers, 'content-encoding': 'zstd', 'fieldline-envelope': coded }
    const answer = await this.#poster.post(paths[e.encoding], headers, e.payload, signal)
    const receipt = receiptOf(answer)
    if (receipt !== undefined) window.receipt(receipt)
    else this.#withoutReceipt(e, window, judge(answer, Date.now()))
  }

  #withoutReceipt(e: Envelope, window: Window, verdict: Verdict): void {
    if ('refused' in verdict) {
      window.refuse(e, verdict.refused)
      this.#skips.add(e)
    } else if ('later' in verdict) throw later(verdict, this.#options.url)
    else throw new Error(`${this.#options.url} took an envelope without a receipt: it is no Fieldline collector`)
  }
}

function later({ later, wait }: Extract<Verdict, { later: string }>, url: string): Later {
  return new Later(`${url} answers ${later}`, wait)
}

function receiptOf({ headers }: Answer): ReturnType<typeof readReceipt> | undefined {
  const text = headers[receiptHeader]
  return typeof text === 'string' && text !== '' ? readReceipt(text) : undefined
}

/** Undefined if it is damaged, or larger than anything an edge makes. */
function decompressed({ payload }: Envelope): Buffer | undefined {
  try {
    return zstdDecompressSync(payload, { maxOutputLength: mostPlain })
  } catch {
    return undefined
  }
}

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await delay(Math.min(ms, longestWait), undefined, { signal }).catch(() => undefined)
}
