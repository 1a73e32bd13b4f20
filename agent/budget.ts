// How often something may be done: at most so many times within any stretch of a length. Pure; the caller keeps the times.

import { parseDuration, type Shape, shape } from '../core/shape.ts'

export interface Budget {
  readonly most: number
  /** ms */
  readonly within: number
}

/** The longest stretch, ms: whoever keeps times may forget those that are older. */
export const longest = 86_400_000

export function budget(least = 1): Shape<Budget> {
  return shape(`a budget such as 10/1h (at least ${least} in at most 1d)`, raw => {
    const m = typeof raw === 'string' ? /^(\d{1,6})\s*\/\s*(.+)$/.exec(raw) : null
    const most = Number(m?.[1])
    const within = parseDuration(m?.[2])
    return within !== undefined && within > 0 && within <= longest && most >= least ? { most, within } : undefined
  })
}

/** How many more times now; `times` are those when it was done. */
export function left({ most, within }: Budget, times: readonly number[], now: number): number {
  // A clock that was set back must not make what is done count for longer than the stretch.
  return most - times.filter(time => Math.abs(now - time) < within).length
}
