// A node, or a series of a node that goes on speaking, from which nothing comes any more.

import { type Severity, severities } from '../../core/model.ts'
import { duration, object, oneOf, optional, type Place, refined, text } from '../../core/shape.ts'
import type { Detector, DetectorType, Verdict } from '../detector.ts'
import { node, type Selection, selectsNode, selectsSeries, where } from '../select.ts'

export interface SilenceOptions extends Selection {
  /** Absent: the node as a whole, one finding for it. Given: each series of this metric. */
  readonly metric: string | undefined
  /** How long it may be quiet, ms; by default what it usually is, five times over, and at least 30 s. */
  readonly after: number | undefined
  readonly severity: Severity
}

export interface SilenceState {
  /** Time of the newest sample. */
  last: number | null
  /** The usual time between two, ms. */
  usual: number
  /** Intervals seen. */
  learned: number
  since: number | null
}

const leastQuiet = 30_000
/** Until enough intervals were seen to know what is usual. */
const quietWhileLearning = 300_000
const learnedEnough = 3
const patience = 5
/** Weight of one new interval in the usual one. */
const weight = 1 / 8

const options = refined(
  object({
    metric: optional(text),
    where,
    node,
    after: optional(duration(1000)),
    severity: optional(oneOf(severities), 'error'),
  }),
  (value, place: Place) => {
    if (value.where !== undefined && value.metric === undefined) place.at('where').wrong('where needs a metric')
  },
)

function open(o: SilenceOptions): Detector<SilenceState> {
  const scope = o.metric === undefined ? 'node' : 'series'
  const ofNode = selectsNode(o)
  const ofSeries = selectsSeries(o)
  return {
    scope,
    severity: o.severity,
    watches: (name, series) => (series === undefined ? ofNode(name) : ofSeries(name, series)),
    start: () => ({ last: null, usual: 0, learned: 0, since: null }),
    step,
    idle: (state, now) => idle(state, now, o.after ?? usualQuiet(state), scope),
    setBack(state, time) {
      state.last = time
      state.since = null
    },
  }
}

function step(state: SilenceState, time: number): Verdict {
  if (state.last !== null && time > state.last) learn(state, time - state.last)
  state.last = time
  if (state.since === null) return undefined
  state.since = null
  return { until: time }
}

/** One long pause must not teach that long pauses are usual. */
function learn(state: SilenceState, interval: number): void {
  state.learned++
  if (state.learned === 1) state.usual = interval
  else state.usual += (Math.min(interval, 4 * state.usual) - state.usual) * weight
}

function usualQuiet({ usual, learned }: SilenceState): number {
  const least = learned < learnedEnough ? quietWhileLearning : leastQuiet
  return Math.max(least, patience * usual)
}

function idle(state: SilenceState, now: number, after: number, scope: Detector<SilenceState>['scope']): Verdict {
  if (state.last === null || state.since !== null || now - state.last < after) return undefined
  state.since = state.last
  const usual = state.usual / 1000
  const habit = state.learned < learnedEnough ? '' : `; usually something comes every ${Number(usual.toPrecision(2))} s`
  const what = scope === 'node' ? 'nothing has come from it' : 'no sample has come while its node goes on'
  const message = `${what} since ${new Date(state.last).toISOString()}${habit}`
  return { since: state.since, message, evidence: { after_s: after / 1000, usual_s: usual } }
}

export const silence: DetectorType<SilenceOptions> = { name: 'silence', options, open }
