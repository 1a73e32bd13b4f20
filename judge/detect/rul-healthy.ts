// What is healthy, learned and kept, and when it has risen from there. What is healthy follows a fall (bearings run in, or
// run with less load); a rise is wear, unless too little was learned yet, or it only comes back to where it ran before.

import {
  another,
  drop,
  enough,
  few,
  leastLearned,
  leastSpread,
  levelNow,
  type RulState,
  slight,
  step,
  vote,
  weigh,
} from './rul-state.ts'

/** Takes one look at a machine that is healthy as far as known; true: it is worn, since `begun.since`. */
export function watchHealthy(state: RulState, time: number, level: number, weight: number): boolean {
  if (state.learned === 0) {
    if (state.recent.length >= few) learnAnew(state)
    return false
  }
  if (levelNow(state) - state.healthy > another) {
    learnAnew(state)
    return false
  }
  weigh(state.up, level - state.healthy, state, time, weight)
  weigh(state.begun, level - state.healthy, state, time, weight, slight)
  weigh(state.down, state.healthy - level, state, time, weight)
  if (state.down.sum === 0) state.fallen = state.falls = 0
  state.fallen += level * weight
  state.falls += weight
  if (state.up.sum < vote) learn(state, level, weight)
  if (state.down.sum >= enough) comeDown(state)
  return state.up.sum >= enough && isWear(state)
}

function isWear(state: RulState): boolean {
  const { former, learned } = state
  if (former !== null && levelNow(state) < former.level + step / 2) {
    state.former = null
    settleAt(state, former.level, former.looks + learned)
    return false
  }
  // Above all that it ever ran at, what it has learned at a higher level counts, too.
  if (learned + (former?.looks ?? 0) >= leastLearned) return true
  learnAnew(state)
  return false
}

function learnAnew(state: RulState): void {
  state.square = state.product = 0
  state.former = null
  settleAt(state, levelNow(state), few)
}

function settleAt(state: RulState, level: number, looks: number): void {
  state.healthy = level
  state.learned = looks
  state.fallen = state.falls = 0
  drop(state.up)
  drop(state.begun)
  drop(state.down)
}

/** Each look counts as much as any before it, so that slow wear cannot take what is healthy along. */
function learn(state: RulState, level: number, weight: number): void {
  const far = 3 * Math.sqrt(Math.max(state.square, leastSpread ** 2))
  const away = Math.min(far, Math.max(-far, level - state.healthy))
  state.learned += weight
  state.healthy += (away * weight) / state.learned
  const share = weight / Math.max(state.learned, 20)
  state.square += (away ** 2 - state.square) * share
  state.product += (away * state.away - state.product) * share
  state.away = away
  if (state.former !== null && state.learned >= state.former.looks) state.former = null
}

function comeDown(state: RulState): void {
  const { healthy, learned, former } = state
  if (former === null || former.level < healthy) state.former = { level: healthy, looks: learned }
  settleAt(state, state.fallen / state.falls, state.falls)
}
