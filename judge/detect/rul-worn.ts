// A machine that is worn: whether it has been mended, or has only come to another level for good; and when there is news
// of how long it lasts.

import type { Verdict } from '../detector.ts'
import { type Forecast, forecast } from './rul-forecast.ts'
import { byCalendar, sayWorn } from './rul-said.ts'
import { drop, enough, leastLearned, levelNow, look, type RulState, step, weigh } from './rul-state.ts'

/** What stays for half a year within half a step up or down is how it runs now. */
const settled = 180 * 86_400_000
/** It is told again when the rest of life is another by so much (a third less, half as much again), or becomes known or unknown. */
const news = Math.log(1.5)

/** It is worn since `up.since`. */
export function wearOff(state: RulState, time: number): Verdict {
  state.since = state.up.since
  state.sinceRan = state.up.ran
  state.highest = levelNow(state)
  state.plateau = state.highest
  state.plateauRan = state.ran
  drop(state.up)
  drop(state.down)
  return tell(state, state.since, time, forecast(state))
}

/** One more look at it; `since` is when it began. */
export function watchWorn(state: RulState, since: number, time: number, level: number, weight: number): Verdict {
  const now = levelNow(state)
  state.highest = Math.max(state.highest, now)
  weigh(state.down, step - (level - state.healthy), state, time, weight)
  if (isMended(state)) return end(state, state.down.since)
  if (isSettled(state, now)) {
    state.healthy = state.plateau
    return end(state, time)
  }
  const next = forecast(state)
  return isNews(state, time, next) ? tell(state, since, time, next) : undefined
}

/** It has come back to what is healthy, and stays there for as long as it takes to learn what is. */
function isMended({ down, ran, usual }: RulState): boolean {
  return down.sum >= enough && ran - down.ran >= leastLearned * Math.max(look, usual)
}

function isSettled(state: RulState, now: number): boolean {
  if (Math.abs(now - state.plateau) > step / 2) {
    state.plateau = now
    state.plateauRan = state.ran
  }
  return state.ran - state.plateauRan > settled
}

function end(state: RulState, until: number): Verdict {
  state.since = null
  state.due = null
  state.fallen = state.falls = 0
  drop(state.up)
  drop(state.down)
  return { until }
}

function isNews(state: RulState, time: number, { at, groundless }: Forecast): boolean {
  if (state.due === null || groundless !== undefined) return (state.due === null) !== (groundless !== undefined)
  const left = Math.max(1, state.due - time)
  return Math.abs(Math.log(Math.max(1, byCalendar(state, at)) / left)) > news
}

function tell(state: RulState, since: number, time: number, next: Forecast): Verdict {
  state.due = next.groundless === undefined ? time + byCalendar(state, next.at) : null
  return { since, ...sayWorn(state, time, next) }
}
