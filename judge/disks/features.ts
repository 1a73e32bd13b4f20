// A drive's past as numbers, at a moment: what grew in the last days, how often, how long ago, and how that stands to
// what was before. Nothing names a vendor or a model. What is not known is NaN.

import { type Count, day, longest, type Past } from './past.ts'
import { type CountName, damage } from './reading.ts'

/** 1: more of it never lowers the risk; -1: more of it never raises it; 0: free. */
export type Direction = -1 | 0 | 1

export interface Feature {
  readonly name: string
  /** The count it is about; absent where it is about several or the drive. */
  readonly count?: CountName
  readonly direction: Direction
}

const windows = [1, 3, 7, 14, 30, 60, 120] as const
const week = windows.indexOf(7)
const fortnight = windows.indexOf(14)
const month = windows.indexOf(30)
const all = windows.indexOf(120)
const habits = ['power_cycles', 'spin_retries', 'timeouts', 'high_fly_writes'] as const
/** Longer ago than this is for ever. */
const ever = 720

const aboutDamage = damage.flatMap((count): readonly Feature[] => [
  { name: `${count}.value`, count, direction: 1 },
  { name: `${count}.since_seen`, count, direction: 0 },
  ...windows.map((days): Feature => ({ name: `${count}.grown_${days}`, count, direction: 1 })),
  { name: `${count}.rises_30`, count, direction: 0 },
  { name: `${count}.rises`, count, direction: 0 },
  { name: `${count}.recent_share`, count, direction: 0 },
  { name: `${count}.days_since_rise`, count, direction: 0 },
])

const aboutHabits = habits.flatMap((count): readonly Feature[] => {
  const direction = count === 'power_cycles' ? 0 : 1
  return [
    { name: `${count}.value`, count, direction },
    { name: `${count}.grown_7`, count, direction },
    { name: `${count}.grown_30`, count, direction },
    { name: `${count}.grown_120`, count, direction },
    { name: `${count}.rises`, count, direction: 0 },
    { name: `${count}.days_since_rise`, count, direction: 0 },
  ]
})

const aboutAll: readonly Feature[] = [
  ...windows.map((days): Feature => ({ name: `all.grown_${days}`, direction: 1 })),
  ...[7, 30, 120].map((days): Feature => ({ name: `all.kinds_${days}`, direction: 0 })),
  { name: 'all.value', direction: 1 },
  { name: 'all.kinds', direction: 0 },
  { name: 'all.rises', direction: 0 },
  ...[7, 30, 120].map((days): Feature => ({ name: `all.rises_${days}`, direction: 0 })),
  { name: 'all.days_since_rise', direction: 0 },
  { name: 'all.days_since_first_rise', direction: 0 },
  { name: 'all.recent_share', direction: 0 },
  { name: 'all.share_7', direction: 0 },
  { name: 'all.share_30', direction: 0 },
  { name: 'age', direction: 0 },
  { name: 'cycles_per_day', direction: 0 },
  { name: 'terabytes', direction: 0 },
  { name: 'watched', direction: 0 },
]

export const features: readonly Feature[] = [...aboutDamage, ...aboutHabits, ...aboutAll]

/** What a count did. */
interface Told {
  readonly count: Count
  /** By how much it grew within each of `windows`, and on how many days. */
  readonly grown: readonly number[]
  readonly often: readonly number[]
  readonly sinceRise: number
}

export function featuresOf(past: Past, time: number, out: Float64Array): Float64Array {
  const told = (name: CountName) => (past.counts[name] === undefined ? undefined : tell(past.counts[name], time))
  const damaged = damage.map(told)
  let at = 0
  for (const one of damaged) at = write(out, at, one === undefined ? unknownDamage : damageOf(one))
  for (const name of habits) at = write(out, at, habitOf(told(name)))
  const known = damaged.filter(one => one !== undefined)
  at = write(out, at, allOf(known, time))
  write(out, at, bodyOf(past, time))
  return out
}

function write(out: Float64Array, at: number, values: readonly number[]): number {
  for (let n = 0; n < values.length; n++) out[at + n] = values[n]!
  return at + values.length
}

function tell(count: Count, time: number): Told {
  const grown = windows.map(() => 0)
  const often = windows.map(() => 0)
  for (let n = count.at.length - 1; n >= 0; n--) {
    const ago = time - count.at[n]!
    if (ago >= longest) break
    for (let w = windows.length - 1; w >= 0 && ago < windows[w]! * day; w--) {
      grown[w]! += count.by[n]!
      often[w]!++
    }
  }
  const sinceRise = count.risen === null ? ever : Math.min(ever, (time - count.risen) / day)
  return { count, grown, often, sinceRise }
}

const unknownDamage: readonly number[] = Array.from({ length: 6 + windows.length }, () => Number.NaN)
const unknownHabit: readonly number[] = Array.from({ length: 6 }, () => Number.NaN)

function damageOf({ count, grown, often, sinceRise }: Told): number[] {
  const share = grown[fortnight]! / Math.max(1, grown[all]!)
  return [count.value, count.high - count.first, ...grown, often[month]!, count.rises, share, sinceRise]
}

function habitOf(told: Told | undefined): readonly number[] {
  if (told === undefined) return unknownHabit
  const { count, grown, sinceRise } = told
  return [count.value, grown[week]!, grown[month]!, grown[all]!, count.rises, sinceRise]
}

/** All counts of damage together; logarithms are added, so that none outshouts the others. */
function allOf(told: readonly Told[], time: number): number[] {
  const sum = (of: (one: Told) => number) => told.reduce((total, one) => total + of(one), 0)
  const grown = windows.map((_, w) => sum(one => Math.log2(1 + one.grown[w]!)))
  const within = [week, month, all]
  const value = sum(({ count }) => Math.log2(1 + count.value))
  const most = grown[all]!
  return [
    ...grown,
    ...within.map(w => sum(one => (one.grown[w]! > 0 ? 1 : 0))),
    value,
    sum(({ count }) => (count.value > 0 ? 1 : 0)),
    sum(({ count }) => count.rises),
    ...within.map(w => sum(one => one.often[w]!)),
    Math.min(ever, ...told.map(one => one.sinceRise)),
    Math.max(-1, ...told.map(({ count }) => (count.began === null ? -1 : (time - count.began) / day))),
    value === 0 ? 0 : grown[month]! / value,
    ...[week, month].map(w => (most === 0 ? 0 : grown[w]! / most)),
  ]
}

function bodyOf(past: Past, time: number): number[] {
  const hours = past.hours === null ? Number.NaN : past.hours + (time - past.time) / 3_600_000
  const cycles = past.counts.power_cycles
  const perDay = cycles === undefined ? Number.NaN : (cycles.value * 24) / Math.max(24, hours)
  return [hours, perDay, past.terabytes ?? Number.NaN, (time - past.since) / day]
}
