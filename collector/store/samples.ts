/** Samples gathered for one series, growing as needed; `clear` keeps the room. */
export class Samples {
  times = new Float64Array(1024)
  values = new Float64Array(1024)
  count = 0

  clear(): void {
    this.count = 0
  }

  /** Appends `values[from..to)` with their times. */
  add(times: Float64Array, values: Float64Array, from: number, to: number): void {
    const end = this.count + to - from
    if (end > this.times.length) this.#grow(end)
    this.times.set(times.subarray(from, to), this.count)
    this.values.set(values.subarray(from, to), this.count)
    this.count = end
  }

  /** Appends from an array of time, value, time, value ... of `used` numbers. */
  addPairs(pairs: Float64Array, used: number): void {
    const end = this.count + used / 2
    if (end > this.times.length) this.#grow(end)
    for (let from = 0, to = this.count; from < used; from += 2, to++) {
      this.times[to] = pairs[from]!
      this.values[to] = pairs[from + 1]!
    }
    this.count = end
  }

  /** Into time order; samples of the same time stay in the order in which they were added. */
  sort(): void {
    const { times, values, count } = this
    let sorted = 1
    while (sorted < count && times[sorted]! >= times[sorted - 1]!) sorted++
    if (sorted >= count) return
    const order = Uint32Array.from({ length: count }, (_, n) => n)
    order.sort((a, b) => times[a]! - times[b]! || a - b)
    this.times = Float64Array.from(order, n => times[n]!)
    this.values = Float64Array.from(order, n => values[n]!)
  }

  /** The first index whose time is at least `time`; only after `sort`. */
  at(time: number): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.times[middle]! < time) low = middle + 1
      else high = middle
    }
    return low
  }

  #grow(least: number): void {
    const capacity = Math.max(least, this.times.length * 2)
    const times = new Float64Array(capacity)
    const values = new Float64Array(capacity)
    times.set(this.times.subarray(0, this.count))
    values.set(this.values.subarray(0, this.count))
    this.times = times
    this.values = values
  }
}
