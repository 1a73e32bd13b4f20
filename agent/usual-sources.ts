// Every source that goes without options: what there is to read on a host of which nothing is known.

import { Place } from '../core/shape.ts'
import { sources } from './sources/index.ts'

export interface UsualSource {
  readonly type: string
  /** Absent where the source's own default holds. */
  readonly interval?: string
}

/** A source that usually reads less often than this, ms, has its reasons: it wakes a device, or starts a program. */
const often = 10_000

/** `interval` as in a configuration: `1s`. */
export function usualSources(interval: string): readonly UsualSource[] {
  return sources.flatMap(({ name, options }) => {
    const usual = valid(options.read, {})
    if (usual === undefined) return []
    const asked = valid(options.read, { interval })
    return usual.interval <= often && asked !== undefined ? [{ type: name, interval }] : [{ type: name }]
  })
}

/** The options, if nothing is wrong with them. */
function valid(read: (raw: unknown, place: Place) => unknown, raw: unknown): { readonly interval: number } | undefined {
  const place = new Place()
  const options = read(raw, place)
  return place.problems.length === 0 ? (options as { readonly interval: number }) : undefined
}
