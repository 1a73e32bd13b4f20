// What is healthy, learned and kept, and when it has risen from there. What is healthy follows a fall (bearings run in);
// a rise is wear, unless too little was learned yet, or it only comes back to what was healthy before.

import {
  another,
  deviation,
  drop,
  enough,
  few,
  leastLearned,
  leastSpread,
  levelNow,
  type RulState,
  vote,
  weigh,
} from './rul-state.ts'

/** Takes one look at a machine that is healthy as far as known; true: it is worn, since `up.since`. */
export function watchHealthy(state: RulState, time: number, level: number, weight: number): boolean {
  if (state.learned === 0) return settleAt(state, weight)
  if (levelNow(state) - state.healthy > another) return learnAnew(state)
  weigh(state.up, level - reference(state), state, time, weight)
  weigh(state.down, state.healthy - level, state, time, weight)
  if (state.down.sum === 0) state.fallen = state.falls = 0
  state.fallen += level * weight
  state.falls += weight
  if (state.up.sum < vote) learn(state, level, weight)
  if (state.down.sum >= enough) follow(state)
  if (state.up.sum < enough) return false
  return state.learned < leastLearned ? learnAnew(state) : true
}

/** The first few together are the first level. */
function settleAt(state: RulState, weight: number): false {
  if (state.recent.length < few) return false
  return learnFrom(state, levelNow(state), few * weight)
}

function learnAnew(state: RulState): false {
  state.spread = 0
  state.former = null
  return learnFrom(state, levelNow(state), few)
}

function learnFrom(state: RulState, level: number, looks: number): false {
  state.healthy = level
  state.learned = looks
  state.fallen = state.falls = 0
  drop(state.up)
  drop(state.down)
  return false
}

/** Each look counts as much as any before it, so that slow wear cannot take what is healthy along. */
function learn(state: RulState, level: number, weight: number): void {
  const far = 2 * deviation(state)
  const away = level - state.healthy
  state.learned += weight
  state.healthy += (Math.min(far, Math.max(-far, away)) * weight) / state.learned
  const distance = Math.min(Math.abs(away), 3 * Math.max(state.spread, leastSpread))
  state.spread += ((distance - state.spread) * weight) / Math.max(state.learned, 20)
  if (state.former !== null && state.learned >= state.former.learned) state.former = null
}

function follow(state: RulState): void {
  const { healthy, learned, former } = state
  if (former === null || former.learned < learned) state.former = { healthy, learned }
  learnFrom(state, state.fallen / state.falls, state.falls)
}

/** Until the new level has lasted as long as the former did, coming back to that is no wear: it ran with less load. */
function reference({ healthy, former }: RulState): number {
  return former === null ? healthy : Math.max(healthy, former.healthy)
}
