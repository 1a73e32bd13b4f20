// Envelopes that came over MQTT compressed after another one of their stream are made whole here, before anything is
// committed: what the inbox holds can be read by itself. Bases are kept in memory alone; where one is not there, its edge
// is told so and sends the envelope whole.

import { constants, zstdCompressSync } from 'node:zlib'
import { Base, mostBase, openFrame } from '../../core/base.ts'
import { monotonic } from '../../core/clock.ts'
import { type Envelope, isAfterBase, seal } from '../../core/envelope.ts'

/** Streams of one node whose base is kept; bytes of all bases; how long an unused one keeps others out, ms. */
const limits = { streams: 4, bytes: 64 * 1024 ** 2, idle: 15 * 60_000 }
const compression = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

export type BaseLimits = typeof limits

interface Kept extends Pick<Envelope, 'node' | 'seq' | 'lastTime' | 'payload'> {
  used: number
}

export class Bases {
  readonly #limits: BaseLimits
  readonly #now: () => number
  /** By `node/stream`, the one that was not used for longest first. */
  readonly #kept = new Map<string, Kept>()
  readonly #streams = new Map<string, number>()
  #bytes = 0

  constructor(most: BaseLimits = limits, now = monotonic) {
    this.#limits = most
    this.#now = now
  }

  /** The envelope with a payload that can be read by itself; undefined if its base is not there. */
  open(e: Envelope): Envelope | undefined {
    if (isAfterBase(e)) return this.#openAfter(e)
    if (e.base !== undefined) this.#keep(e)
    return e
  }

  /** Whether this very envelope is kept as a base. */
  holds({ node, stream, seq, base }: Envelope): boolean {
    return base === seq && this.#kept.get(`${node}/${stream}`)?.seq === seq
  }

  #openAfter({ base, ...e }: Envelope): Envelope | undefined {
    const kept = this.#kept.get(`${e.node}/${e.stream}`)
    if (kept === undefined || kept.seq !== base) return undefined
    const bytes = opened(kept, e)
    if (bytes === undefined) return undefined
    this.#use(`${e.node}/${e.stream}`, kept)
    const payload = zstdCompressSync(bytes, compression)
    return { ...e, payload, crc: seal(e, payload) }
  }

  #keep({ node, stream, seq, lastTime, payload }: Envelope): void {
    const key = `${node}/${stream}`
    this.#forget(key)
    if (payload.length > mostBase.payload) return
    if ((this.#streams.get(node) ?? 0) >= this.#limits.streams) this.#forget(this.#oldestOf(node))
    const oldest = this.#kept.entries().next().value
    if (oldest !== undefined && this.#now() - oldest[1].used > this.#limits.idle) this.#forget(oldest[0])
    if (this.#bytes + payload.length > this.#limits.bytes) return
    // A copy: what came may be a part of a far larger buffer.
    this.#use(key, { node, seq, lastTime, payload: Buffer.from(payload), used: 0 })
    this.#streams.set(node, (this.#streams.get(node) ?? 0) + 1)
    this.#bytes += payload.length
  }

  #use(key: string, kept: Kept): void {
    kept.used = this.#now()
    this.#kept.delete(key)
    this.#kept.set(key, kept)
  }

  #forget(key: string | undefined): void {
    const kept = key === undefined ? undefined : this.#kept.get(key)
    if (kept === undefined) return
    this.#kept.delete(key!)
    this.#bytes -= kept.payload.length
    const left = this.#streams.get(kept.node)! - 1
    if (left > 0) this.#streams.set(kept.node, left)
    else this.#streams.delete(kept.node)
  }

  #oldestOf(node: string): string | undefined {
    return this.#kept.entries().find(([, kept]) => kept.node === node)?.[0]
  }
}

/** Undefined also where edge and collector do not mean the same base, or there is damage: whole, it can be judged. */
function opened(kept: Kept, { payload, lastTime }: Pick<Envelope, 'payload' | 'lastTime'>): Buffer | undefined {
  try {
    return new Base(kept, openFrame(kept.payload)).open(payload, lastTime)
  } catch {
    return undefined
  }
}
