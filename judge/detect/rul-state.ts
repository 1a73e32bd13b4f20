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
  /** When healthy: the level, the mean square of the distance from it and its product with the next one, and how many looks that rests on. */
  healthy: number
  square: number
  product: number
  learned: number
  /** The distance of the look before. */
  away: number
  /** A higher level at which it ran without harm, until it has run lower for so many looks; null: none, or forgotten. */
  former: { readonly level: number; readonly looks: number } | null
  /** Evidence, in nats, that it has risen or fallen by a step, and since when; and that it has left what is healthy at all. */
  readonly up: Evidence
  readonly begun: Evidence
  readonly down: Evidence
  /** Of what speaks for `down`: sum of levels and how many looks. */
  fallen: number
  falls: number
  /** Since when it is worn; null: it is healthy. How long it had run by then. */
  since: number | null
  sinceRan: number
  /** The highest it was since. */
  highest: number
  /** The level that it last rose to by half a step, and how long it had run by then. */
  plateau: number
  plateauRan: number
  /** Sum of levels and number of looks since, before it began to come back. */
  risen: number
  rises: number
  /** It stood, or was not heard, since. */
  stopped: boolean
  /** When it was last said to be worn out (null: unknown), how old the rise was then, and its level. */
  due: number | null
  saidAge: number
  saidLevel: number
}

export interface Evidence {
  sum: number
  since: number
  ran: number
}

/** A step of the severity scale of ISO 2372: vibration severities are told in ranges of 1 : 1.6 (4 dB). */
export const step = Math.log(1.6)
/** Half of that is no longer healthy: wear began where this was nearer than none, and is gone where none is nearer. */
export const slight = step / 2
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
/** More cannot be told from a level that drifts. */
const mostMemory = 0.98
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
    square: 0,
    product: 0,
    learned: 0,
    away: 0,
    former: null,
    up: { sum: 0, since: 0, ran: 0 },
    begun: { sum: 0, since: 0, ran: 0 },
    down: { sum: 0, since: 0, ran: 0 },
    fallen: 0,
    falls: 0,
    since: null,
    sinceRan: 0,
    highest: 0,
    plateau: 0,
    plateauRan: 0,
    risen: 0,
    rises: 0,
    stopped: false,
    due: null,
    saidAge: 0,
    saidLevel: 0,
  }
}

/** The middle of the last few levels: two knocks among five do not move it. */
export function levelNow({ recent }: RulState): number {
  return recent.toSorted((a, b) => a - b)[recent.length >> 1] ?? 0
}

/**
 * Variance of the healthy level, made so much larger as looks resemble the look before: of noise with that memory (an
 * autoregressive process) a sum of looks varies as much as of noise without memory of this variance.
 */
export function variance({ square, product }: RulState): number {
  const memory = square > 0 ? Math.min(mostMemory, Math.max(0, product / square)) : 0
  return Math.max(leastSpread ** 2, (square * (1 + memory)) / (1 - memory))
}

/**
 * Adds what one look says for a level so much higher than the reference against the reference (the logarithm of the ratio
 * of normal likelihoods), down to nothing: Page's cumulative sum. `excess` is the level above the reference.
 */
export function weigh(
  evidence: Evidence,
  excess: number,
  state: RulState,
  time: number,
  weight: number,
  shift = step,
): void {
  if (evidence.sum === 0) {
    evidence.since = time
    evidence.ran = state.ran
  }
  const nats = (shift * (excess - shift / 2)) / variance(state)
  evidence.sum = Math.min(enough, Math.max(0, evidence.sum + weight * Math.min(vote, Math.max(-vote, nats))))
}

export function drop(evidence: Evidence): void {
  evidence.sum = 0
}
