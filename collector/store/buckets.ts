// Down-sampling: samples of one series, in time order, into buckets of equal width.

import { increaseOf, type Minutes, minuteMs } from './minutes.ts'

/** Bucket k holds the samples with start + k * step <= time < start + (k + 1) * step; all in ms since the epoch. */
export interface Grid {
  readonly start: number
  readonly step: number
  readonly buckets: number
}

/**
 * At most `buckets` buckets over [from, to). Steps of a minute and more are whole minutes and begin at a multiple of
 * the step, so that a chart's buckets stay where they are as time goes on; the first may begin before `from`.
 */
export function gridOf(from: number, to: number, buckets: number): Grid {
  const fine = Math.max(1, Math.ceil((to - from) / buckets))
  if (fine < minuteMs) return { start: from, step: fine, buckets: Math.ceil((to - from) / fine) }
  let step = Math.ceil(fine / minuteMs) * minuteMs
  const start = () => Math.floor(from / step) * step
  while (Math.ceil((to - start()) / step) > buckets) step += minuteMs
  return { start: start(), step, buckets: Math.ceil((to - start()) / step) }
}

/** Columns of as many values as there are buckets; NaN where a bucket is empty. */
export interface Columns {
  readonly count: Uint32Array
  readonly min: Float64Array
  readonly max: Float64Array
  readonly mean: Float64Array
  /** The value of the newest sample. */
  readonly last: Float64Array
  /**
   * Counters only: growth a second. What grew between two samples counts where the later one lies, over the time
   * between them; a counter that fell has started again from 0. NaN where no time passed.
   */
  readonly rate?: Float64Array
}

export class Buckets {
  readonly #grid: Grid
  readonly #counter: boolean
  readonly #count: Uint32Array
  readonly #min: Float64Array
  readonly #max: Float64Array
  readonly #sum: Float64Array
  readonly #last: Float64Array
  readonly #increase: Float64Array
  readonly #elapsed: Float64Array
  #previousTime = Number.NaN
  #previous = 0

  constructor(grid: Grid, counter: boolean) {
    const { buckets } = grid
    this.#grid = grid
    this.#counter = counter
    this.#count = new Uint32Array(buckets)
    this.#sum = new Float64Array(buckets)
    this.#min = new Float64Array(buckets).fill(Number.POSITIVE_INFINITY)
    this.#max = new Float64Array(buckets).fill(Number.NEGATIVE_INFINITY)
    this.#last = new Float64Array(buckets).fill(Number.NaN)
    this.#increase = new Float64Array(counter ? buckets : 0)
    this.#elapsed = new Float64Array(counter ? buckets : 0)
  }

  /** Takes samples in time order, also across calls; those outside the grid do not count. */
  samples(times: Float64Array, values: Float64Array, from: number, to: number): void {
    const { start, step, buckets } = this.#grid
    const end = start + step * buckets
    let i = from
    while (i < to && times[i]! < start) i++
    while (i < to && times[i]! < end) {
      const k = Math.floor((times[i]! - start) / step)
      const next = this.#run(times, values, i, to, k, start + (k + 1) * step)
      if (this.#counter) this.#grow(times, values, i, next, k)
      i = next
    }
  }

  /** Adds the samples before `end` to bucket `k`; returns the index of the first that is not. */
  #run(times: Float64Array, values: Float64Array, from: number, to: number, k: number, end: number): number {
    let sum = this.#sum[k]!
    let min = this.#min[k]!
    let max = this.#max[k]!
    let i = from
    for (; i < to && times[i]! < end; i++) {
      const value = values[i]!
      sum += value
      if (value < min) min = value
      if (value > max) max = value
    }
    this.#sum[k] = sum
    this.#min[k] = min
    this.#max[k] = max
    this.#count[k]! += i - from
    this.#last[k] = values[i - 1]!
    return i
  }

  #grow(times: Float64Array, values: Float64Array, from: number, to: number, k: number): void {
    let increase = this.#increase[k]!
    let elapsed = this.#elapsed[k]!
    let time = this.#previousTime
    let previous = this.#previous
    for (let i = from; i < to; i++) {
      if (times[i]! > time) {
        increase += increaseOf(previous, values[i]!)
        elapsed += times[i]! - time
      }
      time = times[i]!
      previous = values[i]!
    }
    this.#increase[k] = increase
    this.#elapsed[k] = elapsed
    this.#previousTime = time
    this.#previous = previous
  }

  /** Whole minutes instead of samples; the grid's start and step must be whole minutes. */
  minutes(m: Minutes): void {
    const { start, step, buckets } = this.#grid
    for (let n = 0; n < m.size; n++) {
      const k = Math.floor((m.start + m.minute[n]! * minuteMs - start) / step)
      if (k < 0 || k >= buckets) continue
      this.#count[k]! += m.count[n]!
      this.#sum[k]! += m.sum[n]!
      if (m.min[n]! < this.#min[k]!) this.#min[k] = m.min[n]!
      if (m.max[n]! > this.#max[k]!) this.#max[k] = m.max[n]!
      this.#last[k] = m.last[n]!
      if (this.#counter) this.#growMinute(m, n, k)
    }
  }

  #growMinute(m: Minutes, n: number, k: number): void {
    const first = m.start + m.firstMs[n]!
    if (first > this.#previousTime) {
      this.#increase[k]! += increaseOf(this.#previous, m.first[n]!)
      this.#elapsed[k]! += first - this.#previousTime
    }
    this.#increase[k]! += m.increase[n]!
    this.#elapsed[k]! += m.lastMs[n]! - m.firstMs[n]!
    this.#previousTime = m.start + m.lastMs[n]!
    this.#previous = m.last[n]!
  }

  /** The columns; call once, at the end. */
  finish(): Columns {
    const count = this.#count
    const mean = this.#sum
    const rate = this.#increase
    for (let k = 0; k < count.length; k++) {
      mean[k] = mean[k]! / count[k]!
      if (count[k] === 0) this.#min[k] = this.#max[k] = Number.NaN
      if (this.#counter) rate[k] = (rate[k]! / this.#elapsed[k]!) * 1000
    }
    const columns = { count, min: this.#min, max: this.#max, mean, last: this.#last }
    return this.#counter ? { ...columns, rate } : columns
  }
}
