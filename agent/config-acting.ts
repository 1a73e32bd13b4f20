// What must fit between rules, orders, sources and uplinks of a configuration: names that are there, and registers or nodes
// that may be written.

import type { Part } from '../core/parts.ts'
import { nearest, type Place } from '../core/shape.ts'
import { leaves } from '../judge/condition.ts'
import type { EdgeConfig } from './config.ts'
import { type Deed, nameIn, type RuleConfig } from './rules/options.ts'
import type { Source } from './source.ts'

/** What is asked of a source here. */
export type Writable = Pick<Source<unknown>, 'name' | 'writes'>

type Acting = Pick<EdgeConfig, 'sources' | 'uplinks' | 'orders' | 'rules'>

export function checkActing(config: Acting, kinds: readonly Writable[], place: Place): void {
  for (const [n, { source }] of (config.orders?.allow ?? []).entries())
    find('source', source, config.sources, place.at('orders').at('allow').at(n).at('source'))
  for (const [n, rule] of config.rules.entries()) {
    const before = place.problems.length
    checkRule(rule, config, kinds, place.at('rules').at(n))
    nameIn(place, before, rule.name)
  }
}

function checkRule(rule: RuleConfig, config: Acting, kinds: readonly Writable[], place: Place): void {
  if (rule.when !== undefined) {
    for (const { leaf, place: at } of leaves(rule.when, place.at('when')))
      if (leaf.source !== undefined) find(`${leaf.metric}: source`, leaf.source, config.sources, at.at('source'))
  }
  for (const list of ['then', 'otherwise'] as const)
    for (const [n, deed] of rule[list].entries()) checkDeed(deed, config, kinds, place.at(list).at(n).at(deed.kind))
}

function checkDeed(deed: Deed, { sources, uplinks }: Acting, kinds: readonly Writable[], place: Place): void {
  if (deed.kind === 'event') return
  if (deed.kind === 'publish') return void find(`${deed.topic}: uplink`, deed.uplink, uplinks, place.at('uplink'))
  const target = deed.kind === 'call' ? deed.method : deed.to
  const part = find(`${target}: source`, deed.source, sources, place.at('source'))
  if (deed.kind === 'relay' && deed.from !== undefined)
    find(`${deed.metric}: source`, deed.from, sources, place.at('from'))
  if (part !== undefined && deed.kind !== 'call') checkWrite(target, part, kinds, place)
}

function checkWrite(to: string, { type, name, options }: Part, kinds: readonly Writable[], place: Place): void {
  const writable = kinds.find(kind => kind.name === type)?.writes?.(options) ?? []
  if (writable.includes(to)) return
  const near = nearest(to, writable)
  if (writable.length === 0)
    place.at('source').wrong(`${to}: source ${name} has nothing with write: limits, so it is never written`)
  else if (near !== undefined)
    place.at('to').wrong(`${to}: source ${name} has no such register or node with write: limits; did you mean ${near}?`)
  else
    place
      .at('to')
      .wrong(`${to}: source ${name} has no write: limits for it; it has them for ${writable.slice(0, 20).join(', ')}`)
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
