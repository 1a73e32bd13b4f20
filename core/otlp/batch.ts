// What one request says, collected before any of it is handed on.

import type { Attributes, Series } from '../model.ts'

/** One series as a receiver knows it: `ref` is the receiver's own word for it, undefined if it refused. */
export interface Slot<Ref> {
  readonly resource: Attributes
  readonly series: Series
  asked: boolean
  ref: Ref | undefined
}

/** More are refused: 32 MiB hold about 400,000 points as agents send them. */
const mostSamples = 2 ** 20
/** More series that were unknown before are refused in one request. */
const mostNewSeries = 200_000
const startSize = 2 ** 12
/** After a larger batch its memory is given back. */
const keptSize = 2 ** 16

export class Batch<Ref> {
  length = 0
  #newSeries = 0
  slots: Slot<Ref>[] = []
  times = new Float64Array(startSize)
  values = new Float64Array(startSize)

  add(slot: Slot<Ref>, time: number, value: number): void {
    const n = this.length
    if (n === this.times.length) this.#grow()
    this.slots[n] = slot
    this.times[n] = time
    this.values[n] = value
    this.length = n + 1
  }

  /** @throws RangeError past the most new series a request may bring. */
  newSlot(resource: Attributes, series: Series): Slot<Ref> {
    if (++this.#newSeries > mostNewSeries) throw new RangeError(`otlp: more than ${mostNewSeries} new series at once`)
    return { resource, series, asked: false, ref: undefined }
  }

  /** @throws RangeError past the most a request may hold. */
  #grow(): void {
    if (this.length * 2 > mostSamples) throw new RangeError(`otlp: more than ${this.length} samples in one request`)
    const { times, values } = this
    this.times = new Float64Array(this.length * 2)
    this.values = new Float64Array(this.length * 2)
    this.times.set(times)
    this.values.set(values)
  }

  clear(): void {
    this.length = 0
    this.#newSeries = 0
    if (this.times.length <= keptSize) return
    this.slots = []
    this.times = new Float64Array(startSize)
    this.values = new Float64Array(startSize)
  }
}
