// How well scores tell what fails from what does not.

export interface Figures {
  readonly [key: string]: number
  readonly auc: number
  readonly ap: number
  readonly recall_at_fpr_0_1: number
  readonly recall_at_fpr_0_5: number
  readonly recall_at_fpr_1: number
}

/** Threshold at a false-positive rate: the (1 - rate) quantile of the negatives; what is above it is warned of. */
export function thresholdAt(negatives: Float64Array, rate: number): number {
  const sorted = negatives.toSorted()
  return sorted[Math.min(sorted.length - 1, Math.floor((1 - rate) * sorted.length))]!
}

export function measure(scores: ArrayLike<number>, labels: ArrayLike<number>): Figures {
  const order = Array.from(scores, (_, n) => n).sort((a, b) => scores[b]! - scores[a]!)
  const negatives = Float64Array.from(order.filter(n => labels[n] === 0).map(n => scores[n]!))
  const positives = order.filter(n => labels[n] === 1).map(n => scores[n]!)
  const recall = (rate: number): number => {
    const limit = thresholdAt(negatives, rate)
    return positives.filter(score => score > limit).length / positives.length
  }
  return {
    ...ranking(order, scores, labels),
    recall_at_fpr_0_1: recall(0.001),
    recall_at_fpr_0_5: recall(0.005),
    recall_at_fpr_1: recall(0.01),
  }
}

/** Equal scores count half (area), and as one step (average precision). */
function ranking(order: readonly number[], scores: ArrayLike<number>, labels: ArrayLike<number>) {
  let tp = 0
  let fp = 0
  let area = 0
  let ap = 0
  for (let n = 0; n < order.length; ) {
    const score = scores[order[n]!]!
    let p = 0
    let f = 0
    for (; n < order.length && scores[order[n]!] === score; n++) labels[order[n]!] === 1 ? p++ : f++
    area += f * (tp + p / 2)
    tp += p
    fp += f
    ap += p * (tp / (tp + fp))
  }
  return { auc: area / (tp * fp), ap: ap / tp }
}
