// What `remaining-useful-life` remembers of one series, and the few constants it judges by. Levels are natural logarithms:
// wear multiplies.

export interface RulState {
  /** ln of the level at which it is worn out; null: relative to what is healthy. */
  readonly limit: number | null
  readonly unit: string
  /** Of the newest sample, ms since 1970. */
  time: number | null
  /** The usual time between two, ms. */
  usual: number
  /** How long it was watched, how long of that it ran, and how long it has stood still by now, ms. */
  seen: number
  ran: number
  stood: number
  /** The newest levels, running. */
  recent: number[]
  /** When healthy: the level, its mean distance from it, and how many looks that rests on. */
  healthy: number
  spread: number
  learned: number
  /** What was healthy before it fell to what is healthy now; null where that is forgotten. */
  former: { readonly healthy: number; readonly learned: number } | null
  /** Evidence, in nats, that it has risen or fallen by a step, and since when. */
  readonly up: Evidence
  readonly down: Evidence
  /** Of what speaks for `down`: sum of levels and how many. */
  fallen: number
  falls: number
  /** Since when it is worn; null: it is healthy. How long it had run by then. */
  since: number | null
  sinceRan: number
  /** The highest it was since. */
  highest: number
  /** Where it stays, and how long it had run when it came there. */
  plateau: number
  plateauRan: number
  /** When it was last said to be worn out; null: that it is unknown. */
  due: number | null
}

export interface Evidence {
  sum: number
  since: number
  ran: number
}

/** A step of the severity scale of ISO 2372: vibration severities are told in ranges of 1 : 1.6 (4 dB). */
export const step = Math.log(1.6)
/** So many looks at noise without memory pass between two false onsets, on average at least (Lorden 1971). */
export const enough = Math.log(1e6)
/** One look counts for so much at most: a knock, or four, is no wear. */
export const vote = enough / 5
/** Looks nearer to each other than that count for less: they see the same. */
export const look = 10_000
/** Before so many looks there is nothing to compare with. */
export const leastLearned = 60
/** No feature of a running machine is steadier. */
export const leastSpread = 0.1
/** A quarter of what is healthy: it stands, or turns without load. */
export const standstill = -Math.log(4)
/** No machine has thirtyfold vibration from one look to the next and goes on: what was learned was not it, running. */
export const another = Math.log(30)
export const few = 5

export function begin(limit: number | null, unit: string): RulState {
  return {
    limit,
    unit,
    time: null,
    usual: 0,
    seen: 0,
    ran: 0,
    stood: 0,
    recent: [],
    healthy: 0,
    spread: 0,
    learned: 0,
    former: null,
    up: { sum: 0, since: 0, ran: 0 },
    down: { sum: 0, since: 0, ran: 0 },
    fallen: 0,
    falls: 0,
    since: null,
    sinceRan: 0,
    highest: 0,
    plateau: 0,
    plateauRan: 0,
    due: null,
  }
}

/** The middle of the last few levels: two knocks among five do not move it. */
export function levelNow({ recent }: RulState): number {
  return recent.toSorted((a, b) => a - b)[recent.length >> 1] ?? 0
}

/** Standard deviation of the healthy level, as if it were normal. */
export function deviation({ spread }: RulState): number {
  return Math.max(leastSpread, 1.25 * spread)
}

/**
 * Adds what one look says for a level one step higher than the reference against the reference (the logarithm of the
 * ratio of normal likelihoods), down to nothing: Page's cumulative sum. `excess` is the level above the reference.
 */
export function weigh(evidence: Evidence, excess: number, state: RulState, time: number, weight: number): void {
  if (evidence.sum === 0) {
    evidence.since = time
    evidence.ran = state.ran
  }
  const nats = (step * (excess - step / 2)) / deviation(state) ** 2
  evidence.sum = Math.max(0, evidence.sum + weight * Math.min(vote, Math.max(-vote, nats)))
}

export function drop(evidence: Evidence): void {
  evidence.sum = 0
}
