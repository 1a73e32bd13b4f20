// One feature of one bearing through the detector as the collector runs it: one sample at a time, forwards only.

import { Place } from '../../core/shape.ts'
import { remainingUsefulLife as detector } from '../../judge/detect/remaining-useful-life.ts'
import { type EndLevel, type Forecast, forecast } from '../../judge/detect/rul-forecast.ts'
import { levelNow, type RulState } from '../../judge/detect/rul-state.ts'
import type { Bearing } from './data.ts'

export interface Run {
  readonly bearing: string
  readonly times: readonly number[]
  readonly values: readonly number[]
  /** Row at which the onset that stands at the end was told, and since when it says it is worn; absent: none. */
  readonly told: number | undefined
  readonly since: number | undefined
  /** Onsets told and taken back before the end. */
  readonly falseOnsets: number
  /** ln of the level at the end, above healthy. */
  readonly rise: number
}

/** A moment after onset. */
export interface Moment {
  readonly run: Run
  /** Of the time between onset told and end. */
  readonly share: number
  readonly row: number
  /** What is truly left, ms. */
  readonly left: number
  readonly state: RulState
}

export function replay(bearing: Bearing, feature: string): Run {
  const { times } = bearing
  const values = bearing.features.get(feature)!
  let [told, since, falseOnsets]: [number | undefined, number | undefined, number] = [undefined, undefined, 0]
  const state = feed(times, values, feature, (row, verdict) => {
    if (verdict === undefined) return
    if ('until' in verdict) {
      falseOnsets++
      told = since = undefined
    } else {
      told ??= row
      since = verdict.since
    }
  })
  return { bearing: bearing.name, times, values, told, since, falseOnsets, rise: levelNow(state) - state.healthy }
}

/** The run again, stopped at the shares of the time between onset and end. */
export function moments(run: Run, feature: string, shares: readonly number[]): readonly Moment[] {
  const { told, times, values } = run
  if (told === undefined) return []
  const end = times.at(-1)!
  return shares.flatMap(share => {
    const moment = times[told]! + share * (end - times[told]!)
    const row = times.findLastIndex(time => time <= moment)
    const left = end - times[row]!
    if (left <= 0) return []
    const state = feed(times.slice(0, row + 1), values, feature) as RulState
    return [{ run, share, row, left, state }]
  })
}

export function foretold({ state }: Moment, end?: EndLevel): Forecast {
  return end === undefined ? forecast(state) : forecast(state, end)
}

type Verdict = ReturnType<ReturnType<typeof detector.open>['step']>

function feed(
  times: readonly number[],
  values: readonly number[],
  metric: string,
  hear: (row: number, verdict: Verdict) => void = () => undefined,
): RulState {
  const judge = detector.open(detector.options.read({ metric }, new Place()))
  const state = judge.start({ name: metric, unit: '', kind: 'gauge', attributes: {} }) as RulState
  times.forEach((time, row) => {
    const value = values[row]!
    if (Number.isFinite(value)) hear(row, judge.step(state, time, value))
  })
  return state
}
