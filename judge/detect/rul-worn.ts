// A machine that is worn: whether it has been mended, or has only come to another level for good; and when there is news
// of how long it lasts.

import type { Verdict } from '../detector.ts'
import { type Forecast, forecast, isAtLimit } from './rul-forecast.ts'
import { byCalendar, sayWorn } from './rul-said.ts'
import { drop, enough, leastLearned, levelNow, look, type RulState, slight, step, weigh } from './rul-state.ts'

/** What has not risen by another half a step for half a year is how it runs now. */
const settled = 180 * 86_400_000
/** It is told again when the rest of life is another by so much (a third less, half as much again), or becomes known or unknown. */
const news = Math.log(1.5)

/** It is worn since `begun.since`. */
export function beginWear(state: RulState, time: number): Verdict {
  state.since = state.begun.since
  state.sinceRan = state.begun.ran
  state.highest = levelNow(state)
  state.plateau = state.highest
  state.plateauRan = state.ran
  state.risen = state.rises = 0
  state.stopped = false
  drop(state.up)
  drop(state.begun)
  drop(state.down)
  return tell(state, state.since, time, forecast(state))
}

/** One more look at it; `since` is when it began. */
export function watchWorn(state: RulState, since: number, time: number, level: number, weight: number): Verdict {
  const now = levelNow(state)
  state.highest = Math.max(state.highest, now)
  weigh(state.down, slight - (level - state.healthy), state, time, weight, slight)
  if (state.down.sum === 0) {
    state.risen += level * weight
    state.rises += weight
  }
  if (isHealthyAgain(state)) {
    state.former = formerOf(state)
    return end(state, state.down.since)
  }
  if (isSettled(state, now)) {
    state.healthy = now
    return end(state, time)
  }
  const reaches = isAtLimit(state, now) && !isAtLimit(state, state.saidLevel)
  if (!reaches && !mayBeNews(state, now)) return undefined
  const next = forecast(state)
  return reaches || isNews(state, time, next) ? tell(state, since, time, next) : undefined
}

/** It has come back to what is healthy, and stays there for as long as it takes to learn what is. */
function isHealthyAgain({ down, ran, usual }: RulState): boolean {
  return down.sum >= enough && ran - down.ran >= leastLearned * Math.max(look, usual)
}

/** Nobody mends a machine while it runs: what comes back without a stop was load, and is no wear when it comes again. */
function formerOf({ stopped, rises, risen, learned, former }: RulState): RulState['former'] {
  if (stopped) return null
  const level = rises > 0 ? risen / rises : Number.NEGATIVE_INFINITY
  return former !== null && former.level > level ? former : { level, looks: learned + rises }
}

function isSettled(state: RulState, now: number): boolean {
  if (now - state.plateau > step / 2) {
    state.plateau = now
    state.plateauRan = state.ran
  }
  return state.ran - state.plateauRan > settled
}

export function end(state: RulState, until: number): Verdict {
  state.since = null
  state.due = null
  state.fallen = state.falls = 0
  drop(state.up)
  drop(state.begun)
  drop(state.down)
  return { until }
}

/** Not before the rise has grown older by a tenth, or by half a step. */
function mayBeNews({ ran, sinceRan, saidAge, saidLevel }: RulState, now: number): boolean {
  return ran - sinceRan > 1.1 * saidAge || Math.abs(now - saidLevel) > step / 2
}

function isNews(state: RulState, time: number, { at, groundless }: Forecast): boolean {
  if (state.due === null || groundless !== undefined) return (state.due === null) !== (groundless !== undefined)
  const left = Math.max(1, state.due - time)
  return Math.abs(Math.log(Math.max(1, byCalendar(state, at)) / left)) > news
}

function tell(state: RulState, since: number, time: number, next: Forecast): Verdict {
  state.saidAge = state.ran - state.sinceRan
  state.saidLevel = levelNow(state)
  state.due = next.groundless === undefined ? time + byCalendar(state, next.at) : null
  return { since, ...sayWorn(state, time, next) }
}
