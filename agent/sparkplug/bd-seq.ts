// The number that ties a death to its birth: one more with every CONNECT, 255 before 0, also over restarts (Sparkplug 3.0.0,
// 5.4: message-flow-edge-node-birth-publish-will-message-payload-bdSeq). The next one is durable before a CONNECT with this one
// can leave, so that none is used twice; an attempt that reached no broker uses none.

import { isMap } from '../../core/shape.ts'
import type { Keep } from '../keep.ts'

export class BdSeq {
  readonly #keep: Keep
  #current: number
  #isUsed = false
  #kept: number | undefined

  constructor(keep: Keep) {
    this.#keep = keep
    this.#current = load(keep) ?? 0
  }

  get current(): number {
    return this.#current
  }

  /** For the next CONNECT. @throws what the disk says: then it must not be sent. */
  next(): number {
    if (this.#isUsed) this.#current = after(this.#current)
    this.#isUsed = false
    const following = after(this.#current)
    if (this.#kept !== following) this.#keep.save(JSON.stringify({ bdSeq: following }))
    this.#kept = following
    return this.#current
  }

  /** A CONNECT with it may have been read. */
  used(): void {
    this.#isUsed = true
  }
}

function after(n: number): number {
  return (n + 1) % 256
}

/** Undefined where nothing was kept, or not by us. */
function load(keep: Keep): number | undefined {
  try {
    const raw: unknown = JSON.parse(keep.load() ?? '')
    const bdSeq = isMap(raw) ? raw.bdSeq : undefined
    return typeof bdSeq === 'number' && Number.isInteger(bdSeq) && bdSeq >= 0 && bdSeq <= 255 ? bdSeq : undefined
  } catch {
    // Whatever was damaged: a number that is off harms less than an edge that does not start.
    return undefined
  }
}
