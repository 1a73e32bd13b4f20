// What happened to GPUs between two readings, as events: one that is lost or back, a condition that began or ended,
// memory errors that could not be corrected. Remembered over restarts, so that nothing is told twice and nothing missed.

import type { Attributes, Event, Severity } from '../../core/model.ts'
import type { EventKind } from '../metric.ts'
import { identity } from './declaring.ts'
import type { Condition } from './nvidia-health.ts'

const origin = 'nvidia-smi -q -x'
const bounds = 'body: state begin or end'

export const gpuEvents: readonly EventKind[] = [
  { name: 'hw.gpu.lost', attributes: identity, origin, brief: 'it does not answer any more, or fell off the bus' },
  { name: 'hw.gpu.returned', attributes: identity, origin, brief: 'a lost one answers again' },
  {
    name: 'hw.gpu.errors.uncorrected',
    attributes: identity,
    origin,
    brief: 'memory errors that could not be corrected; body: count, and by how many it grew',
  },
  {
    name: 'hw.gpu.slowdown',
    attributes: [...identity, 'hw.gpu.throttle.reason'],
    origin,
    brief: `the hardware slows itself down; ${bounds}`,
  },
  {
    name: 'hw.gpu.repair.pending',
    attributes: [...identity, 'hw.gpu.repair'],
    origin,
    brief: `a repair of memory waits for a reset; ${bounds}`,
  },
  {
    name: 'hw.gpu.repair.failed',
    attributes: [...identity, 'hw.gpu.repair'],
    origin,
    brief: `memory cannot be repaired, replace it; ${bounds}`,
  },
  { name: 'hw.gpu.recovery.required', attributes: identity, origin, brief: `it asks for a reset or more; ${bounds}` },
]

const severities: Readonly<Record<string, Severity>> = {
  'hw.gpu.slowdown': 'warning',
  'hw.gpu.repair.pending': 'warning',
  'hw.gpu.repair.failed': 'critical',
  'hw.gpu.recovery.required': 'error',
}

/** A slowdown comes and goes: it is over when it did not come back for this long, ms. */
const calm = 60_000
/** Of GPUs remembered; lost ones beyond it are forgotten first. */
const most = 64

export interface Seen {
  readonly id: string
  /** Its PCI address as the program writes it. */
  readonly address: string | undefined
  readonly attributes: Attributes
  readonly conditions: readonly Condition[]
  readonly uncorrected: number | undefined
}

interface Known {
  attributes: Attributes
  address?: string | undefined
  lost?: boolean
  uncorrected?: number | undefined
  /** Conditions that began, and since when each has not been seen. */
  readonly active: Map<string, number | undefined>
}

export class GpuWatch {
  readonly #known = new Map<string, Known>()

  /** `saved` is what `text` gave; anything else is as good as nothing. */
  constructor(saved: string | undefined) {
    for (const [id, known] of restored(saved)) this.#known.set(id, known)
  }

