// Envelopes and a collector small enough to be seen through, for tests of what carries them.

import { type Envelope, seal } from '../../../core/envelope.ts'
import type { Accept, Receipt } from '../../../core/receipt.ts'

export interface EnvelopeOptions {
  readonly node?: string
  readonly stream?: string
  readonly previous?: number
  readonly payload?: Uint8Array
  readonly encoding?: Envelope['encoding']
}

export function envelope(seq: number, options: EnvelopeOptions = {}): Envelope {
  const {
    node = 'web-1',
    stream = 'spool1.metrics.1-salt',
    previous = seq - 1,
    encoding = 'otlp-metrics-zstd',
  } = options
  const payload = options.payload ?? Buffer.from(`${node} ${stream} ${seq}`)
  const header = { node, stream, seq, firstTime: 1000 * seq, lastTime: 1000 * seq, samples: 1, events: 0, encoding }
  return { ...header, previous, payload, crc: seal(header, payload) }
}

/** Envelopes `from` to `to`. */
export function run(from: number, to: number, options: EnvelopeOptions = {}): Envelope[] {
  return Array.from({ length: to - from + 1 }, (_, n) => envelope(from + n, options))
}

export interface TestCollector {
  readonly accept: Accept
  /** `node/stream` to the seqs committed, in order. */
  readonly committed: ReadonlyMap<string, readonly number[]>
  /** Envelopes offered that were committed before. */
  readonly duplicates: number
}

/** Follows the rules of streams of docs/wire.md, in memory. `before` may throw or wait. */
export function testCollector(before: (e: Envelope) => void | Promise<void> = () => {}): TestCollector {
  const committed = new Map<string, number[]>()
  let duplicates = 0
  const take = (e: Envelope): Receipt => {
    const key = `${e.node}/${e.stream}`
    const seqs = committed.get(key) ?? []
    const watermark = seqs.at(-1) ?? 0
    committed.set(key, seqs)
    if (e.seq <= watermark) duplicates++
    else if (e.previous > watermark) return { stream: e.stream, watermark, resend: true }
    else seqs.push(e.seq)
    return { stream: e.stream, watermark: seqs.at(-1) ?? 0 }
  }
  return {
    committed,
    get duplicates() {
      return duplicates
    },
    accept: async e => {
      await before(e)
      return take(e)
    },
  }
}
