// What each source says of its own readings, as it arrived at the collector.

import type { History } from '../../collector/store/history.ts'

export interface Readings {
  /** Readings made and ticks that passed between them. */
  readonly expected: number
  readonly made: number
  /** Told as skipped (`fieldline.source.skipped`) within the time. */
  readonly skipped: number
  /** Passed without being read, and without a word of it. */
  readonly untold: number
  readonly failed: number
  readonly duration_p50_ms: number
  readonly duration_max_ms: number
  /** How long after their ticks they began, of those that were 20 ms late or more; else 0. */
  readonly lateness_ms: readonly number[]
}

/** `intervals`: ms between the readings of each source. */
export function readingsOf(
  history: History,
  node: string,
  intervals: ReadonlyMap<string, number>,
  from: number,
  to: number,
): ReadonlyMap<string, Readings> {
  const told = (what: string, source: string, since = from) => {
    const refs = history.find({ node, name: `fieldline.source.${what}`, attributes: { source } })
    return refs.map(ref => history.range(ref, since, to))[0] ?? { times: [], values: [] }
  }
  const one = (source: string, interval: number): Readings => {
    const { times, values } = told('success', source)
    const passed = gaps(times, interval)
    const before = told('skipped', source, 0)
    const skipped = Math.max(0, ...before.values) - Math.max(0, ...valuesUntil(before, times[0] ?? from))
    const took = [...told('duration', source).values].map(s => s * 1000).sort((a, b) => a - b)
    return {
      expected: times.length + passed,
      made: times.length,
      skipped,
      untold: Math.max(0, passed - skipped),
      failed: values.filter(v => v === 0).length,
      duration_p50_ms: round(quantile(took, 0.5)),
      duration_max_ms: round(quantile(took, 1)),
      lateness_ms: [...times].map(time => time % interval),
    }
  }
  // Those that hand on what a program tells, as it tells it, have no ticks to miss, and tell no duration.
  const polled = [...intervals].filter(([source]) => told('duration', source).times.length > 0)
  return new Map(polled.map(([source, interval]) => [source, one(source, interval)]))
}

/** As agent/metronome.ts counts them, who knows the moments themselves; what is dated to its tick began up to 20 ms off. */
function gaps(times: ArrayLike<number>, interval: number): number {
  const passed = Array.from(times, (time, n) => (n === 0 ? 1 : Math.floor((time - times[n - 1]!) / interval + 0.2)))
  return passed.reduce((sum, ticks) => sum + Math.max(0, ticks - 1), 0)
}

function valuesUntil({ times, values }: { times: ArrayLike<number>; values: ArrayLike<number> }, to: number): number[] {
  return Array.from(values).filter((_, n) => times[n]! <= to)
}

/** Of rising values; NaN of none. */
export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN
}

export function round(value: number): number {
  return Number(value.toFixed(2))
}
