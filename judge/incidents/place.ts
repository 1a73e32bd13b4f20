// Where a finding is: its host, and the places around it, as nodes tell of themselves in attributes.

import type { Attributes } from '../../core/model.ts'

/** From wide to narrow. */
export const levels = [
  ...(['region', 'datacenter', 'site', 'building', 'hall', 'area', 'zone'] as const),
  ...(['ward', 'room', 'line', 'row', 'rack', 'cell', 'bed'] as const),
] as const
export type Level = (typeof levels)[number]

/** The attributes that tell each. */
const told: Readonly<Record<Level, readonly string[]>> = {
  region: ['region', 'cloud.region'],
  datacenter: ['datacenter', 'cloud.availability_zone'],
  site: ['site'],
  building: ['building'],
  hall: ['hall'],
  area: ['area'],
  zone: ['zone'],
  ward: ['ward'],
  room: ['room'],
  line: ['line'],
  row: ['row'],
  rack: ['rack'],
  cell: ['cell'],
  bed: ['bed'],
}

/** What each level is called here; levels that nobody tells are absent. */
export type Place = Readonly<Partial<Record<Level, string>>>

/** So much stands in one of these that two troubles at one time need not have to do with each other. */
const wide: readonly Level[] = ['region', 'datacenter', 'site', 'building']
/** A series' zone is more often a part of its machine than a part of the plant. */
const notOfSeries: readonly Level[] = ['zone']

export interface Where {
  /** `host.name`, so that two nodes of one host are one; else the node's own name. */
  readonly host: string
  readonly place: Place
  /** The part of the place that the series itself tells: a gateway reads many beds. */
  readonly within: Place
}

export function whereOf(node: string, ofNode: Attributes, ofSeries: Attributes = {}): Where {
  const host = String(ofNode['host.name'] ?? node)
  const within = placeOf(ofSeries, notOfSeries)
  return { host, place: { ...placeOf(ofNode), ...within }, within }
}

/** Of two attributes of one level the first counts. */
function placeOf(attributes: Attributes, without: readonly Level[] = []): Place {
  const place: Partial<Record<Level, string>> = {}
  for (const level of levels) {
    const key = told[level].find(key => attributes[key] !== undefined)
    if (key !== undefined && !without.includes(level)) place[level] = String(attributes[key])
  }
  return place
}

export function narrowest(place: Place): Level | undefined {
  return levels.findLast(level => place[level] !== undefined)
}

export function isWide(level: Level): boolean {
  return wide.includes(level)
}

/** No level is told by both and told differently. */
export function agree(a: Place, b: Place): boolean {
  return levels.every(level => a[level] === undefined || b[level] === undefined || a[level] === b[level])
}

/** What both tell alike. */
export function shared(a: Place, b: Place): Place {
  const place: Partial<Record<Level, string>> = {}
  for (const level of levels) if (a[level] !== undefined && a[level] === b[level]) place[level] = a[level]
  return place
}

/** `rack 7`: the narrowest level there is. */
export function placeText(place: Place): string | undefined {
  const level = narrowest(place)
  return level && `${level} ${place[level]}`
}
