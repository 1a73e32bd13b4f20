// Where in the page one is, as the part of the address behind `#`.

export const ranges = ['5m', '1h', '24h', '7d'] as const
export type Range = (typeof ranges)[number]
export const rangeMs: Readonly<Record<Range, number>> = {
  '5m': 300_000,
  '1h': 3_600_000,
  '24h': 86_400_000,
  '7d': 604_800_000,
}

export type Route =
  | { readonly at: 'fleet' }
  | { readonly at: 'node'; readonly node: string; readonly range: Range; readonly filter: string }
  | { readonly at: 'findings'; readonly node: string | undefined }
  | { readonly at: 'disks' }
  | { readonly at: 'disk'; readonly disk: string }
  | { readonly at: 'incidents' }
  | { readonly at: 'incident'; readonly id: string }
  | { readonly at: 'missing' }

export function routeOf(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#/, '').split('?', 2)
  const given = new URLSearchParams(query)
  if (path === '' || path === '/') return { at: 'fleet' }
  if (path === '/findings') return { at: 'findings', node: given.get('node') ?? undefined }
  if (path === '/disks') return { at: 'disks' }
  const disk = /^\/disk\/(.+)$/.exec(path)?.[1]
  if (disk !== undefined) return diskRoute(disk)
  if (path === '/incidents') return { at: 'incidents' }
  const id = /^\/incident\/([0-9a-f]{12})$/.exec(path)?.[1]
  if (id !== undefined) return { at: 'incident', id }
  const node = /^\/node\/([\w.-]+)$/.exec(path)?.[1]
  if (node === undefined) return { at: 'missing' }
  const range = ranges.find(r => r === given.get('range')) ?? '5m'
  return { at: 'node', node, range, filter: given.get('filter') ?? '' }
}

/** Ids of drives may have any letters. */
function diskRoute(encoded: string): Route {
  try {
    return { at: 'disk', disk: decodeURIComponent(encoded) }
  } catch {
    return { at: 'missing' }
  }
}

export function hashOf(route: Exclude<Route, { at: 'missing' }>): string {
  if (route.at === 'fleet') return '#/'
  if (route.at === 'disks') return '#/disks'
  if (route.at === 'disk') return `#/disk/${encodeURIComponent(route.disk)}`
  if (route.at === 'incidents') return '#/incidents'
  if (route.at === 'incident') return `#/incident/${route.id}`
  if (route.at === 'findings') return route.node === undefined ? '#/findings' : `#/findings?node=${route.node}`
  const query = new URLSearchParams({ range: route.range, ...(route.filter && { filter: route.filter }) })
  return `#/node/${route.node}?${query}`
}

/** The shortest range that reaches back to `time`. */
export function rangeReaching(time: number, now: number): Range {
  return ranges.find(range => now - time < rangeMs[range] * 0.9) ?? '7d'
}
