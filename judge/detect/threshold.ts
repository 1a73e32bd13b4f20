// A value beyond a limit for some time. Counters are judged by their rate per second, and with `per` every series by how
// fast it changes.

import type { Series, Severity } from '../../core/model.ts'
import { severities } from '../../core/model.ts'
import { duration, number, object, oneOf, optional, type Place, refined } from '../../core/shape.ts'
import type { Detector, DetectorType, Verdict } from '../detector.ts'
import { metric, node, type Selection, selectsSeries, where } from '../select.ts'

export interface ThresholdOptions extends Selection {
  readonly metric: string
  /** One of the two. */
  readonly above: number | undefined
  readonly below: number | undefined
  /** The level at which it is over; by default the limit itself. */
  readonly clear: number | undefined
  /** Given: its change in so long is judged, ms. */
  readonly per: number | undefined
  /** How long it must last, ms. Two readings beyond the limit count as beyond it in between. */
  readonly for: number
  readonly severity: Severity
}

export interface ThresholdState {
  readonly counter: boolean
  /** The sample before, where the rate is judged. */
  time: number | null
  value: number
  /** Since when it is beyond the limit. */
  since: number | null
  /** It has been said. */
  said: boolean
}

const second = 1000

const options = refined(
  object({
    metric,
    where,
    node,
    above: optional(number),
    below: optional(number),
    clear: optional(number),
    per: optional(duration()),
    for: optional(duration(0), 0),
    severity: optional(oneOf(severities), 'warning'),
  }),
  checkLevels,
)

function checkLevels({ above, below, clear }: Omit<ThresholdOptions, 'metric'>, place: Place): void {
  if ((above === undefined) === (below === undefined)) place.wrong('a threshold needs either above or below')
  else if (clear === undefined) return
  else if (above !== undefined && clear > above) place.at('clear').wrong('clear must not be higher than above')
  else if (below !== undefined && clear < below) place.at('clear').wrong('clear must not be lower than below')
}

function open(o: ThresholdOptions): Detector<ThresholdState> {
  const judge = judgeLevel(o)
  const per = o.per ?? second
  return {
    scope: 'series',
    severity: o.severity,
    watches: watching(selectsSeries(o)),
    start: series => ({ counter: series?.kind === 'counter', time: null, value: 0, since: null, said: false }),
    step(state, time, value) {
      if (!state.counter && o.per === undefined) return judge(state, time, value)
      const rate = rateOf(state, time, value, per)
      return rate === undefined ? undefined : judge(state, time, rate)
    },
  }
}

function watching(selects: (node: string, series: Series) => boolean) {
  return (name: string, series: Series | undefined): boolean => series !== undefined && selects(name, series)
}

/** Per `per` since the sample before; undefined at the first, at a counter's reset, and where no time has passed. */
function rateOf(state: ThresholdState, time: number, value: number, per: number): number | undefined {
  const { time: before, value: last } = state
  if (before !== null && time <= before) return undefined
  state.time = time
  state.value = value
  if (before === null || (state.counter && value < last)) return undefined
  const rate = ((value - last) / (time - before)) * per
  return Number.isFinite(rate) ? rate : undefined
}

function judgeLevel(o: ThresholdOptions): (state: ThresholdState, time: number, value: number) => Verdict {
  const { above, below } = o
  const limit = above ?? below ?? 0
  const sign = above === undefined ? -1 : 1
  const clear = o.clear ?? limit
  const name = above === undefined ? 'below' : 'above'
  return (state, time, value) => {
    const beyond = (value - limit) * sign > 0
    if (state.said) return (value - clear) * sign > 0 ? undefined : over(state, time)
    if (!beyond) state.since = null
    else state.since ??= time
    if (state.since === null || time - state.since < o.for) return undefined
    state.said = true
    const lasting = o.for === 0 ? '' : ` for ${o.for / 1000} s`
    const message = `${o.metric}${rateWord(o, state)} is ${plain(value)}, ${name} ${limit}${lasting}`
    return { since: state.since, message, evidence: { value, [name]: limit, for_s: o.for / 1000 } }
  }
}

function over(state: ThresholdState, time: number): Verdict {
  state.said = false
  state.since = null
  return { until: time }
}

function rateWord({ per }: ThresholdOptions, { counter }: ThresholdState): string {
  if (per === undefined || per === second) return counter || per === second ? ' per second' : ''
  return ` per ${per / second} s`
}

function plain(value: number): string {
  return String(Number(value.toPrecision(4)))
}

export const threshold: DetectorType<ThresholdOptions> = { name: 'threshold', options, open }
