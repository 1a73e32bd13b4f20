// All snapshots of a set of drives with their scores.

import { features, featuresOf } from '../../judge/disks/features.ts'
import type { Past } from '../../judge/disks/past.ts'
import type { Drive } from './data.ts'
import { type Figures, measure, thresholdAt } from './measures.ts'
import { labelAt, replay, scoredDays } from './snapshots.ts'

export interface Judged {
  readonly scores: number[]
  readonly labels: (0 | 1)[]
  readonly days: number[]
  readonly drives: Drive[]
}

export type Judge = (x: Float64Array, past: Past, time: number) => number

export function judge(drives: readonly Drive[], score: Judge, from = 0, before = Number.POSITIVE_INFINITY): Judged {
  const x = new Float64Array(features.length)
  const found: Judged = { scores: [], labels: [], days: [], drives: [] }
  for (const drive of drives) {
    const days = scoredDays(drive).filter(at => at >= from && at < before)
    replay(drive, days, (past, time, at) => {
      const label = labelAt(drive, at)
      if (label === undefined) return
      found.scores.push(score(featuresOf(past, time, x), past, time))
      found.labels.push(label)
      found.days.push(at)
      found.drives.push(drive)
    })
  }
  return found
}

export const figuresOf = ({ scores, labels }: Judged): Figures => measure(scores, labels)

export function only(judged: Judged, keep: (n: number) => boolean): Judged {
  const pick = <T>(values: readonly T[]): T[] => values.filter((_, n) => keep(n))
  const { scores, labels, days, drives } = judged
  return { scores: pick(scores), labels: pick(labels), days: pick(days), drives: pick(drives) }
}

/**
 * How long before its end a drive that failed was warned of for good: since the first of its snapshots from which on all
 * are above the threshold at this false-positive rate. `share`: of the drives that failed and were scored at all.
 */
export function leadAt(judged: Judged, rate: number): { share: number; median_days: number } {
  const { scores, labels, days, drives } = judged
  const limit = thresholdAt(Float64Array.from(scores.filter((_, n) => labels[n] === 0)), rate)
  const since = new Map<Drive, number | undefined>()
  for (let n = 0; n < scores.length; n++) {
    const drive = drives[n]!
    if (!drive.failed) continue
    since.set(drive, scores[n]! > limit ? (since.get(drive) ?? days[n]!) : undefined)
  }
  const leads = [...since].flatMap(([drive, at]) => (at === undefined ? [] : [drive.to - at])).sort((a, b) => a - b)
  return { share: leads.length / since.size, median_days: leads[leads.length >> 1] ?? Number.NaN }
}
