// A series' state as it is checkpointed: as JSON at most 2 KB, where the list as it stands would take 3.
//
// Format: `numbers` are the first of the state and the recent values; `known` has 10 printable characters a point, two
// for each of its features and two for when it was seen, each a number below 8,464 in digits of 92 from `#` on; `week` is
// the state's as it stands.

import { isMap } from '../../core/shape.ts'
import { recentAt, setRecent } from './anomaly-course.ts'
import { coordinate, seen, setPoint, span } from './anomaly-memory.ts'
import { type AnomalyState, at, bins, dimensions, most, startAnomaly, threes, window } from './anomaly-state.ts'

interface Saved {
  readonly counter: boolean
  readonly numbers: readonly number[]
  readonly known: string
  /** Absent in what was saved before the week was kept. */
  readonly week?: readonly number[]
}

const first = '#'.charCodeAt(0)
const letters = Math.sqrt(span)
/** Numbers of the week before its levels. */
const ofWeek = at.counter - at.bin
const width = 2 * dimensions + 2

export function saveAnomaly(state: AnomalyState): Saved {
  const recent = Array.from({ length: window }, (_, n) => recentAt(state, n))
  const known = Array.from({ length: state[at.points]! }, (_, index) => pointText(state, index))
  return {
    counter: state[at.counter] === 1,
    numbers: [...state.slice(0, at.bin), ...recent],
    known: known.join(''),
    week: [...state.slice(at.bin, at.counter), ...state.slice(at.week)],
  }
}

/** Undefined: it is none. */
export function restoreAnomaly(saved: unknown): AnomalyState | undefined {
  if (!isSaved(saved)) return undefined
  const { counter, numbers, known, week = [] } = saved
  const state = startAnomaly(undefined)
  for (let n = 0; n < at.bin; n++) state[n] = numbers[n]!
  for (let n = 0; n < window; n++) setRecent(state, n, numbers[at.bin + n]!)
  for (const [n, value] of week.entries()) state[n < ofWeek ? at.bin + n : at.week + n - ofWeek] = value
  state[at.counter] = counter ? 1 : 0
  state[at.points] = known.length / width
  for (let index = 0; index < state[at.points]!; index++) takePoint(state, index, known)
  return state
}

function isSaved(raw: unknown): raw is Saved {
  if (!isMap(raw)) return false
  const { counter, numbers, known, week } = raw
  if (typeof counter !== 'boolean' || typeof known !== 'string') return false
  return areNumbers(numbers, at.bin + window) && isKnown(known, numbers) && (week === undefined || isWeek(week))
}

function areNumbers(raw: unknown, count: number): raw is number[] {
  return Array.isArray(raw) && raw.length === count && raw.every(Number.isFinite)
}

function isWeek(raw: unknown): boolean {
  const isLevels = (value: number): boolean => Number.isInteger(value) && value >= 0 && value < 2 ** 48
  return areNumbers(raw, ofWeek + bins / threes) && raw.slice(ofWeek).every(isLevels)
}

function isKnown(known: string, numbers: readonly number[]): boolean {
  const points = known.length / width
  const isWithin = (index: number): boolean => index === 0 || (index > 0 && index < points)
  if (!Number.isInteger(points) || points > most || !/^[#-~]*$/.test(known)) return false
  return isWithin(numbers[at.met]!) && isWithin(numbers[at.hand]!)
}

function pointText(state: AnomalyState, index: number): string {
  let text = ''
  for (let d = 0; d < dimensions; d++) text += digits(coordinate(state, index, d))
  return text + digits(seen(state, index))
}

function digits(value: number): string {
  return String.fromCharCode(first + Math.floor(value / letters), first + (value % letters))
}

function takePoint(state: AnomalyState, index: number, known: string): void {
  const numberAt = (n: number): number =>
    (known.charCodeAt(index * width + n) - first) * letters + known.charCodeAt(index * width + n + 1) - first
  const here = Array.from({ length: dimensions }, (_, d) => numberAt(2 * d))
  setPoint(state, index, here, numberAt(2 * dimensions))
}
