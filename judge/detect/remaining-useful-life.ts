// Wear of a rotating machine, from one feature of its vibration (the RMS before all): since when it rises from what is
// healthy, and when the machine will be worn out, with an interval. See docs/bearings.md.

import { type Series, type Severity, severities } from '../../core/model.ts'
import { object, oneOf, optional, positive } from '../../core/shape.ts'
import type { Detector, DetectorType, Verdict } from '../detector.ts'
import { metric, node, type Selection, selectsSeries, where } from '../select.ts'
import { watchHealthy } from './rul-healthy.ts'
import { begin, few, look, type RulState, standstill } from './rul-state.ts'
import { beginWear, end, watchWorn } from './rul-worn.ts'

export interface RulOptions extends Selection {
  readonly metric: string
  /** The level at which it is worn out, in the unit of the series. */
  readonly limit: number | undefined
  readonly severity: Severity
}

/** Where no limit is given, of velocity in mm/s: from zone C to D for groups 1 (rigid) and 2 (flexible), ISO 20816-3 annex A. */
const zoneD = 7.1
/** A pause is taken for so many usual intervals at most: what happened meanwhile is not known. */
const longestPause = 10
/** It stood for longer than that, and longer than it ever ran: what was learned is of no use. */
const forgotten = 30 * 86_400_000

const options = object({
  metric,
  where,
  node,
  limit: optional(positive),
  severity: optional(oneOf(severities), 'warning'),
})

function open(o: RulOptions): Detector<RulState> {
  const selects = selectsSeries(o)
  return {
    scope: 'series',
    severity: o.severity,
    watches: (name, series) => series !== undefined && series.kind === 'gauge' && selects(name, series),
    start: series => begin(limitOf(o, series), series?.unit ?? ''),
    step,
    setBack,
  }
}

function limitOf({ limit }: RulOptions, series: Series | undefined): number | null {
  if (limit !== undefined) return Math.log(limit)
  return series?.unit === 'mm/s' ? Math.log(zoneD) : null
}

function step(state: RulState, time: number, value: number): Verdict {
  const passed = pass(state, time)
  const level = value > 0 ? Math.log(value) : Number.NEGATIVE_INFINITY
  if (level === Number.NEGATIVE_INFINITY || (state.learned > 0 && level - state.healthy < standstill)) {
    return stand(state, time, passed)
  }
  state.stood = 0
  state.ran += passed
  state.recent.push(level)
  if (state.recent.length > few) state.recent.shift()
  const weight = Math.min(1, passed / look)
  if (state.since !== null) return watchWorn(state, state.since, time, level, weight)
  return watchHealthy(state, time, level, weight) ? beginWear(state, time) : undefined
}

/** How long has passed since the sample before, as far as it is known what happened in it. */
function pass(state: RulState, time: number): number {
  const interval = state.time === null ? 0 : time - state.time
  state.time = time
  if (state.usual === 0) state.usual = interval
  else if (interval > 0) state.usual += (Math.min(interval, 4 * state.usual) - state.usual) / 8
  const passed = Math.min(interval, longestPause * state.usual)
  state.seen += passed
  if (passed < interval) state.stopped = true
  return passed
}

/** It does not run: that is neither wear nor mending. */
function stand(state: RulState, time: number, passed: number): Verdict {
  state.stood += passed
  state.stopped = true
  if (state.stood < forgotten || state.stood < state.ran) return undefined
  const { since, limit, unit, usual } = state
  Object.assign(state, begin(limit, unit), { time, usual })
  return since === null ? undefined : { until: time }
}

/** What is healthy is still known. */
function setBack(state: RulState, time: number): void {
  state.time = time
  end(state, time)
}

export const remainingUsefulLife: DetectorType<RulOptions> = { name: 'remaining-useful-life', options, open }
