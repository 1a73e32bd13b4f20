import type { Series } from '../../core/model.ts'

/** What one rule's eye on one series is known by; two sources may make the same series. */
export function keyOf(rule: string, { name, unit, kind, attributes }: Series): string {
  const sorted = Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([rule, name, unit, kind, sorted])
}
