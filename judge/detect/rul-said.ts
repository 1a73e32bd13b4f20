// What is said of a machine that is worn, and the numbers it rests on.

import { type Forecast, hasLimit, isAtLimit, times } from './rul-forecast.ts'
import { levelNow, type RulState } from './rul-state.ts'

export interface Said {
  readonly message: string
  readonly evidence: Readonly<Record<string, number | string>>
}

const day = 86_400_000
/** Nobody can say what is farther away. */
const farthest = 20 * 365.25 * day

export function sayWorn(state: RulState, time: number, next: Forecast): Said {
  const level = levelNow(state)
  const rise = level - state.healthy
  const word = state.unit === '' || state.unit === '1' ? '' : ` ${state.unit}`
  const now = `${plain(Math.exp(level))}${word}, ${times(rise)} its healthy ${plain(Math.exp(state.healthy))}`
  const message = `worn since ${new Date(state.since ?? time).toISOString()}: ${now}; ${endOf(state, time, next, word)}`
  return { message, evidence: { ...levels(state, level), ...left(state, next) } }
}

function endOf(state: RulState, time: number, next: Forecast, word: string): string {
  const { from, at, to, groundless } = next
  const limit = hasLimit(state) ? `at its limit of ${plain(Math.exp(state.limit ?? 0))}${word}` : 'worn out'
  if (isAtLimit(state, levelNow(state))) return `it is ${limit}`
  if (groundless !== undefined) return `how long it lasts is unknown: ${groundless}`
  const [early, middle, late] = [from, at, to].map(running => dateIn(byCalendar(state, running), time, to))
  return `${limit} about ${middle} (between ${early} and ${late}, four times in five)`
}

function dateIn(left: number, time: number, latest: number): string {
  if (!(left < farthest)) return 'more than 20 years from now'
  const text = new Date(time + left).toISOString()
  return latest < 3 * day ? `${text.slice(0, 16)}Z` : text.slice(0, 10)
}

function levels({ healthy, limit }: RulState, level: number): Record<string, number> {
  const known = { value: Math.exp(level), healthy: Math.exp(healthy) }
  return limit === null ? known : { ...known, limit: Math.exp(limit) }
}

/** Seconds by the calendar. */
function left(state: RulState, { from, at, to, groundless }: Forecast): Record<string, number | string> {
  if (groundless !== undefined) return { left: 'unknown' }
  const [left_from_s, left_s, left_to_s] = [from, at, to].map(running => Math.round(byCalendar(state, running) / 1000))
  return { left_s: left_s!, left_from_s: left_from_s!, left_to_s: left_to_s! }
}

/** Running time as it goes by on the calendar: it stands still as much as it did so far. */
export function byCalendar({ seen, ran }: RulState, running: number): number {
  return ran > 0 ? (running * seen) / ran : running
}

function plain(value: number): string {
  return String(Number(value.toPrecision(3)))
}
