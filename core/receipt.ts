// What the collector answers for a stream, as JSON on `.../receipt` and in the answer to an OTLP/HTTP post.

export interface Receipt {
  readonly stream: string
  /** The highest seq of the stream that is committed; everything up to it is safe and may be dropped. */
  readonly watermark: number
  /** Seqs that will never be taken, with why. The watermark has passed them: they do not block the stream. */
  readonly refused?: readonly { readonly seq: number; readonly reason: string }[]
  /** What was sent does not follow the watermark: go back to it and send again from there. */
  readonly resend?: true
  /** Not now: milliseconds to wait before sending this stream again. */
  readonly retry_after?: number
}

/** Takes envelopes in: resolves after the commit that holds envelope and watermark. Throws when nothing was committed. */
export type Accept = (envelope: import('./envelope.ts').Envelope) => Promise<Receipt>
