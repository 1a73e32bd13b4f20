// Planned windows: what is found while one lasts is kept and marked, and opens no incident. What is still wrong when it
// ends does.
//
// A window is from a moment to a moment, or comes again every week: on some days at a time of day, for so long. That time of
// day is of a time zone, UTC where none is named. Where the clocks go forward over it, it begins when they have; where they go
// back and it comes twice, the first one counts. It lasts its length by any clock.

import {
  type Place as ConfigPlace,
  duration,
  type Fields,
  list,
  matching,
  object,
  oneOf,
  optional,
  refined,
  type Shape,
  shape,
} from '../../core/shape.ts'
import { isZone, offsetAt } from '../../core/time-zone.ts'
import { selectsNode } from '../select.ts'

const day = 86_400_000
const week = 7 * day
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const
type Weekday = (typeof weekdays)[number]

export interface Weekly {
  readonly days: readonly Weekday[]
  /** Minutes after midnight. */
  readonly at: number
  /** ms */
  readonly for: number
}

export interface Mute {
  readonly name: string
  /** Patterns in which `*` stands for any letters; absent: any. */
  readonly node: string | undefined
  readonly rule: string | undefined
  readonly metric: string | undefined
  /** ms since the epoch; `to` is no part of it. Both, or `weekly`. */
  readonly from: number | undefined
  readonly to: number | undefined
  readonly weekly: Weekly | undefined
  readonly time_zone: string
}

const pattern = matching(/^[A-Za-z0-9._*-]{1,200}$/, 'a name, with * for any letters')
/** Those of edges begin with `edge:`. */
const rulePattern = matching(/^[A-Za-z0-9._:*-]{1,200}$/, 'a name, with * for any letters')

const instant = shape('a time with its zone, such as 2026-12-01T22:00:00Z or 2026-12-01T23:00:00+01:00', raw => {
  const isWhole =
    typeof raw === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/.test(raw)
  const time = isWhole ? Date.parse(raw) : Number.NaN
  // A date such as 30 February is taken for a later one.
  const isReal = isWhole && new Date(`${raw.slice(0, 10)}T00:00:00Z`).toJSON()?.slice(0, 10) === raw.slice(0, 10)
  return isReal && Number.isFinite(time) ? time : undefined
})

const timeOfDay = shape('a time of day such as "02:00"', raw => {
  const [, hours, minutes] = (typeof raw === 'string' && /^([01]\d|2[0-3]):([0-5]\d)$/.exec(raw)) || []
  return hours === undefined ? undefined : Number(hours) * 60 + Number(minutes)
})

const timeZone = shape('a time zone such as Europe/Berlin or UTC', raw =>
  typeof raw === 'string' && isZone(raw) ? raw : undefined,
)

const weekly: Shape<Weekly> = object({
  days: refined(list(oneOf(weekdays), 7), (days, place) => {
    if (days.length === 0) place.wrong('name at least one day')
  }),
  at: timeOfDay,
  for: duration(60_000, week),
})

const fields = {
  name: matching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'a name of letters, digits, ".", "_" and "-", at most 64'),
  node: optional(pattern),
  rule: optional(rulePattern),
  metric: optional(pattern),
  from: optional(instant),
  to: optional(instant),
  weekly: optional(weekly),
  time_zone: optional(timeZone),
} satisfies Fields

const mute: Shape<Mute> = withZone(refined(object(fields, 'a mute'), checkWindow))

function withZone(inner: Shape<Omit<Mute, 'time_zone'> & { time_zone: string | undefined }>): Shape<Mute> {
  const read = (raw: unknown, place: ConfigPlace): Mute => {
    const value = inner.read(raw, place)
    return { ...value, time_zone: value?.time_zone ?? 'UTC' }
  }
  return { expects: inner.expects, read }
}

function checkWindow(
  { from, to, weekly, time_zone }: Omit<Mute, 'time_zone'> & { time_zone: string | undefined },
  place: ConfigPlace,
): void {
  const once = from !== undefined || to !== undefined
  if (once === (weekly !== undefined)) place.wrong('a mute needs either from and to, or weekly')
  else if (once && from === undefined) place.wrong('from is missing')
  else if (once && to === undefined) place.wrong('to is missing: what is muted for ever is a detector that should go')
  else if (once && from! >= to!) place.at('to').wrong('from must come before to')
  else if (once && time_zone !== undefined)
    place.at('time_zone').wrong('from and to name their zone themselves; time_zone goes with weekly')
}

export const mutes: Shape<readonly Mute[]> = refined(list(mute, 1000), (all, place) => {
  const seen = new Map<string, number>()
  for (const [n, { name }] of all.entries()) {
    const first = seen.get(name)
    if (first === undefined) seen.set(name, n)
    else
      place
        .at(n)
        .at('name')
        .again(`a second mute with the name ${name}; give each its own name`, place.at(first).at('name').path)
  }
})

export interface Mutable {
  readonly rule: string
  readonly node: string
  readonly metric: string | null
}

/** The name of the first mute that is about it and holds at `time`. */
export type Muting = (what: Mutable, time: number) => string | undefined

export function muting(all: readonly Mute[]): Muting {
  const opened = all.map(one => ({ name: one.name, about: aboutOf(one), holds: windowOf(one) }))
  return (what, time) => opened.find(({ about, holds }) => about(what) && holds(time))?.name
}

function aboutOf({ node, rule, metric }: Mute): (what: Mutable) => boolean {
  const [ofNode, ofRule, ofMetric] = [node, rule, metric].map(word => selectsNode({ node: word }))
  return what =>
    ofNode!(what.node) &&
    ofRule!(what.rule) &&
    (metric === undefined || (what.metric !== null && ofMetric!(what.metric)))
}

function windowOf({ from, to, weekly, time_zone }: Mute): (time: number) => boolean {
  if (weekly === undefined) return time => time >= from! && time < to!
  const { days, at, for: lasts } = weekly
  const starts = new Map<number, number>()
  const startOf = (date: number): number => {
    const known = starts.get(date)
    if (known !== undefined) return known
    const start = instantOf(date + at * 60_000, time_zone)
    if (starts.size >= 100) starts.clear()
    starts.set(date, start)
    return start
  }
  return time => {
    const today = Math.floor(time / day) * day
    // Its date may be one later where the zone is ahead of UTC.
    for (let date = today + day; date >= today - lasts - day; date -= day) {
      if (!days.includes(weekdays[new Date(date).getUTCDay()]!)) continue
      const start = startOf(date)
      if (time >= start && time < start + lasts) return true
    }
    return false
  }
}

/** When a zone's clocks show `local`, which is written as if it were UTC; where they never do, when they have gone past it. */
export function instantOf(local: number, zone: string): number {
  const before = local - offsetAt(local - day, zone)
  const after = local - offsetAt(local + day, zone)
  const fitting = [before, after].filter(time => time + offsetAt(time, zone) === local)
  if (fitting.length > 0) return Math.min(...fitting)
  // In the gap: the offset from before leads as far past the change as the clock time lies past it.
  return changeBetween(Math.min(before, after) - day, Math.max(before, after) + day, zone)
}

/** The moment of the one change of the clocks in between, by halving. */
function changeBetween(low: number, high: number, zone: string): number {
  const old = offsetAt(low, zone)
  let [from, to] = [low, high]
  while (to - from > 1) {
    const middle = Math.floor((from + to) / 2)
    if (offsetAt(middle, zone) === old) from = middle
    else to = middle
  }
  return to
}
