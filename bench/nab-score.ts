// The scoring of the Numenta Anomaly Benchmark, as Lavin and Ahmad (2015) publish it (arXiv:1510.03336, section II-D and
// the white paper): a detection within a labelled window earns the more the earlier it is, by a sigmoid; only the best
// of a window counts; each outside costs, the less the closer behind a window; a window without one is missed.
// The first 15 % of a series (of 5,000 rows at most) are for learning and count nothing. 100 is perfect, 0 is silence.

export const profiles = {
  standard: { falseAlarm: 0.11, miss: 1 },
  low_fp: { falseAlarm: 0.22, miss: 1 },
  low_fn: { falseAlarm: 0.11, miss: 2 },
} as const
export type Profile = keyof typeof profiles

export interface Scored {
  readonly name: string
  /** One a row. */
  readonly scores: ArrayLike<number>
  /** First and last row of each, rising. */
  readonly windows: readonly (readonly [number, number])[]
}

export interface Part {
  readonly found: number
  readonly missed: number
  readonly false_alarms: number
  /** What it adds up to in the profile. */
  readonly points: number
}

/** One row that may be a detection. */
interface Row {
  readonly score: number
  /** Which window it lies in, -1: none. */
  readonly window: number
  readonly weight: number
}

const learningShare = 0.15
const learningRows = 5000
const earliest = sigmoid(-1)

/** What a series is worth at a threshold. */
export function partAt(series: Scored, threshold: number, profile: Profile): Part {
  const { falseAlarm, miss } = profiles[profile]
  const best = new Map(countable(series).map(w => [w, -miss]))
  let alarms = 0
  let cost = 0
  for (const { score, window, weight } of rows(series)) {
    if (score < threshold) continue
    if (window < 0) {
      alarms++
      cost += weight * falseAlarm
    } else best.set(window, Math.max(best.get(window)!, weight))
  }
  const gains = [...best.values()]
  const missed = gains.filter(gain => gain === -miss).length
  const points = gains.reduce((sum, gain) => sum + gain, cost)
  return { found: gains.length - missed, missed, false_alarms: alarms, points }
}

/** All series together, 0 for silence to 100 for perfection. */
export function scoreAt(all: readonly Scored[], threshold: number, profile: Profile): number {
  return normal(
    all,
    profile,
    all.reduce((sum, series) => sum + partAt(series, threshold, profile).points, 0),
  )
}

/** The threshold that serves all series best, and what it gets. */
export function bestOf(all: readonly Scored[], profile: Profile): { threshold: number; score: number } {
  const { falseAlarm, miss } = profiles[profile]
  const detections = all.flatMap((series, n) => rows(series).map(row => ({ ...row, series: n })))
  detections.sort((a, b) => b.score - a.score)
  const best = all.map(series => new Map(countable(series).map(w => [w, -miss])))
  let points = -miss * windowsOf(all)
  let top = { threshold: Number.POSITIVE_INFINITY, points }
  for (const [n, { score, window, weight, series }] of detections.entries()) {
    const before = window < 0 ? 0 : best[series]!.get(window)!
    if (window < 0) points += weight * falseAlarm
    else if (weight > before) {
      best[series]!.set(window, weight)
      points += weight - before
    }
    if (detections[n + 1]?.score !== score && points > top.points) top = { threshold: score, points }
  }
  return { threshold: top.threshold, score: normal(all, profile, top.points) }
}

export function learningOf(rows: number): number {
  return Math.min(Math.floor(learningShare * rows), learningShare * learningRows)
}

function normal(all: readonly Scored[], profile: Profile, points: number): number {
  const windows = windowsOf(all)
  const silence = -profiles[profile].miss * windows
  return windows === 0 ? 0 : (100 * (points - silence)) / (windows - silence)
}

function windowsOf(all: readonly Scored[]): number {
  return all.reduce((sum, series) => sum + countable(series).length, 0)
}

/** Windows that do not lie wholly within what is for learning. */
function countable({ scores, windows }: Scored): readonly number[] {
  const learning = learningOf(scores.length)
  return windows.flatMap(([, last], n) => (last >= learning ? [n] : []))
}

/** Those with a score, behind what is for learning. */
function rows({ scores, windows }: Scored): readonly Row[] {
  const found: Row[] = []
  let next = 0
  for (let n = learningOf(scores.length); n < scores.length; n++) {
    while (next < windows.length && n > windows[next]![1]) next++
    const score = scores[n]!
    if (score <= 0) continue
    const here = windows[next]
    if (here !== undefined && n >= here[0]) found.push({ score, window: next, weight: gain(here, n) })
    else found.push({ score, window: -1, weight: cost(windows[next - 1], n) })
  }
  return found
}

function gain([first, last]: readonly [number, number], row: number): number {
  return sigmoid(-(last - row + 1) / (last - first + 1)) / earliest
}

/** Measured in widths of the window before, from its end; where there is none, the whole cost. */
function cost(before: readonly [number, number] | undefined, row: number): number {
  if (before === undefined) return -1
  const [first, last] = before
  return last === first ? -1 : sigmoid((row - last) / (last - first))
}

/** From 1 far before the end of a window through 0 at its end to -1. */
function sigmoid(position: number): number {
  return position > 3 ? -1 : 2 / (1 + Math.exp(5 * position)) - 1
}
