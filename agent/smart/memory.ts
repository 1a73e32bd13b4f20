// What is remembered of each drive, by its identity: how high its counters were, which entries its logs had, what its
// state was. A counter that was high when the drive was first seen is no news; its growth is.

import { isMap } from '../../core/shape.ts'
import { isTime } from './fields.ts'
import type { Identity } from './identity.ts'
import { type Log, logs, type State, states } from './told.ts'

export interface Remembered {
  readonly value: number
  /** When it was first seen at this value, ms since the epoch. */
  readonly since: number
  /** What it was before it fell; a counter that comes back to it was misread in between. */
  readonly before?: number
}

/** How often each key is in a log. */
export type Keys = Readonly<Record<string, number>>

export interface Known {
  readonly identity: Identity
  /** Where it was seen last: device and type. */
  readonly slot: string
  readonly name: string
  /** When it was no longer seen, ms since the epoch. */
  readonly gone?: number
  /** Why it gives no report. */
  readonly silent?: string
  readonly state?: State
  readonly reasons: readonly string[]
  readonly counters: Readonly<Record<string, Remembered>>
  readonly logs: { readonly [log in Log]?: Keys }
}

export interface Memory {
  /** The pass that it is of. */
  readonly time: number
  readonly drives: ReadonlyMap<string, Known>
}

const version = 1

export function formatMemory({ time, drives }: Memory): string {
  return JSON.stringify({ version, time, drives: Object.fromEntries(drives) })
}

/** Undefined where the text is not what `formatMemory` made; everything is then seen for the first time. */
export function parseMemory(text: string | undefined): Memory | undefined {
  const raw = text === undefined ? undefined : fromJson(text)
  if (!isMap(raw) || raw.version !== version || !isTime(raw.time) || !isMap(raw.drives)) return undefined
  const drives = Object.entries(raw.drives)
  return drives.every(isDrive) ? { time: raw.time, drives: new Map(drives) } : undefined
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // A disk that lost a part of it: as good as nothing.
    return undefined
  }
}

function isDrive(entry: [string, unknown]): entry is [string, Known] {
  const known = entry[1]
  if (!isMap(known) || !isMap(known.identity) || !isMap(known.counters) || !isMap(known.logs)) return false
  const state = known.state === undefined || states.some(s => s === known.state)
  const texts = typeof known.slot === 'string' && typeof known.name === 'string' && Array.isArray(known.reasons)
  const keys = logs.map(log => (known.logs as Record<string, unknown>)[log])
  const counters = Object.values(known.counters).every(c => isMap(c) && typeof c.value === 'number' && isTime(c.since))
  return (
    state && texts && counters && keys.every(k => k === undefined || isMap(k)) && typeof known.identity.id === 'string'
  )
}
