// Drives as source `smart` tells them, for the tests of what a collector makes of it.

import type { Attributes, Event, Sample, SeriesKind } from '../../../core/model.ts'
import { type CollectorOptions, collectorIn, Edge, settled } from '../ingest/collectors.ts'
import { noon } from '../ingest/envelopes.ts'

export const day = 86_400_000

export interface Told {
  /** Raw values by attribute. */
  readonly smart?: Readonly<Record<number, number>>
  readonly type?: 'HDD' | 'SSD'
  readonly used?: number
  readonly device?: string
  /** More values: metric, attributes, value. */
  readonly more?: readonly (readonly [name: string, attributes: Attributes, value: number, kind?: SeriesKind])[]
}

export const sound = { 5: 0, 12: 7, 187: 0, 188: 0, 197: 0, 198: 0 } as const

export function identity(id: string): Attributes {
  return { 'hw.id': id, 'hw.type': 'physical_disk', 'hw.model': 'ST4000', 'hw.serial_number': `S-${id}` }
}

export function samplesOf(id: string, time: number, told: Told): Sample[] {
  const { smart = {}, type = 'HDD', used, device = '/dev/sda', more = [] } = told
  const samples: Sample[] = []
  const add = (name: string, attributes: Attributes, value: number, kind: SeriesKind = 'gauge'): void => {
    const series = { name, unit: '1', kind, attributes: { ...identity(id), ...attributes } }
    samples.push({ series, time, value })
  }
  add('hw.physical_disk.awake', { 'hw.name': device }, 1)
  add('hw.physical_disk.size', { 'hw.firmware_version': '1', 'hw.physical_disk.type': type }, 4_000_787_030_016)
  for (const [key, value] of Object.entries(smart)) {
    const of = { 'hw.physical_disk.smart_attribute': `Attribute_${key}`, 'hw.physical_disk.smart_id': Number(key) }
    add('hw.physical_disk.smart', of, value)
    add('hw.physical_disk.smart.raw', of, value + 2 ** 40)
  }
  if (used !== undefined) add('hw.physical_disk.endurance_utilization', { 'hw.physical_disk.state': 'used' }, used)
  for (const [name, attributes, value, kind] of more) add(name, attributes, value, kind)
  return samples
}

export type Collector = Awaited<ReturnType<typeof collectorIn>>

/** A collector and edges by name; `report` has a node tell of drives so many days after noon. */
export async function fleetIn(folder: string, options: CollectorOptions = {}) {
  let collector = await collectorIn(folder, options)
  const edges = new Map<string, Edge>()
  const edge = (node: string): Edge => {
    const known = edges.get(node) ?? new Edge(node)
    edges.set(node, known)
    return known
  }
  const at = (days: number): void => {
    collector.clock.now = Math.max(collector.clock.now, noon + days * day)
  }
  /** The collector forgets the stream of a node that was away for a month; the edge then begins another. */
  const speaksAgain = (node: string, days: number): Edge => {
    const known = collector.records.node(node)
    if (known !== undefined && noon + days * day - known.lastSeen > 20 * day) edge(node).rotate()
    return edge(node)
  }
  const send = async (envelope: Parameters<Collector['intake']['offer']>[0]): Promise<void> => {
    await collector.intake.offer(envelope)
    await settled(collector.intake)
  }
  return {
    get collector() {
      return collector
    },
    async report(node: string, days: number, drives: Readonly<Record<string, Told>>): Promise<void> {
      const from = speaksAgain(node, days)
      at(days)
      const samples = Object.entries(drives).flatMap(([id, told]) => samplesOf(id, noon + days * day, told))
      await send(from.metrics(samples))
      collector.intake.tick()
    },
    /** Samples just so, the collector's clock left alone. */
    send: (node: string, samples: readonly Sample[]) => send(edge(node).metrics(samples)),
    async event(node: string, days: number, event: Omit<Event, 'time' | 'severity'>): Promise<void> {
      at(days)
      await send(edge(node).events([{ ...event, time: noon + days * day, severity: 'error' }]))
    },
    /** Lets the collector's clock go on. */
    wait(days: number): void {
      at(days)
      collector.intake.tick()
    },
    async restart(how: 'stop' | 'crash'): Promise<void> {
      const { now } = collector.clock
      await collector[how]()
      collector = await collectorIn(folder, options, now)
    },
    /** Findings as `rule severity node since..until`, in days after noon. */
    findings(): string[] {
      const days = (time: number | undefined): string => (time === undefined ? '' : ((time - noon) / day).toFixed(1))
      return collector.records
        .findings({ limit: 100 })
        .map(f => `${f.rule} ${f.severity} ${f.subject.node} ${days(f.since)}..${days(f.until)}`)
    },
    drive(id: string) {
      const kept = collector.disks.get(id)
      if (kept === undefined) throw new Error(`no drive ${id}`)
      return kept.drive
    },
    /** Every score that history has of a drive at a node, as days after noon. */
    scores(node: string, id: string): number[] {
      const name = 'hw.physical_disk.failure_probability'
      const [ref] = collector.history.find({ node, name, attributes: { 'hw.id': id } })
      if (ref === undefined) return []
      return [...collector.history.range(ref, 0, 8e15).times].map(time => Number(((time - noon) / day).toFixed(2)))
    },
  }
}
export type Fleet = Awaited<ReturnType<typeof fleetIn>>

/** What fails by the day, from day `from` on. */
export function dying(n: number, from: number): Readonly<Record<number, number>> {
  const bad = Math.max(0, n - from) * 8
  return { ...sound, 5: bad, 187: Math.floor(bad / 4), 197: bad, 198: bad, 9: 20_000 + 24 * n }
}
