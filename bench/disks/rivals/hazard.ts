// A hazard model: each snapshot is an exposure of 30 days, failures in it come at a rate exp(b.x), where x holds pieces of
// age and logarithms of what was counted. Poisson regression with a ridge, by Newton steps.

import { features } from '../../../judge/disks/features.ts'

const places = new Map(features.map((f, n) => [f.name, n]))
const logs = [
  ...['all.grown_7', 'all.grown_30', 'all.grown_120', 'all.value', 'all.kinds', 'all.kinds_30', 'all.rises'],
  ...['reallocated.value', 'uncorrected.value', 'pending.value', 'unreadable.value', 'timeouts.value'],
  ...['pending.grown_7', 'uncorrected.grown_7', 'reallocated.grown_7'],
  ...['all.days_since_rise', 'power_cycles.value', 'power_cycles.grown_30'],
].map(name => places.get(name)!)
const age = places.get('age')!
/** Days of power-on time at which the hazard may change. */
const ages = [90, 365, 730, 1095, 1460]

export const width = 1 + logs.length + ages.length

export function covariates(x: ArrayLike<number>, out: Float64Array): Float64Array {
  out[0] = 1
  logs.forEach((place, n) => {
    const value = x[place]!
    out[1 + n] = Number.isNaN(value) ? 0 : Math.log2(1 + value) / 4
  })
  const days = Number.isNaN(x[age]!) ? 730 : x[age]! / 24
  ages.forEach((from, n) => {
    out[1 + logs.length + n] = days >= from ? 1 : 0
  })
  return out
}

export interface Rows {
  row(n: number): ArrayLike<number>
  readonly y: ArrayLike<number>
  readonly weight: ArrayLike<number>
}

export function fitHazard(rows: Rows, steps = 12, ridge = 1): Float64Array {
  const b = new Float64Array(width)
  let failures = 0
  let exposure = 0
  for (let n = 0; n < rows.y.length; n++) {
    failures += rows.y[n]! * rows.weight[n]!
    exposure += rows.weight[n]!
  }
  b[0] = Math.log(failures / exposure)
  const x = new Float64Array(width)
  for (let step = 0; step < steps; step++) {
    const slope = new Float64Array(width)
    const bend = Array.from({ length: width }, () => new Float64Array(width))
    for (let n = 0; n < rows.y.length; n++) {
      covariates(rows.row(n), x)
      const expected = rows.weight[n]! * Math.exp(Math.min(2, dot(b, x)))
      const missed = rows.weight[n]! * rows.y[n]! - expected
      for (let i = 0; i < width; i++) {
        slope[i]! += missed * x[i]!
        const part = expected * x[i]!
        if (part !== 0) for (let j = 0; j <= i; j++) bend[i]![j]! += part * x[j]!
      }
    }
    for (let i = 1; i < width; i++) {
      slope[i]! -= ridge * b[i]!
      bend[i]![i]! += ridge
    }
    const move = solve(bend, slope)
    for (let i = 0; i < width; i++) b[i]! += Math.max(-1, Math.min(1, move[i]!))
  }
  return b
}

export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let n = 0; n < a.length; n++) sum += a[n]! * b[n]!
  return sum
}

/** By Cholesky; only the lower half of `a` is read, and it is overwritten. */
function solve(a: Float64Array[], v: Float64Array): Float64Array {
  const n = v.length
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i]![j]!
      for (let k = 0; k < j; k++) sum -= a[i]![k]! * a[j]![k]!
      a[i]![j] = i === j ? Math.sqrt(Math.max(sum, 1e-9)) : sum / a[j]![j]!
    }
  }
  const out = v.slice()
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) out[i]! -= a[i]![k]! * out[k]!
    out[i]! /= a[i]![i]!
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) out[i]! -= a[k]![i]! * out[k]!
    out[i]! /= a[i]![i]!
  }
  return out
}
