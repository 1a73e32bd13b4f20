// What a series has not looked like before: its level, its spread, a step, a flat line, or what never was at this time
// of day; and that nothing comes any more. No limits to set: one number says how many false alarms are acceptable.

import { type Severity, severities } from '../../core/model.ts'
import { object, oneOf, optional, positive, text } from '../../core/shape.ts'
import type { Detector, DetectorType, Verdict } from '../detector.ts'
import { node, type Selection, selectsSeries, where } from '../select.ts'
import { learning } from './anomaly-course.ts'
import { flatten, isFlat } from './anomaly-flat.ts'
import { type Look, newLook, novelty, settle } from './anomaly-novelty.ts'
import { reach, rest, weigh } from './anomaly-odds.ts'
import { takeReading, takeTime } from './anomaly-reading.ts'
import { type Said, say, sayAbsence, sayFlat } from './anomaly-said.ts'
import { restoreAnomaly, saveAnomaly } from './anomaly-saved.ts'
import { type AnomalyState, at, startAnomaly, touch, window } from './anomaly-state.ts'

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
      look.touched[0] = touch(state)
      const value = takeReading(state, time, reading)
      takeTime(state, time)
      const judged = value === undefined ? undefined : judge(state, time, value, look, o.false_alarms)
      return isAbsent(state) ? end(state, time) : judged
    },
    idle: absence,
    setBack,
    save: saveAnomaly,
    restore: restoreAnomaly,
  }
}

function judge(state: AnomalyState, time: number, value: number, look: Look, acceptable: number): Verdict {
  const distance = novelty(state, time, value, look)
  const flat = flatten(state, value)
  if (state[at.count]! <= learning) return undefined
  const novel = weigh(state, distance)
  state[at.chance] = flat > 0 && (novel === 0 || flat < novel) ? flat : novel
  const chance = state[at.chance]!
  if (isAbsent(state)) return undefined
  if (chance > 0 && chance <= acceptable && (flat > 0 || distance > worse * state[at.said]!)) {
    const said = flat > 0 ? sayFlat(state, value) : say(state, look, time)
    settle(state, look.course.features[1]!)
    return tell(state, time, distance, said)
  }
  return state[at.since] === 0 ? undefined : calm(state, time, distance)
}

function tell(state: AnomalyState, time: number, distance: number, said: Said): Verdict {
  if (state[at.since] === 0) state[at.since] = time
  state[at.said] = Math.max(distance, reach)
  state[at.calm] = 0
  return { since: state[at.since]!, ...said }
}

/** A finding ends when the window has been full of what is known, or when nothing farther out has come for long. */
function calm(state: AnomalyState, time: number, distance: number): Verdict {
  state[at.calm] = distance === 0 && !isFlat(state) ? state[at.calm]! + 1 : 0
  if (state[at.calm]! < window && state[at.peakAge]! < rest) return undefined
  return end(state, time)
}

function end(state: AnomalyState, time: number): Verdict {
  state[at.since] = 0
  state[at.said] = 0
  return { until: time }
}

const absent = -1

function isAbsent(state: AnomalyState): boolean {
  return state[at.said] === absent
}

function absence(state: AnomalyState, now: number): Verdict {
  const last = state[at.time]!
  if (isAbsent(state) || state[at.count]! < knowsPauses) return undefined
  const most = Math.max(leastPause, usualPauses * state[at.interval]!, longestPauses * state[at.longest]!)
  if (now - last < most) return undefined
  if (state[at.since] !== 0) return end(state, last)
  state[at.since] = last
  state[at.said] = absent
  return { since: last, ...sayAbsence(state, most) }
}

/** As if the last sample had come one usual interval before: days that were seen stay as many, and a counter begins anew. */
function setBack(state: AnomalyState, time: number): void {
  const last = time - state[at.interval]!
  state[at.begun]! += last - state[at.time]!
  state[at.time] = last
  state[at.value] = Number.MAX_VALUE
  state[at.binCount] = 0
  end(state, time)
}

/**
 * How unlikely the newest sample was, from 0 (nothing new) towards 1: at or above `1 / (1 + false_alarms)` it is told.
 */
export function anomalyScore(state: AnomalyState): number {
  const chance = state[at.chance]!
  return chance === 0 ? 0 : 1 / (1 + chance)
}

export const anomaly: DetectorType<AnomalyOptions> = { name: 'anomaly', options, open }
