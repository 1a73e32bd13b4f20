// The sequence model the field knows: one LSTM over the last 30 days of 10 SMART metrics, then a logistic unit. Trained by
// back-propagation through time with Adam on a balanced sample, as is usual; warned of above 0.9, as is usual.

import type { Past } from '../../../judge/disks/past.ts'
import { counts } from '../../../judge/disks/reading.ts'
import { random } from '../random.ts'

export const days = 30
/** Power-on hours and the nine counts. */
export const metrics = 1 + counts.length
const hidden = 16
const gates = 4 * hidden

/** One day of a sequence: logarithms, brought near 0..1; what is not reported is 0. */
export function metricsOf(past: Past, out: Float32Array, at: number): void {
  out[at] = Math.log2(1 + (past.hours ?? 0)) / 16
  counts.forEach((name, n) => {
    out[at + 1 + n] = Math.log2(1 + (past.counts[name]?.value ?? 0)) / 8
  })
}

export class Lstm {
  /** Of each gate (input, forget, cell, output): bias, metrics, hidden; then the logistic unit. */
  readonly weights: Float64Array
  readonly #row = 1 + metrics + hidden
  readonly #h = new Float64Array((days + 1) * hidden)
  readonly #c = new Float64Array((days + 1) * hidden)
  readonly #gate = new Float64Array(days * gates)

  constructor(seed: number) {
    const rng = random(seed)
    this.weights = Float64Array.from({ length: gates * this.#row + hidden + 1 }, () => (rng() - 0.5) * 0.4)
    for (let n = hidden; n < 2 * hidden; n++) this.weights[n * this.#row] = 1
  }

  /** Log-odds of failing. */
  run(x: Float32Array): number {
    const w = this.weights
    for (let t = 0; t < days; t++) {
      for (let g = 0; g < gates; g++) {
        let at = g * this.#row
        let sum = w[at++]!
        for (let m = 0; m < metrics; m++) sum += w[at++]! * x[t * metrics + m]!
        for (let k = 0; k < hidden; k++) sum += w[at++]! * this.#h[t * hidden + k]!
        this.#gate[t * gates + g] = g >= 2 * hidden && g < 3 * hidden ? Math.tanh(sum) : 1 / (1 + Math.exp(-sum))
      }
      for (let k = 0; k < hidden; k++) {
        const at = t * gates + k
        const gate = this.#gate
        const cell = gate[at + hidden]! * this.#c[t * hidden + k]! + gate[at]! * gate[at + 2 * hidden]!
        this.#c[(t + 1) * hidden + k] = cell
        this.#h[(t + 1) * hidden + k] = gate[at + 3 * hidden]! * Math.tanh(cell)
      }
    }
    const out = gates * this.#row
    let sum = w[out + hidden]!
    for (let k = 0; k < hidden; k++) sum += w[out + k]! * this.#h[days * hidden + k]!
    return sum
  }

  /** Adds the slope of the loss of one sequence to `slope`. */
  learn(x: Float32Array, y: number, slope: Float64Array): void {
    const w = this.weights
    const missed = 1 / (1 + Math.exp(-this.run(x))) - y
    const out = gates * this.#row
    const dh = new Float64Array(hidden)
    const dc = new Float64Array(hidden)
    const dgate = new Float64Array(gates)
    for (let k = 0; k < hidden; k++) {
      slope[out + k]! += missed * this.#h[days * hidden + k]!
      dh[k] = missed * w[out + k]!
    }
    slope[out + hidden]! += missed
    for (let t = days - 1; t >= 0; t--) {
      for (let k = 0; k < hidden; k++) {
        const at = t * gates + k
        const i = this.#gate[at]!
        const f = this.#gate[at + hidden]!
        const g = this.#gate[at + 2 * hidden]!
        const o = this.#gate[at + 3 * hidden]!
        const c = Math.tanh(this.#c[(t + 1) * hidden + k]!)
        const d = dc[k]! + dh[k]! * o * (1 - c * c)
        dgate[k] = d * g * i * (1 - i)
        dgate[hidden + k] = d * this.#c[t * hidden + k]! * f * (1 - f)
        dgate[2 * hidden + k] = d * i * (1 - g * g)
        dgate[3 * hidden + k] = dh[k]! * c * o * (1 - o)
        dc[k] = d * f
      }
      dh.fill(0)
      for (let g = 0; g < gates; g++) {
        const d = dgate[g]!
        let at = g * this.#row
        slope[at++]! += d
        for (let m = 0; m < metrics; m++) slope[at++]! += d * x[t * metrics + m]!
        for (let k = 0; k < hidden; k++) {
          slope[at]! += d * this.#h[t * hidden + k]!
          dh[k]! += d * w[at++]!
        }
      }
    }
  }
}

export interface Sequences {
  readonly x: readonly Float32Array[]
  readonly y: readonly number[]
}

export function trainLstm({ x, y }: Sequences, epochs: number, seed: number): Lstm {
  const lstm = new Lstm(seed)
  const rng = random(seed + 1)
  const batch = 32
  const size = lstm.weights.length
  const mean = new Float64Array(size)
  const square = new Float64Array(size)
  const order = Array.from(x, (_, n) => n)
  let step = 0
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (let n = order.length - 1; n > 0; n--) {
      const at = Math.floor(rng() * (n + 1))
      const other = order[at]!
      order[at] = order[n]!
      order[n] = other
    }
    for (let from = 0; from + batch <= order.length; from += batch) {
      const slope = new Float64Array(size)
      for (const n of order.slice(from, from + batch)) lstm.learn(x[n]!, y[n]!, slope)
      step++
      const rate = (0.003 * Math.sqrt(1 - 0.999 ** step)) / (1 - 0.9 ** step)
      for (let k = 0; k < size; k++) {
        const d = slope[k]! / batch
        mean[k] = 0.9 * mean[k]! + 0.1 * d
        square[k] = 0.999 * square[k]! + 0.001 * d * d
        lstm.weights[k]! -= (rate * mean[k]!) / (Math.sqrt(square[k]!) + 1e-8)
      }
    }
  }
  return lstm
}
