// Random tests print their seed and take it from FIELDLINE_SEED, so that a red run can be had again.

import type { Test } from 'tap'

export interface Random {
  /** Evenly in [0, 1). */
  (): number
  /** A whole number from 0 to n - 1. */
  below(n: number): number
  pick<T>(values: readonly T[]): T
  /** The text cut at either end, or with one character become another. */
  damage(text: string): string
  readonly seed: number
}

export function seeded(t: Pick<Test, 'comment'>): Random {
  const seed = Number(process.env.FIELDLINE_SEED ?? Date.now() % 1e9)
  t.comment(`FIELDLINE_SEED=${seed}`)
  return random(seed)
}

/** mulberry32 by Tommy Ettinger, public domain: 32 bits of state, good enough to choose test cases. */
export function random(seed: number): Random {
  let a = seed
  const next = (): number => {
    a = (a + 0x6d2b79f5) | 0
    let x = Math.imul(a ^ (a >>> 15), 1 | a)
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (n: number): number => Math.floor(next() * n)
  const pick = <T>(values: readonly T[]): T => values[below(values.length)]!
  const damage = (text: string): string => {
    const at = below(text.length)
    const changed = text.slice(0, at) + String.fromCharCode(below(256)) + text.slice(at + 1)
    return pick([text.slice(0, at), changed, text.slice(at)])
  }
  return Object.assign(next, { below, pick, damage, seed })
}
