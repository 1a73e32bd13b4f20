import type { Test } from 'tap'

export interface Dice {
  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number
  /** One of the given. */
  pick<T>(from: readonly T[]): T
}

/** Random numbers from a seed that the test prints; FIELDLINE_SEED repeats a run. */
export function random(t: Test): Dice {
  const seed = Number(process.env.FIELDLINE_SEED ?? Math.floor(Math.random() * 2 ** 31))
  t.comment(`FIELDLINE_SEED=${seed}`)
  const next = mulberry32(seed)
  const below = (limit: number) => Math.floor(next() * limit)
  return { below, pick: from => from[below(from.length)]! }
}

/** Mulberry32 by Tommy Ettinger, public domain: 32 random bits a step, as a fraction. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let z = state
    z = Math.imul(z ^ (z >>> 15), z | 1)
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61)
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32
  }
}
