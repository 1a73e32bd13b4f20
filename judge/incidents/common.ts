// Whether many hosts break one rule at the same moment: then its cause lies beyond each of them, in what they share without
// telling of it (a network, a deployment, a power line). Three incidents within a minute are many, but not where a rule is
// told that often in usual minutes: five times the usual is needed there.

/** What is remembered of a rule: plain data, bounded. */
export interface RuleState {
  /** The incident of the common cause, while there is one. */
  common: string | null
  /** Who broke it lately: an entry an incident, and of the common one an entry a host. */
  recent: Breach[]
  /** Incidents in a usual minute. */
  usual: number
  /** Minutes seen; the minute in hand, and how many it had. */
  minutes: number
  minute: number
  count: number
}

export interface Breach {
  readonly incident: string
  readonly host: string
  since: number
}

/** ms */
export const moment = 60_000
const timesUsual = 5
/** What is usual is of about an hour, minutes; it begins as if so many calm ones had been seen. */
const longMemory = 60
const shortMemory = 10
/** Times the least that is many: what is usual is not learned beyond that. */
const mostUsual = 2

export function newRuleState(): RuleState {
  return { common: null, recent: [], usual: 0, minutes: 0, minute: 0, count: 0 }
}

/** So many at one moment are too many for chance. */
export function many({ usual }: RuleState, least: number): number {
  return Math.max(least, Math.ceil(timesUsual * usual))
}

/** Gives the incident that another became a part of. */
export type Alive = (id: string) => string

/** Notes who broke the rule. */
export function noteBreach(state: RuleState, breach: Breach, least: number, alive: Alive): void {
  const isCommon = state.common !== null && breach.incident === alive(state.common)
  const known = state.recent.findIndex(
    ({ incident, host }) => (isCommon ? host === breach.host : true) && alive(incident) === breach.incident,
  )
  if (known < 0) countMinute(state, breach.since, least)
  else state.recent.splice(known, 1)
  state.recent.push(breach)
  if (state.recent.length > timesUsual * mostUsual * least) state.recent.shift()
}

/** A minute counts so much at most that one storm does not pass for what is usual. */
function countMinute(state: RuleState, since: number, least: number): void {
  const minute = Math.floor(since / moment)
  if (minute > state.minute) {
    const calm = state.minutes === 0 ? 0 : Math.min(minute - state.minute - 1, longMemory)
    const weight = 1 / Math.min(longMemory, state.minutes + shortMemory)
    state.usual =
      (state.usual + (Math.min(state.count, mostUsual * least) - state.usual) * weight) * (1 - weight) ** calm
    state.minutes = Math.min(longMemory, state.minutes + calm + 1)
    state.minute = minute
    state.count = 0
  }
  state.count++
}

/** The incidents that broke the rule within a moment of `time`. */
export function breakersAt({ recent }: RuleState, time: number, alive: Alive): ReadonlySet<string> {
  const found = new Set<string>()
  for (const { incident, since } of recent) if (Math.abs(since - time) <= moment) found.add(alive(incident))
  return found
}

/** Whether so many hosts of the common incident broke it within a moment of `time` that one more is no chance. */
export function goesOn(state: RuleState, time: number, least: number, alive: Alive): boolean {
  if (state.common === null) return false
  const enough = many(state, least)
  const common = alive(state.common)
  let hosts = 0
  // The newest are last, and each host of the common incident stands there once.
  for (let n = state.recent.length - 1; n >= 0 && hosts < enough; n--) {
    const { incident, since } = state.recent[n]!
    if (Math.abs(since - time) <= moment && alive(incident) === common) hosts++
  }
  return hosts >= enough
}