  /**
   * After a whole list of GPUs: what it lacks is lost.
   * @param said lines in which the program tells of GPUs that it cannot ask.
   */
  observe(seen: readonly Seen[], said: string, time: number): Event[] {
    const events = seen.flatMap(gpu => this.#compare(gpu, time))
    const present = new Set(seen.map(gpu => gpu.id))
    for (const [id, known] of this.#known) if (!present.has(id)) events.push(...lose(known, said, time))
    events.push(...this.hear(said, time))
    this.#forget()
    return events
  }

  /** Without a list: only what is named is lost. */
  hear(said: string, time: number): Event[] {
    const events: Event[] = []
    for (const address of new Set(said.split('\n').filter(isLoss).flatMap(addresses))) {
      const known = this.#at(address)
      events.push(...lose(known, said, time))
    }
    return events
  }

  text(): string {
    const entries = [...this.#known].map(([id, { active, ...rest }]) => [id, { ...rest, active: [...active.keys()] }])
    return JSON.stringify(Object.fromEntries(entries))
  }

  #compare({ id, address, attributes, conditions, uncorrected }: Seen, time: number): Event[] {
    const known: Known = this.#known.get(id) ?? { attributes, active: new Map() }
    this.#known.set(id, known)
    const events: Event[] = []
    if (known.lost) events.push({ name: 'hw.gpu.returned', time, severity: 'info', body: {}, attributes })
    known.lost = false
    known.attributes = attributes
    known.address = address
    this.#forgetStranger(id, address)
    events.push(...grown(known, uncorrected, time))
    for (const condition of conditions) events.push(...changed(known, condition, time))
    return events
  }

  /** The GPU at this place; one that was never seen is known by the place alone. */
  #at(address: string): Known {
    for (const known of this.#known.values()) if (samePlace(address, known.address)) return known
    const known: Known = { attributes: { 'hw.id': address }, address, active: new Map() }
    this.#known.set(address, known)
    return known
  }

  /** One that was lost before it was ever seen is known by its address alone. */
  #forgetStranger(id: string, address: string | undefined): void {
    for (const [other, known] of this.#known)
      if (other !== id && other === known.address && samePlace(other, address)) this.#known.delete(other)
  }

  #forget(): void {
    for (const [id, { lost }] of this.#known) if (this.#known.size > most && lost) this.#known.delete(id)
    for (const id of this.#known.keys()) if (this.#known.size > most) this.#known.delete(id)
  }
}

function lose(known: Known, said: string, time: number): Event[] {
  if (known.lost) return []
  known.lost = true
  known.active.clear()
  const line = said
    .split('\n')
    .find(l => known.address !== undefined && addresses(l).some(a => samePlace(a, known.address)))
  const why = line?.trim().slice(0, 300) ?? 'it is listed no more'
  const { address = '' } = known
  return [{ name: 'hw.gpu.lost', time, severity: 'critical', body: { why, address }, attributes: known.attributes }]
}

function grown(known: Known, uncorrected: number | undefined, time: number): Event[] {
  const before = known.uncorrected
  if (uncorrected === undefined) return []
  known.uncorrected = uncorrected
  if (before === undefined || uncorrected <= before) return []
  const body = { count: uncorrected, grown: uncorrected - before }
  return [{ name: 'hw.gpu.errors.uncorrected', time, severity: 'error', body, attributes: known.attributes }]
}

function changed(known: Known, { event, attributes, active, detail }: Condition, time: number): Event[] {
  if (active === undefined) return []
  const key = [event, ...Object.values(attributes)].join(' ')
  const was = known.active.has(key)
  const told = (state: 'begin' | 'end', severity: Severity): Event => ({
    name: event,
    time,
    severity,
    body: { state, ...(detail !== undefined && { detail }) },
    attributes: { ...known.attributes, ...attributes },
  })
  if (active) {
    known.active.set(key, undefined)
    return was ? [] : [told('begin', severities[event] ?? 'warning')]
  }
  if (!was) return []
  const since = known.active.get(key) ?? time
  known.active.set(key, since)
  if (event === 'hw.gpu.slowdown' && Math.abs(time - since) < calm) return []
  known.active.delete(key)
  return [told('end', 'info')]
}

/** Whether a line tells of a GPU that does not answer. */
function isLoss(line: string): boolean {
  return /GPU is lost|fallen off the bus|Unable to determine the device handle/i.test(line)
}

/** `GPU0000:3B:00.0`, `GPU1: 0000:34:00.0`. */
function addresses(line: string): readonly string[] {
  return line.match(/[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]/gi) ?? []
}

/** The domain is written with four digits or with eight. */
function samePlace(a: string, b: string | undefined): boolean {
  return b !== undefined && a.toLowerCase().replace(/^0+/, '') === b.toLowerCase().replace(/^0+/, '')
}

function restored(saved: string | undefined): readonly (readonly [string, Known])[] {
  try {
    const all: unknown = JSON.parse(saved ?? '{}')
    return Object.entries(all as Record<string, Omit<Known, 'active'> & { active: readonly string[] }>).map(
      ([id, { active, ...rest }]) => [id, { ...rest, active: new Map(active.map(key => [key, undefined])) }] as const,
    )
  } catch {
    // A file that something else wrote, or half of one: begin anew.
    return []
  }
}
