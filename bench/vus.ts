// How well scores rank labelled rows, without point adjustment.
//
// - `averagePrecision`, `rocArea`: row by row.
// - `volume`: Volume Under the Surface, Paparrizos et al., "Volume Under the Surface: A New Accuracy Evaluation Measure for
//   Time-Series Anomaly Detection", PVLDB 15(11), 2022, in the form that the benchmark TSB-AD computes and publishes
//   (github.com/TheDatumOrg/TSB-AD, `RangeAUC_volume_opt`): the mean of the areas for each buffer from 0 to twice a period.
//   * With a buffer of w rows each anomaly is followed and led by w/2 rows that are half right: at a distance of d a label
//     of sqrt(1 - d/w). They raise what can be found only where they are found.
//   * Recall counts only in proportion to how many anomalies (with their buffers, those that touch being one) were found at all.
//   * 250 thresholds, at evenly spaced ranks of the scores; precision-recall by steps, ROC by trapezes, ending at (1, 1).
// - `period`: the lag of the highest peak of the autocorrelation of a series, between 6 and 303, else 125, as there.

export interface Volume {
  readonly pr: number
  readonly roc: number
}

type Range = readonly [first: number, last: number]

const thresholds = 250

export function averagePrecision(scores: ArrayLike<number>, labels: readonly number[]): number {
  let area = 0
  let recalled = 0
  for (const { recall, precision } of ranked(scores, labels)) {
    area += (recall - recalled) * precision
    recalled = recall
  }
  return area
}

export function rocArea(scores: ArrayLike<number>, labels: readonly number[]): number {
  let area = 0
  let before = { recall: 0, wrong: 0 }
  for (const now of ranked(scores, labels)) {
    area += ((now.wrong - before.wrong) * (now.recall + before.recall)) / 2
    before = now
  }
  return area
}

/** After each distinct score from the highest down: share of the anomalous and of the other rows, and precision. */
function* ranked(scores: ArrayLike<number>, labels: readonly number[]) {
  const order = Array.from(labels.keys()).sort((a, b) => scores[b]! - scores[a]!)
  const positives = labels.reduce((sum, label) => sum + label, 0)
  let found = 0
  for (const [n, row] of order.entries()) {
    found += labels[row]!
    const next = order[n + 1]
    if (next !== undefined && scores[next] === scores[row]) continue
    const wrong = (n + 1 - found) / (labels.length - positives)
    yield { recall: found / positives, precision: found / (n + 1), wrong }
  }
}

/** `widest`: the largest buffer; `every`: of so many buffers one is computed. */
export function volume(
  scores: ArrayLike<number>,
  labels: readonly number[],
  widest: number,
  steps = thresholds,
  every = 1,
): Volume {
  const anomalies = rangesOf(labels)
  const ranks = ranksOf(scores, steps)
  const predicted = running(ranks, steps, () => 1)
  const right = running(ranks, steps, row => labels[row]!)
  const positives = labels.reduce((sum, label) => sum + label, 0)
  let pr = 0
  let roc = 0
  let buffers = 0
  for (let width = 0; width <= widest; width += every, buffers++) {
    const half = halfRight(labels, anomalies, width)
    const buffered = running(ranks, steps, row => half.get(row) ?? 0, half.keys())
    const existing = foundShares(ranks, steps, widened(anomalies, width, labels.length))
    let before = { recall: 0, wrong: 0 }
    for (let n = 0; n < steps; n++) {
      const found = right[n]! + buffered[n]!
      const all = positives + buffered[n]! / 2
      const recall = Math.min(found / all, 1) * existing[n]!
      const wrong = (predicted[n]! - found) / (labels.length - all)
      pr += (recall - before.recall) * (found / predicted[n]!)
      roc += ((wrong - before.wrong) * (recall + before.recall)) / 2
      before = { recall, wrong }
    }
    roc += ((1 - before.wrong) * (1 + before.recall)) / 2
  }
  return { pr: pr / buffers, roc: roc / buffers }
}

function rangesOf(labels: readonly number[]): readonly Range[] {
  const ranges: [number, number][] = []
  for (const [row, label] of labels.entries()) {
    if (label === 0) continue
    if (row > 0 && labels[row - 1] !== 0) ranges.at(-1)![1] = row
    else ranges.push([row, row])
  }
  return ranges
}

/** For each row the first threshold, from the highest down, that it reaches. */
function ranksOf(scores: ArrayLike<number>, steps: number): Int32Array {
  const sorted = Float64Array.from(scores).sort().reverse()
  const limits = Array.from({ length: steps }, (_, n) => sorted[Math.floor((n * (sorted.length - 1)) / (steps - 1))]!)
  return Int32Array.from(scores, score => {
    let [low, high] = [0, steps - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (limits[middle]! <= score) high = middle
      else low = middle + 1
    }
    return low
  })
}

/** For each threshold the sum over all rows that reach it. */
function running(
  ranks: Int32Array,
  steps: number,
  amount: (row: number) => number,
  rows: Iterable<number> = ranks.keys(),
): Float64Array {
  const sums = new Float64Array(steps)
  for (const row of rows) sums[ranks[row]!]! += amount(row)
  for (let n = 1; n < steps; n++) sums[n]! += sums[n - 1]!
  return sums
}

function halfRight(labels: readonly number[], anomalies: readonly Range[], width: number): Map<number, number> {
  const half = new Map<number, number>()
  const reach = width >> 1
  const add = (row: number, distance: number): void => {
    if (labels[row] === 0) half.set(row, Math.min(1, (half.get(row) ?? 0) + Math.sqrt(1 - distance / width)))
  }
  for (const [first, last] of anomalies) {
    for (let d = 1; d <= reach; d++) {
      if (last + d < labels.length) add(last + d, d)
      if (first - d >= 0) add(first - d, d)
    }
  }
  return half
}

function widened(anomalies: readonly Range[], width: number, length: number): readonly Range[] {
  const reach = width >> 1
  const wide: [number, number][] = []
  for (const [first, last] of anomalies) {
    const before = wide.at(-1)
    const end = Math.min(last + reach, length - 1)
    if (before !== undefined && before[1] >= first - reach) before[1] = end
    else wide.push([Math.max(first - reach, 0), end])
  }
  return wide
}

/** For each threshold how many of the ranges have a row that reaches it. */
function foundShares(ranks: Int32Array, steps: number, ranges: readonly Range[]): Float64Array {
  const shares = new Float64Array(steps)
  for (const [first, last] of ranges) {
    shares[ranks.subarray(first, last + 1).reduce((a, b) => Math.min(a, b))]! += 1 / ranges.length
  }
  for (let n = 1; n < steps; n++) shares[n]! += shares[n - 1]!
  return shares
}

const shortest = 3
const lags = 400
const otherwise = 125

export function period(series: ArrayLike<number>): number {
  const values = Array.from(series).slice(0, 20_000)
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const correlation = Array.from({ length: lags + 1 - shortest }, (_, n) => {
    let sum = 0
    for (let i = 0; i + n + shortest < values.length; i++) {
      sum += (values[i]! - mean) * (values[i + n + shortest]! - mean)
    }
    return sum
  })
  const isPeak = (n: number): boolean => correlation[n]! > correlation[n - 1]! && correlation[n]! > correlation[n + 1]!
  const peaks = Array.from(correlation.keys()).filter(n => n > 0 && n + 1 < correlation.length && isPeak(n))
  const highest = peaks.toSorted((a, b) => correlation[b]! - correlation[a]!)[0]
  return highest === undefined || highest < 3 || highest > 300 ? otherwise : highest + shortest
}
