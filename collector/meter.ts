// How much is committed, how fast, and how late: what the page and the demo show of the road itself.

const seconds = 6
const latencyWindow = 60_000
/** Envelopes remembered for the percentile; beyond it the oldest go. */
const mostLatencies = 20_000

interface Latency {
  readonly at: number
  /** From the oldest sample inside to the commit, ms. */
  readonly ms: number
  readonly samples: number
}

export class Meter {
  readonly #nodes = new Map<string, Float64Array>()
  #latencies: Latency[] = []
  #samples = 0
  #second = 0

  /** Samples committed since the start. */
  get samples(): number {
    return this.#samples
  }

  committed(node: string, samples: number, firstTime: number, now: number): void {
    this.#advance(now)
    const counts = this.#nodes.get(node) ?? new Float64Array(seconds)
    this.#nodes.set(node, counts)
    counts[this.#second % seconds]! += samples
    this.#samples += samples
    this.#latencies.push({ at: now, ms: Math.max(0, now - firstTime), samples })
    if (this.#latencies.length > 2 * mostLatencies) this.#latencies = this.#latencies.slice(-mostLatencies)
  }

  /** Of one node, or of all, over the last whole seconds. */
  perSecond(node: string | undefined, now: number): number {
    this.#advance(now)
    const counted =
      node === undefined ? [...this.#nodes.values()] : [this.#nodes.get(node) ?? new Float64Array(seconds)]
    const current = this.#second % seconds
    const sum = counted.reduce((total, counts) => total + counts.reduce((a, b) => a + b) - counts[current]!, 0)
    return sum / (seconds - 1)
  }

  /** The 99th percentile over the last minute's samples, ms; undefined without any. */
  p99(now: number): number | undefined {
    const recent = this.#latencies.filter(l => l.at >= now - latencyWindow).sort((a, b) => b.ms - a.ms)
    const total = recent.reduce((sum, l) => sum + l.samples, 0)
    let worse = 0
    for (const { ms, samples } of recent) {
      worse += samples
      if (worse > total / 100) return ms
    }
    return undefined
  }

  /** Clears the seconds that passed since the last call. */
  #advance(now: number): void {
    const second = Math.floor(now / 1000)
    const passed = Math.min(seconds, Math.abs(second - this.#second))
    for (let n = 1; n <= passed; n++)
      for (const counts of this.#nodes.values()) counts[(second - passed + n) % seconds] = 0
    this.#second = second
  }
}
