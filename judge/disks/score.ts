// A drive's probability of failing within 30 days, what drives it, where it goes, and all that in a sentence. Pure.

import { features, featuresOf } from './features.ts'
import { falsePositiveRate, type Level, levels, type Model } from './model.ts'
import { day, type Past } from './past.ts'
import { type CountName, damage } from './reading.ts'
import { contributions, logOdds } from './trees.ts'

export interface Reason {
  readonly about: CountName | 'drive'
  /** What it adds to the log-odds. */
  readonly weight: number
  readonly words: string
}

export type Assessment =
  | {
      readonly known: true
      /** Of failing within 30 days. */
      readonly probability: number
      /** Absent: quiet. */
      readonly level: Level | undefined
      /** The heaviest first; those that raise it. */
      readonly reasons: readonly Reason[]
      readonly trend: 'rising' | 'steady' | 'falling' | 'unknown'
      readonly sentence: string
    }
  | { readonly known: false; readonly sentence: string }

/** After so long without a reading nothing is known of a drive. */
const stale = 7 * day
/** Log-odds: less than a doubling of the odds within a week or more is no trend. */
const clear = Math.LN2
const mostScores = 30

/** Scores the drive as of `time` and remembers one score a day for the trend. */
export function assess(model: Model, past: Past, time: number): Assessment {
  const unknown = unknownAt(past, time)
  if (unknown !== undefined) return unknown
  const x = featuresOf(past, time, new Float64Array(features.length))
  const odds = calibrated(model, x)
  const level = levelOf(model, odds)
  const trend = trendOf(past, time, odds)
  remember(past, time, odds)
  const probability = 1 / (1 + Math.exp(-odds))
  const reasons = reasonsOf(model, past, x)
  return { known: true, probability, level, reasons, trend, sentence: sentenceOf(probability, level, reasons, trend) }
}

export function calibrated(model: Model, x: ArrayLike<number>): number {
  return model.offset + model.slope * logOdds(model.forest, x)
}

/** Absent: there is ground for a score. */
export function unknownAt(past: Past, time: number): (Assessment & { readonly known: false }) | undefined {
  const why = noGround(past, time)
  return why === undefined ? undefined : { known: false, sentence: `whether it will fail is unknown: ${why}` }
}

/** The model has only seen spinning disks, and drives that count at least one kind of damage. */
function noGround(past: Past, time: number): string | undefined {
  if (past.medium === 'flash') return 'it is flash, and the model was trained on spinning disks'
  if (time - past.time > stale) return `nothing was read from it for ${Math.floor((time - past.time) / day)} days`
  if (damage.every(name => past.counts[name] === undefined)) return 'it reports none of the counts that tell of damage'
  return undefined
}

function levelOf({ limits }: Model, odds: number): Level | undefined {
  return levels.findLast(level => odds > limits[level])
}

function trendOf({ scores }: Past, time: number, odds: number): 'rising' | 'steady' | 'falling' | 'unknown' {
  const before = scores.findLast(score => time - score.time >= 7 * day) ?? scores[0]
  if (before === undefined || time - before.time < day) return 'unknown'
  if (Math.abs(odds - before.odds) < clear) return 'steady'
  return odds > before.odds ? 'rising' : 'falling'
}

function remember({ scores }: Past, time: number, odds: number): void {
  const last = scores.at(-1)
  if (last !== undefined && time - last.time < day) return
  scores.push({ time, odds })
  if (scores.length > mostScores) scores.shift()
}

/** What is about all counts together is shared among those that grew or stand, by how much; what is not reported is of the drive. */
function reasonsOf(model: Model, past: Past, x: Float64Array): Reason[] {
  const each = contributions(model.forest, x, new Float64Array(features.length))
  const weights = new Map<CountName | 'drive', number>()
  const add = (about: CountName | 'drive', weight: number) => weights.set(about, (weights.get(about) ?? 0) + weight)
  const shares = sharesOf(past, x)
  features.forEach(({ name, count }, n) => {
    if (count !== undefined && past.counts[count] !== undefined) add(count, each[n]!)
    else if (!name.startsWith('all.')) add('drive', each[n]!)
    else for (const [about, share] of shares) add(about, each[n]! * share)
  })
  return [...weights]
    .filter(([, weight]) => weight > 0.1)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 4)
    .map(([about, weight]) => ({ about, weight: weight * model.slope, words: wordsOf(about, past, x) }))
}

function sharesOf(past: Past, x: Float64Array): readonly (readonly [CountName, number])[] {
  const seen = damage.flatMap((name): [CountName, number][] => {
    const count = past.counts[name]
    if (count === undefined) return []
    return [[name, Math.log2(1 + count.value) + 3 * Math.log2(1 + told(x, `${name}.grown_120`))]]
  })
  const total = seen.reduce((sum, [, much]) => sum + much, 0)
  return total === 0 ? [] : seen.map(([name, much]) => [name, much / total] as const)
}

const places = new Map(features.map((f, n) => [f.name, n]))

function told(x: Float64Array, name: string): number {
  const value = x[places.get(name)!]!
  return Number.isNaN(value) ? 0 : value
}

const nouns: Readonly<Record<CountName, string>> = {
  reallocated: 'reallocated sectors',
  spin_retries: 'retries to spin up',
  power_cycles: 'power cycles',
  uncorrected: 'uncorrected errors',
  timeouts: 'command timeouts',
  high_fly_writes: 'high-fly writes',
  reallocations: 'reallocation events',
  pending: 'sectors waiting to be reallocated',
  unreadable: 'sectors unreadable off-line',
}

function wordsOf(about: CountName | 'drive', past: Past, x: Float64Array): string {
  if (about === 'drive') return bodyOf(past)
  const { value } = past.counts[about]!
  const days = [7, 30, 120].find(n => told(x, `${about}.grown_${n}`) > 0)
  const grown =
    days === undefined ? 'none new in 120 days' : `${told(x, `${about}.grown_${days}`)} more in ${days} days`
  return `${value} ${nouns[about]}, ${grown}`
}

/** What drives of its size and age do. */
function bodyOf({ hours, terabytes }: Past): string {
  const size = terabytes === null ? '' : ` of ${terabytes} TB`
  const age = hours === null ? '' : ` after ${Math.round(hours / 24)} days of power-on time`
  return `a drive${size}${age}`
}

function sentenceOf(probability: number, level: Level | undefined, reasons: readonly Reason[], trend: string): string {
  const percent = `${Number((probability * 100).toPrecision(2))} %`
  const rank =
    level === undefined ? '' : `; of 1,000 sound drives ${falsePositiveRate[level] * 1000} or fewer score as high`
  const because = reasons.length === 0 ? '' : `: ${reasons.map(r => r.words).join('; ')}`
  const goes = trend === 'rising' || trend === 'falling' ? `, ${trend}` : ''
  return `fails within 30 days with a probability of ${percent}${goes}${rank}${because}`
}
