// What a rule at the edge waits for: a value beyond a limit, changing too fast, or missing; and all or any of several such.

import {
  duration,
  type Fields,
  isMap,
  list,
  number,
  object,
  optional,
  type Place,
  refined,
  type Shape,
  text,
} from '../core/shape.ts'
import { metric, type Selection, where } from './select.ts'

/** It holds where it holds for one of the series that it fits. */
export interface Leaf extends Selection {
  readonly metric: string
  /** The configured name of the source the series comes from; absent: any. */
  readonly source: string | undefined
  /** One of the three. */
  readonly above: number | undefined
  readonly below: number | undefined
  /** No value came for so long, ms. */
  readonly silent_for: number | undefined
  /** The level at which it is over; by default the limit itself. */
  readonly clear: number | undefined
  /** Given: its change in so long is judged, ms; counters are judged by their rate a second in any case. */
  readonly per: number | undefined
  /** How long it must have held, ms. */
  readonly for: number
}

export interface Group {
  readonly of: 'all' | 'any'
  readonly parts: readonly Condition[]
  readonly for: number
}

export type Condition = Leaf | Group

const most = 100
const lasting = optional(duration(0), 0)

const leaf = refined(
  object(
    {
      source: optional(text),
      metric,
      where,
      above: optional(number),
      below: optional(number),
      silent_for: optional(duration(100)),
      clear: optional(number),
      per: optional(duration()),
      for: lasting,
    },
    'a condition',
  ),
  checkLeaf,
)

function checkLeaf({ metric, above, below, silent_for, clear, per }: Leaf, place: Place): void {
  const given = [above, below, silent_for].filter(limit => limit !== undefined)
  if (given.length !== 1) place.wrong(`${metric}: a condition needs one of above, below and silent_for`)
  if (silent_for !== undefined && (clear ?? per) !== undefined)
    place.wrong(`${metric}: clear and per go with above or below, not with silent_for`)
  if (above !== undefined && clear !== undefined && clear > above)
    place.at('clear').wrong(`${metric}: clear must not be higher than above`)
  if (below !== undefined && clear !== undefined && clear < below)
    place.at('clear').wrong(`${metric}: clear must not be lower than below`)
}

/** A condition, or `all` or `any` of a list of them. */
export const condition: Shape<Condition> = {
  expects: `${leaf.expects}; or all or any with a list of such`,
  read(raw, place) {
    if (!isMap(raw) || !('all' in raw || 'any' in raw)) return leaf.read(raw, place)
    const of = 'all' in raw ? 'all' : 'any'
    const read = group(of).read(raw, place)
    return { of, parts: read?.[of] ?? [], for: read?.for ?? 0 }
  },
}

function group<const K extends 'all' | 'any'>(of: K) {
  const parts: Shape<readonly Condition[]> = refined(list(condition, most), (value, place) => {
    if (value.length === 0) place.wrong('name at least one condition')
  })
  return object(
    { [of]: parts, for: lasting } as Fields & Record<K, typeof parts> & { for: typeof lasting },
    'conditions',
  )
}

export function isGroup(condition: Condition): condition is Group {
  return 'parts' in condition
}

/** Every single condition of the tree, with its place below `place`. */
export function* leaves(condition: Condition, place: Place): Generator<{ readonly leaf: Leaf; readonly place: Place }> {
  if (!isGroup(condition)) yield { leaf: condition, place }
  else for (const [n, part] of condition.parts.entries()) yield* leaves(part, place.at(condition.of).at(n))
}
