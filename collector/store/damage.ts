import type { Say } from '../../core/log.ts'
import type { Ref } from './series.ts'

/** Counts damaged parts of chunks and says so once a chunk. */
export class Damage {
  readonly #say: Say
  readonly #known = new Set<number>()
  #parts = 0

  constructor(say: Say) {
    this.#say = say
  }

  /** Damaged parts met so far, each chunk's once. */
  get parts(): number {
    return this.#parts
  }

  found(chunk: number, ref: Ref, parts: number): void {
    if (this.#known.has(chunk)) return
    if (this.#known.size < 10_000) this.#known.add(chunk)
    this.#parts += parts
    const fields = { node: ref.node, series: ref.series.name, chunk, parts }
    this.#say('error', 'history: part of a chunk is damaged and left out', fields)
  }
}
