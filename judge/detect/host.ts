// Many series of one host, line or bed judged together: how unusual they are as a whole, and which of them are to blame.
// A row a minute: each series' samples of the minute are one value, and one that did not come keeps its last for a while.

import type { Series, Severity } from '../../core/model.ts'
import { severities } from '../../core/model.ts'
import { list, object, oneOf, optional, positive, text } from '../../core/shape.ts'
import type { Detector, DetectorType, Verdict } from '../detector.ts'
import { node, type Selection, selectsName, selectsNode, selectsSeries, where } from '../select.ts'
import { day, isLate, judge, type Member, minute, newMember, of, take } from './host-member.ts'
import { reach, weigh } from './host-odds.ts'
import { sayHost } from './host-said.ts'
import { at, type HostState, keyOf, newHost } from './host-state.ts'

export interface HostOptions extends Omit<Selection, 'metric'> {
  /** Patterns with `*`: the series that are judged together. */
  readonly metrics: readonly string[]
  /** False alarms of one node that are acceptable in a week. */
  readonly false_alarms: number
  readonly severity: Severity
}

/** Series judged together at most; a series that is late makes room for a new one. */
export const mostMembers = 256
/** Nothing new of it for so long: it is forgotten. */
const forgotten = 14 * day * minute
/** A finding is told again only where it has become so many deviations worse. */
const worse = 1
/** What is behind for so long within one minute shows that the minute is wrong. */
const stuck = 5 * minute
/** It is over when so many minutes on end were usual, or when nothing has come for so long. */
const calmMinutes = 15
/** Before the logarithm, so that perfect calm is not infinitely calm. */
const least = 0.01

const options = object({
  node,
  where,
  metrics: optional(list(text, 100), ['*']),
  false_alarms: optional(positive, 2),
  severity: optional(oneOf(severities), 'warning'),
})

function open(o: HostOptions): Detector<HostState> {
  const ofNode = selectsNode(o)
  const ofSeries = selectsSeries({ node: o.node, where: o.where })
  const ofMetric = o.metrics.map(selectsName)
  const keys = new WeakMap<Series, string>()
  const keyFor = (series: Series): string => keys.get(series) ?? remember(keys, series)
  return {
    scope: 'group',
    severity: o.severity,
    watches: (name, series) =>
      series === undefined ? ofNode(name) : ofSeries(name, series) && ofMetric.some(fits => fits(series.name)),
    start: newHost,
    step(state, time, value, series) {
      if (series === undefined || !Number.isFinite(value)) return undefined
      const verdict = endMinute(state, time, o.false_alarms)
      keepPace(state, time)
      const member = memberOf(state, keyFor(series), series, time)
      if (member !== undefined) take(member, time, value)
      return verdict
    },
    idle(state, now) {
      if (state.numbers[at.begun] === 0) return undefined
      return endMinute(state, now, o.false_alarms) ?? endQuiet(state, now)
    },
    setBack,
  }
}

function remember(keys: WeakMap<Series, string>, series: Series): string {
  const key = keyOf(series)
  keys.set(series, key)
  return key
}

/** Undefined where there is no room for one more. */
function memberOf({ members }: HostState, key: string, series: Series, time: number): Member | undefined {
  const known = members[key]
  if (known !== undefined) return known
  const all = Object.entries(members)
  if (all.length >= mostMembers) {
    const oldest = all.reduce((a, b) => (b[1][of.time]! < a[1][of.time]! ? b : a))
    if (!isLate(oldest[1], time)) return undefined
    delete members[oldest[0]]
  }
  members[key] = newMember(series)
  return members[key]
}

/** Judges the minute behind, once `time` lies beyond it. What comes late for it counts in the next. */
function endMinute(state: HostState, time: number, acceptable: number): Verdict {
  const { numbers } = state
  const end = numbers[at.end]!
  if (time < end) return undefined
  const isFirst = numbers[at.begun] === 0
  numbers[at.begun] = 1
  numbers[at.end] = minuteAfter(time)
  numbers[at.behind] = 0
  return isFirst ? undefined : judgeRow(state, end, acceptable)
}

/**
 * A minute ahead of all that comes will not end for long: one sample was dated in the future, or the clock was set back.
 * Whoever is always behind is not meant: what is behind would have to go on for minutes within this one.
 */
function keepPace({ numbers }: HostState, time: number): void {
  if (time >= numbers[at.end]! - minute) numbers[at.time] = time
  else if (numbers[at.behind] === 0) numbers[at.behind] = time
  else if (Math.abs(time - numbers[at.behind]!) > stuck) {
    numbers[at.time] = time
    numbers[at.end] = minuteAfter(time)
    numbers[at.behind] = 0
  }
}

function setBack({ numbers, members }: HostState, time: number): void {
  numbers[at.time] = time
  numbers[at.end] = minuteAfter(time)
  for (const place of [at.behind, at.since, at.said, at.calm]) numbers[place] = 0
  for (const member of Object.values(members)) {
    member[of.time] = Math.min(member[of.time]!, time)
    member[of.judged] = Math.min(member[of.judged]!, time)
  }
}

function minuteAfter(time: number): number {
  return (Math.floor(time / minute) + 1) * minute
}

function judgeRow(state: HostState, end: number, acceptable: number): Verdict {
  const { numbers, members } = state
  let known = 0
  let heard = 0
  let sum = 0
  for (const [key, member] of Object.entries(members)) {
    const isHeard = judge(member, end)
    if (end - member[of.time]! > forgotten) delete members[key]
    if (member[of.minutes]! > day) known++
    if (isHeard) heard++
    sum += member[of.blame]!
  }
  if (heard === 0) return undefined
  numbers[at.score] = sum / known
  numbers[at.expected] = weigh(state, Math.log(numbers[at.score]! + least))
  return conclude(state, end, acceptable)
}

function conclude(state: HostState, end: number, acceptable: number): Verdict {
  const { numbers } = state
  const expected = numbers[at.expected]!
  const isOpen = numbers[at.since] !== 0
  if (expected > 0 && expected <= acceptable && (!isOpen || numbers[at.off]! > numbers[at.said]! + worse)) {
    if (!isOpen) numbers[at.since] = numbers[at.time]!
    numbers[at.said] = numbers[at.off]!
    numbers[at.calm] = 0
    return { since: numbers[at.since]!, ...sayHost(state) }
  }
  if (!isOpen) return undefined
  numbers[at.calm] = numbers[at.off]! > reach ? 0 : numbers[at.calm]! + 1
  return numbers[at.calm]! < calmMinutes ? undefined : over(state, end)
}

/** Nothing can end it but time, where nothing comes any more. */
function endQuiet(state: HostState, now: number): Verdict {
  const { numbers } = state
  return numbers[at.since] === 0 || now - numbers[at.time]! < calmMinutes * minute ? undefined : over(state, now)
}

function over({ numbers }: HostState, time: number): Verdict {
  const until = Math.max(time, numbers[at.since]!)
  numbers[at.since] = 0
  numbers[at.said] = 0
  return { until }
}

/** How unusual the newest minute was: the mean square of how many deviations its series were off. */
export function hostScore({ numbers }: HostState): number {
  return numbers[at.score]!
}

export const host: DetectorType<HostOptions> = { name: 'host', options, open }
