// How far one batch has got at a collector: what may be sent now, and what its receipts have said. Pure; carries nothing.
// docs/wire.md gives the rules of streams and receipts that this follows.

import type { Envelope } from '../../core/envelope.ts'
import type { Receipt } from '../../core/receipt.ts'
import type { Delivery, Refusal } from '../uplink.ts'

export interface WindowLimits {
  /** Envelopes and payload bytes on their way without a receipt; one envelope may always go. */
  readonly envelopes: number
  readonly bytes: number
}

export class Window {
  readonly #batch: readonly Envelope[]
  readonly #limits: WindowLimits
  readonly #committed = new Map<string, number>()
  readonly #refused = new Map<Envelope, Refusal>()
  /** Sent and neither committed nor refused, in order. */
  #open: Envelope[] = []
  #next = 0
  #halted = false
  #pause = 0
  #news = false

  constructor(batch: readonly Envelope[], limits: WindowLimits) {
    this.#batch = batch
    this.#limits = limits
  }

  /** The next envelope to send now; undefined until a receipt makes room, or when there are no more. */
  next(): Envelope | undefined {
    while (this.#next < this.#batch.length && this.#isOver(this.#batch[this.#next]!)) this.#next++
    const envelope = this.#batch[this.#next]
    if (envelope === undefined || this.#halted || !this.#hasRoom(envelope)) return undefined
    this.#next++
    this.#open.push(envelope)
    return envelope
  }

  /** Whether nothing more can come of this batch as it is. */
  get done(): boolean {
    return this.#halted || (this.#open.length === 0 && this.#batch.slice(this.#next).every(e => this.#isOver(e)))
  }

  /** Milliseconds the collector wants to be left alone. */
  get pause(): number {
    return this.#pause
  }

  /** Whether anything became known of this batch. */
  get news(): boolean {
    return this.#news
  }

  /** A refused envelope at the watermark counts as passed: it holds nothing up. */
  delivery(): Delivery {
    const committed = new Map(this.#committed)
    const streams = Map.groupBy(this.#batch, e => e.stream)
    for (const [stream, envelopes] of streams) this.#passRefused(stream, envelopes, committed)
    return { committed, refused: [...this.#refused.values()] }
  }

  #passRefused(stream: string, envelopes: readonly Envelope[], committed: Map<string, number>): void {
    let place = committed.get(stream) ?? envelopes[0]!.previous
    for (const e of envelopes) {
      if (e.seq <= place) continue
      if (e.previous > place || !this.#refused.has(e)) return
      place = e.seq
      committed.set(stream, place)
    }
  }

  /** The edge itself will not send this one. */
  refuse({ stream, seq }: Envelope, reason: string): void {
    this.#markRefused(stream, seq, reason)
    this.#news = true
    this.#release()
  }

  /** Answers whether it said anything new of this batch. */
  receipt({ stream, watermark, refused = [], resend, base, retry_after }: Receipt): boolean {
    const first = this.#batch.find(e => e.stream === stream)
    if (first === undefined) return false
    const before = this.#committed.get(stream)
    const marked = refused.filter(({ seq, reason }) => this.#markRefused(stream, seq, reason)).length
    const back = resend === true && this.#open.some(e => e.stream === stream && e.seq > watermark)
    if (back || (watermark >= first.seq && watermark > (before ?? 0))) this.#committed.set(stream, watermark)
    if (retry_after !== undefined) this.#pause = Math.max(this.#pause, retry_after)
    if (back || base === 0 || retry_after !== undefined) this.#halted = true
    this.#release()
    const news = this.#halted || marked > 0 || this.#committed.get(stream) !== before
    this.#news ||= news
    return news
  }

  #markRefused(stream: string, seq: number, reason: string): boolean {
    const envelope = this.#batch.find(e => e.stream === stream && e.seq === seq)
    if (envelope === undefined || this.#refused.has(envelope)) return false
    this.#refused.set(envelope, { stream, seq, reason })
    return true
  }

  #release(): void {
    this.#open = this.#open.filter(e => !this.#isOver(e))
  }

  #isOver(e: Envelope): boolean {
    return e.seq <= (this.#committed.get(e.stream) ?? 0) || this.#refused.has(e)
  }

  #hasRoom(e: Envelope): boolean {
    const bytes = this.#open.reduce((sum, { payload }) => sum + payload.length, e.payload.length)
    return this.#open.length === 0 || (this.#open.length < this.#limits.envelopes && bytes <= this.#limits.bytes)
  }
}
