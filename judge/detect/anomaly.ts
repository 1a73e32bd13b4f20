// What a series has not looked like before: its level, its spread, a step, a flat line, or what never was at this time
// of day; and that nothing comes any more. No limits to set: one number says how many false alarms are acceptable.

import { type Severity, severities } from '../../core/model.ts'
import { object, oneOf, optional, shape, text } from '../../core/shape.ts'
import type { Detector, DetectorType, Verdict } from '../detector.ts'
import { node, type Selection, selectsSeries, where } from '../select.ts'
import { learning } from './anomaly-course.ts'
import { flatten, isFlat } from './anomaly-flat.ts'
import { type Look, newLook, novelty, settle } from './anomaly-novelty.ts'
import { reach, rest, weigh } from './anomaly-odds.ts'
import { takeReading, takeTime } from './anomaly-reading.ts'
import { type Said, sayAbsence, sayDrift, sayFlat, sayNovelty } from './anomaly-said.ts'
import { type AnomalyState, at, startAnomaly, window } from './anomaly-state.ts'

export interface AnomalyOptions extends Selection {
  /** False alarms of one series that are acceptable in a week. */
  readonly false_alarms: number
  readonly severity: Severity
}

/** A finding is told again only where it has become so much worse. */
const worse = 1.25
/** A pause is none until so many samples were seen, nor before so many usual intervals and so many of the longest. */
const knowsPauses = 100
const usualPauses = 10
const longestPauses = 2
const leastPause = 60_000

const positive = shape('a number above 0', raw =>
  typeof raw === 'number' && Number.isFinite(raw) && raw > 0 ? raw : undefined,
)

const options = object({
  metric: optional(text),
  where,
  node,
  false_alarms: optional(positive, 2),
  severity: optional(oneOf(severities), 'warning'),
})

function open(o: AnomalyOptions): Detector<AnomalyState> {
  const selects = selectsSeries(o)
  const look = newLook()
  return {
    scope: 'series',
    severity: o.severity,
    watches: (name, series) => series !== undefined && selects(name, series),
    start: startAnomaly,
    step(state, time, reading) {
      const value = takeReading(state, time, reading)
      takeTime(state, time)
      const judged = value === undefined ? undefined : judge(state, time, value, look, o.false_alarms)
      return isAbsent(state) ? end(state, time) : judged
    },
    idle: absence,
    setBack,
  }
}

function judge(state: AnomalyState, time: number, value: number, look: Look, acceptable: number): Verdict {
  const { numbers } = state
  const distance = novelty(state, time, value, look)
  const flat = flatten(state, value)
  if (numbers[at.count]! <= learning) return undefined
  const novel = weigh(state, distance)
  numbers[at.chance] = flat > 0 && (novel === 0 || flat < novel) ? flat : novel
  const chance = numbers[at.chance]!
  if (isAbsent(state)) return undefined
  if (chance > 0 && chance <= acceptable && (flat > 0 || distance > worse * numbers[at.said]!)) {
    const said =
      flat > 0 ? sayFlat(state, value) : look.by === 'home' ? sayDrift(state, look) : sayNovelty(state, look, time)
    settle(state, look.course.features[1]!)
    return tell(state, time, distance, said)
  }
  return numbers[at.since] === 0 ? undefined : calm(state, time, distance)
}

function tell({ numbers }: AnomalyState, time: number, distance: number, said: Said): Verdict {
  if (numbers[at.since] === 0) numbers[at.since] = time
  numbers[at.said] = Math.max(distance, reach)
  numbers[at.calm] = 0
  return { since: numbers[at.since]!, ...said }
}

/** A finding ends when the window has been full of what is known, or when nothing farther out has come for long. */
function calm(state: AnomalyState, time: number, distance: number): Verdict {
  const { numbers } = state
  numbers[at.calm] = distance === 0 && !isFlat(state) ? numbers[at.calm]! + 1 : 0
  if (numbers[at.calm]! < window && numbers[at.peakAge]! < rest) return undefined
  return end(state, time)
}

function end({ numbers }: AnomalyState, time: number): Verdict {
  numbers[at.since] = 0
  numbers[at.said] = 0
  return { until: time }
}

const absent = -1

function isAbsent({ numbers }: AnomalyState): boolean {
  return numbers[at.said] === absent
}

function absence(state: AnomalyState, now: number): Verdict {
  const { numbers } = state
  const last = numbers[at.time]!
  if (isAbsent(state) || numbers[at.count]! < knowsPauses) return undefined
  const most = Math.max(leastPause, usualPauses * numbers[at.interval]!, longestPauses * numbers[at.longest]!)
  if (now - last < most) return undefined
  if (numbers[at.since] !== 0) return end(state, last)
  numbers[at.since] = last
  numbers[at.said] = absent
  return { since: last, ...sayAbsence(state, most) }
}

/** As if the last sample had come one usual interval before: days that were seen stay as many, and a counter begins anew. */
function setBack(state: AnomalyState, time: number): void {
  const { numbers } = state
  const last = time - numbers[at.interval]!
  numbers[at.begun]! += last - numbers[at.time]!
  numbers[at.time] = last
  numbers[at.value] = Number.MAX_VALUE
  end(state, time)
}

/**
 * How unlikely the newest sample was, from 0 (nothing new) towards 1: at or above `1 / (1 + false_alarms)` it is told.
 */
export function anomalyScore({ numbers }: AnomalyState): number {
  const chance = numbers[at.chance]!
  return chance === 0 ? 0 : 1 / (1 + chance)
}

export const anomaly: DetectorType<AnomalyOptions> = { name: 'anomaly', options, open }
