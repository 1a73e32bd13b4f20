// What the host is made of, once an hour and on change: the whole as one event, and one for each component that is new,
// gone or another. /sys and /proc tell most without root and without waking a device; systeminformation the rest.

import { reason } from '../../core/errors.ts'
import type { Host } from '../../core/host.ts'
import { troubles } from '../../core/log.ts'
import type { Event, Observation, Sample, Series } from '../../core/model.ts'
import { duration, object, optional } from '../../core/shape.ts'
import { added, changed, eventsOf, json, removed } from '../inventory/changes.ts'
import { type Component, type ComponentType, types } from '../inventory/component.ts'
import { diskParts, gpuParts, nicParts } from '../inventory/devices.ts'
import { firmwareOfNics } from '../inventory/ethtool.ts'
import { machineParts } from '../inventory/firmware.ts'
import { inOrder, parseKept, see } from '../inventory/known.ts'
import { askedParts } from '../inventory/modules.ts'
import { resource } from '../inventory/resource.ts'
import { cpuParts, osParts } from '../inventory/system.ts'
import { type EventKind, metric } from '../metric.ts'
import { polled } from '../polled.ts'
import type { Source } from '../source.ts'

/** How often it is looked whether devices came or went, ms. */
const looked = 60_000

const count = metric(
  'hw.components',
  '{component}',
  'gauge',
  ['hw.type'],
  '/sys, /proc',
  'components of each type that there is',
)
const whole: EventKind = {
  name: 'fieldline.inventory',
  attributes: [],
  origin: '/sys, /proc, systeminformation',
  brief: 'all components: hardware, firmware, drivers, operating system',
}

/** What is read of the host itself, each for itself: one that fails leaves its types as they were. */
const parts: readonly (readonly [types: readonly ComponentType[], read: (host: Host) => readonly Component[]])[] = [
  [['system', 'mainboard', 'enclosure', 'firmware'], machineParts],
  [['os'], osParts],
  [['cpu'], cpuParts],
  [['physical_disk'], diskParts],
  [['network'], nicParts],
  [['gpu'], gpuParts],
]

export const inventory: Source<{ readonly interval: number }> = {
  name: 'inventory',
  options: object({ interval: optional(duration(60_000, 86_400_000), 3_600_000) }),
  metrics: [count],
  events: [whole, added, removed, changed],
  resource,
  open({ interval }, at) {
    const trouble = troubles(at.say)
    const counts = new Map(types.map(type => [type, count.of({ 'hw.type': type })]))
    let known = parseKept(at.keep.load())
    let saved = at.keep.load()
    let wholeAt = Number.NEGATIVE_INFINITY
    let listing = ''

    const readHost = () => {
      const unread = new Set<ComponentType>()
      const found = parts.flatMap(([types, read]) => {
        try {
          const components = read(at.host)
          trouble(`inventory of ${types.join(', ')}`, undefined)
          return components
        } catch (error) {
          trouble(`inventory of ${types.join(', ')}`, reason(error))
          for (const type of types) unread.add(type)
          return []
        }
      })
      return { found, unread }
    }
    /** What is asked for hourly: undefined where nobody answers. */
    const ask = async (signal: AbortSignal): Promise<readonly Component[] | undefined> => {
      try {
        const asked = await askedParts(at.host, signal)
        trouble('inventory by systeminformation', undefined)
        return asked
      } catch (error) {
        trouble('inventory by systeminformation', reason(error))
        return undefined
      }
    }
    const read = async (time: number, signal: AbortSignal): Promise<Observation> => {
      const due = Math.abs(time - wholeAt) >= interval
      const present = listingOf(at.host)
      if (!due && present === listing) return { samples: [], events: [] }
      const { found, unread } = readHost()
      const nics = due ? await firmwareOfNics(found, at.host, trouble, signal) : found
      const all = together(nics, due ? await ask(signal) : undefined, unread)
      const { components, changes } = see(known, all, unread)
      listing = present
      known = components
      const news = eventsOf(changes, time)
      if (!due && news.length === 0) return { samples: [], events: [] }
      wholeAt = time
      return { samples: countsOf(components, counts, time), events: [...news, wholeEvent(components, time)] }
    }
    const committed = (): void => {
      const text = JSON.stringify(known)
      if (known === undefined || text === saved) return
      at.keep.save(text)
      saved = text
    }
    return polled({ ...at, interval: Math.min(interval, looked), read, committed })
  },
}

/** Devices as they come and go; what has no device behind it, such as a container's interface, is passed over later. */
function listingOf(host: Host): string {
  return ['/sys/block', '/sys/class/net', '/sys/bus/pci/devices'].map(folder => host.list(folder).join(' ')).join('\n')
}

/** What the kernel tells itself goes before what systeminformation makes of it; adds what nobody told to `unread`. */
function together(
  found: readonly Component[],
  asked: readonly Component[] | undefined,
  unread: Set<ComponentType>,
): readonly Component[] {
  const told = new Set(found.map(component => component.type))
  const more = (asked ?? []).filter(({ type }) => !told.has(type) && !unread.has(type))
  const boards: readonly ComponentType[] = ['system', 'mainboard', 'firmware', 'memory']
  for (const type of boards) if (!told.has(type) && !more.some(one => one.type === type)) unread.add(type)
  return [...found, ...more].sort(inOrder)
}

function countsOf(
  components: readonly Component[],
  counts: ReadonlyMap<ComponentType, Series>,
  time: number,
): Sample[] {
  return [...Map.groupBy(components, one => one.type)].map(([type, { length }]) => ({
    series: counts.get(type)!,
    time,
    value: length,
  }))
}

function wholeEvent(components: readonly Component[], time: number): Event {
  return { name: whole.name, time, severity: 'info', body: { components: components.map(json) }, attributes: {} }
}
