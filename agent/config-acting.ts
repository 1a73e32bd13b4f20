// What must fit between rules, orders, sources and uplinks of a configuration: names that are there, and registers or nodes
// that may be written.

import { reason } from '../core/errors.ts'
import type { Json } from '../core/model.ts'
import type { Part } from '../core/parts.ts'
import { nearest, type Place } from '../core/shape.ts'
import { leaves } from '../judge/condition.ts'
import type { EdgeConfig } from './config.ts'
import { type Deed, type DeedOf, nameIn, type RuleConfig } from './rules/options.ts'
import type { Source } from './source.ts'
import type { UplinkType } from './uplink.ts'

/** What is asked of sources and of uplinks here. */
export type Writable = Pick<Source<unknown>, 'name' | 'writes' | 'acknowledges'>
export type Publishing = Pick<UplinkType<unknown>, 'name' | 'publishes'>

export interface ActingKinds {
  readonly sources: readonly Writable[]
  readonly uplinks: readonly Publishing[]
}

/** A relay copies values that are not known here. */
interface Wanted {
  readonly to: string
  readonly value?: Json
}

type Acting = Pick<EdgeConfig, 'sources' | 'uplinks' | 'orders' | 'rules'>

export function checkActing(config: Acting, kinds: ActingKinds, place: Place): void {
  for (const [n, { source }] of (config.orders?.allow ?? []).entries())
    find('source', source, config.sources, place.at('orders').at('allow').at(n).at('source'))
  for (const [n, rule] of config.rules.entries()) {
    const before = place.problems.length
    checkRule(rule, config, kinds, place.at('rules').at(n))
    nameIn(place, before, rule.name)
  }
}

function checkRule(rule: RuleConfig, config: Acting, kinds: ActingKinds, place: Place): void {
  if (rule.when !== undefined) {
    for (const { leaf, place: at } of leaves(rule.when, place.at('when')))
      if (leaf.source !== undefined) find(`${leaf.metric}: source`, leaf.source, config.sources, at.at('source'))
  }
  for (const list of ['then', 'otherwise'] as const)
    for (const [n, deed] of rule[list].entries()) checkDeed(deed, config, kinds, place.at(list).at(n).at(deed.kind))
}

function checkDeed(deed: Deed, { sources, uplinks }: Acting, kinds: ActingKinds, place: Place): void {
  if (deed.kind === 'event') return
  if (deed.kind === 'publish') {
    checkPublish(deed, uplinks, kinds.uplinks, place.at('uplink'))
    return
  }
  const target = deed.kind === 'call' ? deed.method : deed.to
  const part = find(`${target}: source`, deed.source, sources, place.at('source'))
  if (deed.kind === 'relay' && deed.from !== undefined)
    find(`${deed.metric}: source`, deed.from, sources, place.at('from'))
  if (part !== undefined && deed.kind !== 'call') checkWrite(deed, part, kinds.sources, place)
}

function checkPublish(
  { topic, uplink }: DeedOf<'publish'>,
  parts: readonly Part[],
  kinds: readonly Publishing[],
  place: Place,
): void {
  const part = find(`${topic}: uplink`, uplink, parts, place)
  if (part === undefined || kinds.find(kind => kind.name === part.type)?.publishes) return
  const able = kinds.filter(kind => kind.publishes).map(kind => kind.name)
  place.wrong(`${topic}: uplink ${uplink} cannot publish; those of type ${able.join(', ')} can`)
}

function checkWrite({ to, value }: Wanted, part: Part, kinds: readonly Writable[], place: Place): void {
  const { type, name, options } = part
  const writes = kinds.find(kind => kind.name === type)?.writes?.(options) ?? {}
  if (!Object.hasOwn(writes, to)) {
    sayNotWritable(to, name, Object.keys(writes), place)
    return
  }
  try {
    if (value !== undefined) writes[to]!(value)
  } catch (error) {
    place.at('value').wrong(reason(error))
  }
}

function sayNotWritable(to: string, name: string, writable: readonly string[], place: Place): void {
  const near = nearest(to, writable)
  const where = place.at('to')
  if (writable.length === 0) where.wrong(`${to} is never written: source ${name} has nothing with write: limits`)
  else if (near !== undefined) where.wrong(`source ${name} has no ${to} with write: limits; did you mean ${near}?`)
  else where.wrong(`${to} is never written: source ${name} has write: limits for ${writable.slice(0, 20).join(', ')}`)
}

function find(what: string, name: string, parts: readonly Part[], place: Place): Part | undefined {
  const found = parts.find(part => part.name === name)
  if (found !== undefined) return found
  const near = nearest(
    name,
    parts.map(part => part.name),
  )
  place.wrong(`${what} ${name} is not configured${near === undefined ? '' : `; did you mean ${near}?`}`)
  return undefined
}
