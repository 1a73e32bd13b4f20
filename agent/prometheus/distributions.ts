// Histograms and summaries put together from the lines they are told in.

import { wrongHistogram, wrongSummary } from '../../core/distribution.ts'
import type { Histogram, Series, Summary } from '../../core/model.ts'

/** What a line tells of its distribution; `at` is a bucket's upper bound or a quantile. */
export type Role = { readonly is: 'count' | 'sum' } | { readonly is: 'part'; readonly at: number }

interface Part {
  readonly at: number
  value: number
  reading: number
}

export class Gathering {
  readonly kind: 'histogram' | 'summary'
  readonly series: Series
  /** The reading at hand; what was told in another does not count. */
  #reading = -1
  #count: number | undefined
  #sum: number | undefined
  /** By rising `at`. */
  readonly #parts: Part[] = []
  #bounds: readonly number[] = []
  time = 0

  constructor(kind: 'histogram' | 'summary', series: Series) {
    this.kind = kind
    this.series = series
  }

  /** Begins a reading; false if it has begun. */
  begin(reading: number, time: number): boolean {
    if (this.#reading === reading) return false
    this.#reading = reading
    this.#count = undefined
    this.#sum = undefined
    this.time = time
    return true
  }

  /** False if this was told before in the same reading. */
  tell(role: Role, value: number): boolean {
    if (role.is === 'part') return this.#tellPart(role.at, value)
    const known = role.is === 'count' ? this.#count : this.#sum
    if (known !== undefined) return false
    if (role.is === 'count') this.#count = value
    else this.#sum = value
    return true
  }

  /** What the reading told; undefined where it contradicts itself or lacks its count. */
  finish(): Histogram | Summary | undefined {
    return this.kind === 'histogram' ? this.#histogram() : this.#summary()
  }

  #tellPart(at: number, value: number): boolean {
    const index = this.#parts.findIndex(part => part.at >= at)
    const known = this.#parts[index]
    if (known?.at === at) {
      if (known.reading === this.#reading) return false
      known.value = value
      known.reading = this.#reading
    } else this.#parts.splice(index < 0 ? this.#parts.length : index, 0, { at, value, reading: this.#reading })
    return true
  }

  /** Buckets are told added up. Without `_count` it is to be dropped, says the OpenTelemetry specification. */
  #histogram(): Histogram | undefined {
    const told = this.#told()
    const count = this.#count
    if (count === undefined) return undefined
    const finite = told.filter(part => part.at !== Number.POSITIVE_INFINITY)
    const last = told.at(-1)?.at === Number.POSITIVE_INFINITY ? told.at(-1)!.value : count
    const counts = finite.map((part, n) => part.value - (finite[n - 1]?.value ?? 0))
    counts.push(last - (finite.at(-1)?.value ?? 0))
    if (finite.length !== this.#bounds.length || finite.some((part, n) => part.at !== this.#bounds[n])) {
      this.#bounds = finite.map(part => part.at)
    }
    const sum = this.#sum !== undefined && Number.isFinite(this.#sum) ? this.#sum : undefined
    const histogram = { count, sum, bounds: this.#bounds, counts }
    return wrongHistogram(histogram) === undefined ? histogram : undefined
  }

  /** A quantile that is NaN has seen no value lately. */
  #summary(): Summary | undefined {
    const quantiles = this.#told()
      .filter(part => Number.isFinite(part.value))
      .map(({ at, value }) => ({ quantile: at, value }))
    const count = this.#count
    const sum = this.#sum
    if (count === undefined || sum === undefined) return undefined
    const summary = { count, sum, quantiles }
    return wrongSummary(summary) === undefined ? summary : undefined
  }

  #told(): readonly Part[] {
    return this.#parts.filter(part => part.reading === this.#reading)
  }
}
