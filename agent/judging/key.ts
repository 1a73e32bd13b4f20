import type { Series } from '../../core/model.ts'

/** What one rule's eye on one series, or on all that it judges together, is known by; two sources may make the same series. */
export function keyOf(rule: string, series: Series | undefined): string {
  if (series === undefined) return JSON.stringify([rule])
  const { name, unit, kind, attributes } = series
  const sorted = Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([rule, name, unit, kind, sorted])
}

/** The same in every unit: a series that is told in another unit takes the place of the one before. */
export function placeOf(rule: string, { name, attributes }: Series): string {
  return keyOf(rule, { name, unit: '', kind: 'gauge', attributes })
}
