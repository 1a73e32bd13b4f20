// Compaction: the small chunks that folding left of an hour become one, in time order, with minutes where dense.
// The samples are packed anew rather than their blocks joined: it costs some 30 ns a sample, and a long block
// needs no header, first value and first time for every few samples.

import { ChunkEncoder } from './chunk.ts'
import { type ChunkRow, type Chunks, hourMs } from './chunks.ts'
import { MinuteCodec } from './minutes.ts'
import { gatherInto, type Reader } from './reader.ts'
import { Samples } from './samples.ts'
import type { Registry, SeriesRef } from './series.ts'
import type { SeriesTable } from './series-table.ts'

/** After its end an hour waits this long for the samples that are still on their way. */
const grace = 5 * 60_000
/** A lone chunk of at most so many samples stays as it is. */
const sparse = 60

export class Compactor {
  readonly #chunks: Chunks
  readonly #registry: Registry
  readonly #reader: Reader
  readonly #table: SeriesTable
  readonly #encoder = new ChunkEncoder()
  readonly #minutes = new MinuteCodec()
  readonly #samples = new Samples()
  #hour = -1
  #waiting: number[] = []

  constructor(chunks: Chunks, registry: Registry, reader: Reader, table: SeriesTable) {
    this.#chunks = chunks
    this.#registry = registry
    this.#reader = reader
    this.#table = table
  }

  /** Compacts whole series-hours until `budget` samples were read or nothing is left; returns the samples read. */
  run(now: number, budget: number): number {
    let done = 0
    while (done < budget && this.#next(now)) done += this.#compact(this.#waiting.pop()!, this.#hour)
    return done
  }

  /** Forgets what it was about to do, as after a failed transaction. */
  reset(): void {
    this.#waiting = []
    this.#hour = -1
    this.#chunks.doubt()
  }

  /** Whether a series waits; opens the next hour when one is done. */
  #next(now: number): boolean {
    while (this.#waiting.length === 0) {
      const hour = this.#chunks.staleHour(now - grace)
      if (hour === undefined) return false
      this.#waiting = this.#chunks.freshSeries(hour).reverse()
      this.#hour = hour
      if (this.#waiting.length === 0) this.#chunks.settled(hour)
    }
    return true
  }

  /** Returns how many samples it read, at least 1. */
  #compact(series: number, hour: number): number {
    const ref = this.#registry.get(series)
    const { kept, fresh } = this.#chunks.selectHour(series, hour)
    const rows = [...kept, ...fresh]
    if (ref === undefined) this.#chunks.removeAll(rows)
    if (ref === undefined || rows.length === 0) return 1
    const samples = this.#gather(ref, rows)
    if (rows.length === 1 && samples.count <= sparse) this.#chunks.keep(rows[0]![0])
    else this.#replace(ref, hour, rows, samples)
    return samples.count + 1
  }

  #gather(ref: SeriesRef, rows: readonly ChunkRow[]): Samples {
    const samples = this.#samples
    samples.clear()
    for (const row of rows) this.#reader.chunk(ref, row, gatherInto(samples))
    samples.sort()
    return samples
  }

  #replace(ref: SeriesRef, hour: number, rows: readonly ChunkRow[], { times, values, count }: Samples): void {
    this.#chunks.removeAll(rows)
    this.#settle(ref, rows.reduce((sum, row) => sum + row[4], 0) - count)
    if (count === 0) return
    const start = hour * hourMs
    this.#chunks.insert({
      series: ref.id,
      hour,
      first: times[0]! - start,
      last: times[count - 1]! - start,
      count,
      fresh: false,
      minutes: this.#minutes.encode(start, times, values, count, ref.series.kind === 'counter') ?? null,
      samples: this.#encoder.encode(times, values, 0, count),
    })
  }

  /** What was damaged is gone for good now. */
  #settle(ref: SeriesRef, lost: number): void {
    if (lost === 0) return
    ref.count -= lost
    this.#table.shrink(ref.id, 0, lost)
  }
}
