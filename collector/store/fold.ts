// Folding: the head of a series becomes chunks, one for each hour it touches.

import { ChunkEncoder } from './chunk.ts'
import { type Chunks, hourMs } from './chunks.ts'
import { Samples } from './samples.ts'
import type { SeriesRef } from './series.ts'

export class Folder {
  readonly #chunks: Chunks
  readonly #encoder = new ChunkEncoder()
  readonly #samples = new Samples()

  constructor(chunks: Chunks) {
    this.#chunks = chunks
  }

  /** Inside the caller's transaction; leaves the head as it is. */
  fold(ref: SeriesRef): void {
    const samples = this.#samples
    samples.clear()
    samples.addPairs(ref.head, ref.used)
    samples.sort()
    for (let from = 0; from < samples.count; ) {
      const hour = Math.floor(samples.times[from]! / hourMs)
      const last = samples.times[samples.count - 1]!
      const to = last < (hour + 1) * hourMs ? samples.count : samples.at((hour + 1) * hourMs)
      this.#insert(ref, hour, samples, from, to)
      from = to
    }
  }

  #insert(ref: SeriesRef, hour: number, { times, values }: Samples, from: number, to: number): void {
    this.#chunks.insert({
      series: ref.id,
      hour,
      first: times[from]! - hour * hourMs,
      last: times[to - 1]! - hour * hourMs,
      count: to - from,
      fresh: true,
      minutes: null,
      samples: this.#encoder.encode(times, values, from, to),
    })
  }
}
