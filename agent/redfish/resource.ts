// Redfish resources as they are: any property may be absent, null, or of another type than the schema says.

import { pathOf } from './client.ts'

export type Resource = Readonly<Record<string, unknown>>

export function isResource(value: unknown): value is Resource {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function resource(of: Resource | undefined, ...path: readonly string[]): Resource | undefined {
  let here: unknown = of
  for (const key of path) here = isResource(here) ? here[key] : undefined
  return isResource(here) ? here : undefined
}

/** Larger than anything that a machine measures. */
const tooLarge = 1e18

export function number(of: Resource | undefined, key: string): number | undefined {
  const value = of?.[key]
  return typeof value === 'number' && Math.abs(value) < tooLarge ? value : undefined
}

/** Trimmed, at most 128 characters; undefined where it is empty. */
export function text(of: Resource | undefined, key: string): string | undefined {
  const value = of?.[key]
  return typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, 128) : undefined
}

/** The members of an array that are resources. */
export function resources(of: Resource | undefined, key: string, most = 500): readonly Resource[] {
  const value = of?.[key]
  return Array.isArray(value) ? value.slice(0, most).filter(isResource) : []
}

/** Where a link such as `Thermal` leads. */
export function link(of: Resource | undefined, key: string): string | undefined {
  return pathOf(resource(of, key)?.['@odata.id'])
}

/** Where the links of an array lead. */
export function links(of: Resource | undefined, key: string, most = 500): readonly string[] {
  return resources(of, key, most).flatMap(one => pathOf(one['@odata.id']) ?? [])
}
