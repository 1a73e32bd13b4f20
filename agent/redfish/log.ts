// Entries of the event log of a BMC, each told once. What was there when it was first read is no news.

import type { Event, Json, Severity } from '../../core/model.ts'
import { pathOf } from './client.ts'
import { type Resource, resources, text } from './resource.ts'

export interface LogBook {
  /** The events of entries not seen before. */
  news(log: string, entries: readonly Resource[], address: string, now: number): Event[]
  text(): string
}

const mostKept = 1000
const mostPages = 20
const ahead = 60_000
/** A date before it is one of a clock that was never set. */
const earliest = Date.UTC(2000, 0)
const severities: Readonly<Record<string, Severity>> = { OK: 'info', Warning: 'warning', Critical: 'critical' }

/** @param saved what `text` gave. */
export function openLogBook(saved: string | undefined): LogBook {
  const seen = restored(saved)
  const news: LogBook['news'] = (log, entries, address, now) => {
    const before = seen.get(log)
    const keyed = entries.map(entry => ({ entry, key: `${text(entry, 'Id')} ${text(entry, 'Created')}` }))
    seen.set(log, new Set(keyed.map(k => k.key).slice(-mostKept)))
    if (before === undefined) return []
    return keyed.filter(k => !before.has(k.key)).map(k => eventOf(k.entry, log, address, now))
  }
  const asText = (): string => JSON.stringify(Object.fromEntries([...seen].map(([log, keys]) => [log, [...keys]])))
  return { news, text: asText }
}

function eventOf(entry: Resource, log: string, address: string, now: number): Event {
  const created = Date.parse(text(entry, 'Created') ?? '')
  const known = { id: 'Id', messageId: 'MessageId', created: 'Created', sensor: 'SensorType', code: 'EntryCode' }
  const body: Record<string, Json> = { message: String(entry.Message ?? '').slice(0, 1000) }
  for (const [key, property] of Object.entries(known)) {
    const value = text(entry, property)
    if (value !== undefined) body[key] = value
  }
  return {
    name: 'hw.log.entry',
    // Clocks of BMCs begin in 1970, and run ahead: such an entry is dated to when it was read.
    time: created >= earliest && created <= now + ahead ? created : now,
    severity: severities[text(entry, 'Severity') ?? ''] ?? 'info',
    body,
    attributes: { 'server.address': address, 'hw.log.name': log },
  }
}

/** All pages of a collection of entries, of which `get` gives one. */
export async function allEntries(path: string, get: (path: string) => Promise<unknown>): Promise<readonly Resource[]> {
  const all: Resource[] = []
  let next: string | undefined = path
  for (let n = 0; n < mostPages && next !== undefined && all.length < mostKept; n++) {
    const page = (await get(next)) as Resource | undefined
    all.push(...resources(page, 'Members', mostKept))
    next = pathOf(page?.['Members@odata.nextLink'])
  }
  return all
}

function restored(saved: string | undefined): Map<string, ReadonlySet<string>> {
  try {
    const all = JSON.parse(saved ?? '{}') as Record<string, readonly string[]>
    return new Map(Object.entries(all).map(([log, keys]) => [log, new Set(keys)]))
  } catch {
    // Something else wrote it, or half of it: what is there now is then no news.
    return new Map()
  }
}
