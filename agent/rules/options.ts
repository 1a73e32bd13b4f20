// What a configuration says of rules: when, and what is done then and when it is over.

import { nodeName } from '../../core/config-shapes.ts'
import { type Json, severities } from '../../core/model.ts'
import {
  bool,
  duration,
  isMap,
  list,
  matching,
  number,
  object,
  oneOf,
  optional,
  type Place,
  refined,
  type Shape,
  scalar,
  shape,
  text,
} from '../../core/shape.ts'
import { type Condition, condition } from '../../judge/condition.ts'
import { metric, where } from '../../judge/select.ts'
import { type Budget, budget } from '../budget.ts'

/** A topic to publish on; Fieldline's own are no business of a rule. */
const topic = shape('a topic without # and +, and not below fieldline/', raw =>
  typeof raw === 'string' && /^(?!fieldline\/)[^#+\0]{1,500}$/.test(raw) ? raw : undefined,
)
const eventName = matching(
  /^(?!fieldline\.)[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)+$/,
  'a dotted lower-case name such as ward.alarm (fieldline.* is taken)',
)
const value = shape('a value', (raw): Json | undefined => raw as Json)

const kinds = {
  /** Set a register or node, within the limits that the source gives it. */
  write: object({ source: nodeName, to: text, value: scalar }),
  /** Call a method of a device, within what the source lets be called. */
  call: object({ source: nodeName, method: text, arguments: optional(list(value, 100), []) }),
  /** A message to the broker of an uplink; without payload: the rule, whether it holds, and the values. */
  publish: object({ uplink: nodeName, topic, payload: optional(scalar), retain: optional(bool, false) }),
  event: object({
    name: eventName,
    severity: optional(oneOf(severities), 'warning'),
    message: optional(text),
  }),
  /** Copy a series to another device for as long as the rule holds. */
  relay: object({
    metric,
    where,
    from: optional(nodeName),
    source: nodeName,
    to: text,
    scale: optional(number, 1),
    offset: optional(number, 0),
    every: optional(duration(100, 3_600_000), 10_000),
  }),
} as const

type Kinds = { readonly [K in keyof typeof kinds]: ReturnType<(typeof kinds)[K]['read']> }
/** One thing that a rule does. */
export type Deed = { [K in keyof Kinds]: { readonly kind: K } & Kinds[K] }[keyof Kinds]
export type DeedOf<K extends Deed['kind']> = Extract<Deed, { kind: K }>

const names = Object.keys(kinds) as (keyof typeof kinds)[]

const deed: Shape<Deed> = {
  expects: `a map with one of ${names.join(', ')}`,
  read(raw, place) {
    const kind = isMap(raw) && Object.keys(raw).length === 1 ? names.find(name => name in raw) : undefined
    if (kind !== undefined) return { kind, ...kinds[kind].read((raw as Kinds)[kind], place.at(kind)) } as Deed
    place.wrong(`expected ${this.expects}`)
    return { kind: 'event' } as Deed
  },
}

export const starts = ['keep', 'then', 'otherwise'] as const

export interface RuleConfig {
  readonly name: string
  /** Absent: it always holds. */
  readonly when: Condition | undefined
  readonly then: readonly Deed[]
  readonly otherwise: readonly Deed[]
  /** What is written at a start, until the rule can tell: what stands there, or what it writes when it holds or not. */
  readonly start: (typeof starts)[number]
  /** How often outputs may change. */
  readonly budget: Budget
}

const fields = object(
  {
    name: nodeName,
    when: optional(condition),
    then: list(deed, 100),
    otherwise: optional(list(deed, 100), []),
    start: optional(oneOf(starts), 'keep'),
    budget: optional(budget(2), { most: 60, within: 3_600_000 }),
  },
  'a rule',
)

/** Every problem of a rule names it. */
const rule: Shape<RuleConfig> = {
  expects: fields.expects,
  read(raw, place) {
    const before = place.problems.length
    const read = checked.read(raw, place)
    const name = isMap(raw) && typeof raw.name === 'string' ? raw.name : undefined
    if (name !== undefined) nameIn(place, before, name)
    return read
  },
}

const checked: Shape<RuleConfig> = refined(fields, ({ otherwise }, place) => {
  for (const [n, { kind }] of otherwise.entries())
    if (kind === 'relay') place.at('otherwise').at(n).wrong('relay goes on while the rule holds, so it belongs to then')
})

/** Puts the rule's name before the problems since `before`. */
export function nameIn({ problems }: Place, before: number, name: string): void {
  for (let n = before; n < problems.length; n++)
    problems[n] = { ...problems[n]!, message: `rule ${name}: ${problems[n]!.message}` }
}

export const rules: Shape<readonly RuleConfig[]> = refined(list(rule, 1000), (all, place) => {
  const seen = new Map<string, number>()
  for (const [n, { name }] of all.entries()) {
    const first = seen.get(name)
    if (first === undefined) seen.set(name, n)
    else place.at(n).at('name').again(`a second rule with the name ${name}`, place.at(first).path)
  }
})
