/** Pauses between attempts: the ceiling doubles from `min` to `max`, and each pause lies between half of it and all of it. */
export interface Backoff {
  /** The next pause, ms. */
  next(): number
  /** After a success: the next pause is short again. */
  reset(): void
}

export interface BackoffLimits {
  /** ms */
  readonly min: number
  /** ms */
  readonly max: number
  /** From 0 up to 1; spreads a fleet that lost the same far end at the same moment. */
  random?(): number
}

export function backoff({ min, max, random = Math.random }: BackoffLimits): Backoff {
  let ceiling = min
  return {
    next() {
      const pause = ceiling * (0.5 + random() / 2)
      ceiling = Math.min(max, ceiling * 2)
      return pause
    },
    reset() {
      ceiling = min
    },
  }
}
