// Every source that goes without options: what there is to read on a host of which nothing is known.

import { Place } from '../core/shape.ts'
import { sources } from './sources/index.ts'

export interface UsualSource {
  readonly type: string
  /** Absent where the source does not read as often as that: its own default holds. */
  readonly interval?: string
}

/** `interval` as in a configuration: `1s`. */
export function usualSources(interval: string): readonly UsualSource[] {
  return sources.flatMap(({ name, options }) => {
    const fits = (raw: Readonly<Record<string, unknown>>): boolean => {
      const place = new Place()
      options.read(raw, place)
      return place.problems.length === 0
    }
    if (fits({ interval })) return [{ type: name, interval }]
    return fits({}) ? [{ type: name }] : []
  })
}
