// What became of each piece of a host: the same piece elsewhere, another one in its place, gone, or new.

import type { Event, Json } from '../../core/model.ts'
import type { EventKind } from '../metric.ts'
import { type Component, type Fields, identities } from './component.ts'

const attributes = ['hw.type', 'hw.id'] as const
const about = (name: string, brief: string): EventKind => ({
  name: `fieldline.inventory.${name}`,
  attributes,
  origin: 'the inventory before it',
  brief,
})

export const added = about('added', 'a component is new; the body tells it')
export const removed = about('removed', 'a component is gone; the body tells it')
export const changed = about(
  'changed',
  'a component is another one than before (a serial number changed: severity warning), or differs in firmware, driver and the like; the body tells both',
)

/** A component as it was, as it is, or both. */
export interface Change {
  readonly before?: Component
  readonly now?: Component
}

/** Pairs what is the same piece: first by what identifies it, wherever it is now, then by its place. */
export function pair(before: readonly Component[], now: readonly Component[]): readonly Change[] {
  const pairs: Change[] = []
  let [old, fresh] = [before, now]
  for (const keyOf of [...identities.map(byIdentity), byPlace]) {
    const known = unique(old, keyOf)
    const found = unique(fresh, keyOf)
    const matched = new Set<Component>()
    for (const [key, component] of found) {
      const was = known.get(key)
      if (was === undefined) continue
      pairs.push({ before: was, now: component })
      matched.add(was).add(component)
    }
    old = old.filter(component => !matched.has(component))
    fresh = fresh.filter(component => !matched.has(component))
  }
  return [...pairs, ...old.map(component => ({ before: component })), ...fresh.map(component => ({ now: component }))]
}

function byIdentity(field: (typeof identities)[number]) {
  return ({ type, fields }: Component): string | undefined =>
    fields[field] === undefined ? undefined : `${type} ${fields[field]}`
}

function byPlace({ type, place }: Component): string {
  return `${type} ${place}`
}

/** Of makers that give each piece the same number, none is told by it. */
function unique(
  components: readonly Component[],
  keyOf: (component: Component) => string | undefined,
): ReadonlyMap<string, Component> {
  const groups = Map.groupBy(components, keyOf)
  return new Map([...groups].flatMap(([key, [one, ...more]]) => (key && one && more.length === 0 ? [[key, one]] : [])))
}

export function eventsOf(changes: readonly Change[], time: number): readonly Event[] {
  return changes.flatMap(({ before, now }): Event[] => {
    if (before === undefined) return now === undefined ? [] : [event(added, now, 'info', json(now), time)]
    if (now === undefined) return [event(removed, before, 'warning', json(before), time)]
    if (!differs(before, now)) return []
    const severity = isAnother(before.fields, now.fields) ? 'warning' : 'info'
    return [event(changed, now, severity, { before: json(before), now: json(now) }, time)]
  })
}

function event(
  kind: EventKind,
  { type, place }: Component,
  severity: Event['severity'],
  body: Json,
  time: number,
): Event {
  return { name: kind.name, time, severity, body, attributes: { 'hw.type': type, 'hw.id': place } }
}

export function json({ type, place, fields }: Component): Json {
  return { type, place, ...fields }
}

/** A field that is told only now, or no longer, is a matter of who may read it, not of the piece. */
function differs(before: Component, now: Component): boolean {
  return (
    before.place !== now.place || Object.entries(now.fields).some(([key, value]) => isOther(before.fields[key], value))
  )
}

/** Any of what identifies it is another. */
export function isAnother(before: Fields, now: Fields): boolean {
  return identities.some(key => isOther(before[key], now[key]))
}

function isOther(before: string | number | undefined, now: string | number | undefined): boolean {
  return before !== undefined && now !== undefined && before !== now
}
