// The inventory as it is remembered over restarts.

import { isMap } from '../../core/shape.ts'
import { type Change, isAnother, pair } from './changes.ts'
import { type Component, type ComponentType, types } from './component.ts'

export interface Seen {
  readonly components: readonly Component[]
  readonly changes: readonly Change[]
}

/**
 * What is known once `found` was read, and what changed. Types in `unread` could not be read this time and stay as they
 * were; what a component told earlier and not now stays known as long as it is the same one.
 */
export function see(
  known: readonly Component[] | undefined,
  found: readonly Component[],
  unread: ReadonlySet<ComponentType>,
): Seen {
  if (known === undefined) return { components: found, changes: [] }
  const kept = known.filter(component => unread.has(component.type))
  const changes = pair(
    known.filter(component => !unread.has(component.type)),
    found.filter(component => !unread.has(component.type)),
  )
  const merged = changes.flatMap(({ before, now }): Component[] => {
    if (now === undefined) return []
    return before === undefined || isAnother(before.fields, now.fields)
      ? [now]
      : [{ ...now, fields: { ...before.fields, ...now.fields } }]
  })
  return { components: [...merged, ...kept].sort(inOrder), changes }
}

/** By type, then by place, `sda2` before `sda10`. */
export function inOrder(a: Component, b: Component): number {
  return types.indexOf(a.type) - types.indexOf(b.type) || a.place.localeCompare(b.place, 'en', { numeric: true })
}

/** What cannot be read counts as nothing. */
export function parseKept(text: string | undefined): readonly Component[] | undefined {
  try {
    const kept: unknown = JSON.parse(text ?? '')
    return Array.isArray(kept) && kept.every(isComponent) ? kept : undefined
  } catch {
    return undefined
  }
}

function isComponent(value: unknown): value is Component {
  if (!isMap(value) || !isMap(value.fields)) return false
  const scalars = Object.values(value.fields).every(field => typeof field === 'string' || typeof field === 'number')
  return scalars && typeof value.place === 'string' && types.some(type => type === value.type)
}
