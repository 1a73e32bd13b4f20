// What network interfaces carry, /proc/net/dev, and the state of their links, /sys/class/net/*,
// Documentation/ABI/testing/sysfs-class-net of the kernel.

import type { Host, HostFile } from '../../core/host.ts'
import type { Attributes, Sample, Series, SeriesKind } from '../../core/model.ts'
import { object } from '../../core/shape.ts'
import { Devices, type Listing } from '../devices.ts'
import { chooser, type Patterns, patterns } from '../patterns.ts'
import { interval, polled } from '../polled.ts'
import { Scan } from '../scan.ts'
import type { Source } from '../source.ts'

interface Options extends Patterns {
  readonly interval: number
}

/** The host talking with itself, and the host's end of each container. */
const usually = ['lo', 'veth*']

/** Asking a driver for the speed may wait on the device; it changes only with the carrier. */
const speedEvery = 60_000

/** Of the 16 numbers of a line, those that become series. */
const columns = [
  { at: 0, name: 'io', unit: 'By', direction: 'receive' },
  { at: 1, name: 'packet.count', unit: '{packet}', direction: 'receive' },
  { at: 2, name: 'errors', unit: '{error}', direction: 'receive' },
  { at: 3, name: 'packet.dropped', unit: '{packet}', direction: 'receive' },
  { at: 8, name: 'io', unit: 'By', direction: 'transmit' },
  { at: 9, name: 'packet.count', unit: '{packet}', direction: 'transmit' },
  { at: 10, name: 'errors', unit: '{error}', direction: 'transmit' },
  { at: 11, name: 'packet.dropped', unit: '{packet}', direction: 'transmit' },
] as const

interface Nic {
  readonly values: Float64Array
  readonly series: readonly Series[]
  readonly link: Link
}

export const nic: Source<Options> = {
  name: 'nic',
  options: object({ interval, ...patterns }),
  metrics: undefined,
  open(options, at) {
    const dev = at.host.file('/proc/net/dev')
    const chosen = chooser(options, usually)
    const make = (name: string): Nic | undefined => (chosen(name) ? openNic(name, at.host) : undefined)
    const nics = new Devices(make, gone => gone?.link.close())

    const read = (time: number) => {
      const bytes = dev.read()
      if (bytes === undefined) return { samples: [], events: [] }
      parseNetDev(bytes, nics)
      const samples = [...nics.all()].flatMap(one => (one === undefined ? [] : samplesOf(one, time)))
      return { samples, events: [] }
    }
    const close = (): void => {
      dev.close()
      for (const one of nics.all()) one?.link.close()
    }
    return polled({ ...at, interval: options.interval, read, close })
  },
}

function openNic(name: string, host: Host): Nic {
  const series = columns.map(
    ({ name: what, unit, direction }): Series => ({
      name: `system.network.${what}`,
      unit,
      kind: 'counter',
      attributes: { 'network.interface.name': name, 'network.io.direction': direction },
    }),
  )
  return { values: new Float64Array(16), series, link: openLink(name, host) }
}

function samplesOf({ series, values, link }: Nic, time: number): Sample[] {
  const samples = series.map((one, n) => ({ series: one, time, value: values[columns[n]!.at]! }))
  return [...samples, ...link.read(time)]
}

const header = Buffer.from('Inter-|')

/** Two lines of heading, then `  eth0: 874354587 1036395 ...`: name and 16 numbers. */
export function parseNetDev(bytes: Buffer, nics: Listing<{ readonly values: Float64Array } | undefined>): void {
  const scan = new Scan('/proc/net/dev', bytes)
  if (!scan.takes(header)) scan.fail('the heading Inter-|')
  scan.line()
  scan.line()
  nics.begin()
  while (scan.more) {
    scan.blanks()
    const start = scan.at
    const values = nics.at(bytes, start, scan.until(0x3a))?.values
    if (values !== undefined) for (let n = 0; n < values.length; n++) values[n] = scan.integer()
    scan.line()
  }
  nics.end()
}

interface Link {
  read(time: number): Sample[]
  close(): void
}

/** The hardware conventions (hw.*) ask for `hw.id`. */
function openLink(name: string, host: Host): Link {
  const file = (what: string): HostFile => host.file(`/sys/class/net/${name}/${what}`)
  const files = { operstate: file('operstate'), changes: file('carrier_changes'), speed: file('speed') }
  const attributes = { 'hw.id': name, 'network.interface.name': name }
  const up = series('up', '1', 'gauge', attributes)
  const carrierChanges = series('carrier_changes', '{change}', 'counter', attributes)
  const limit = series('bandwidth.limit', 'By/s', 'gauge', attributes)
  let askedAt = Number.NEGATIVE_INFINITY
  let changesThen: number | undefined

  const speed = (time: number, changes: number | undefined): number | undefined => {
    if (Math.abs(time - askedAt) < speedEvery && changes === changesThen) return undefined
    askedAt = time
    changesThen = changes
    return parsed(files.speed, parseSpeed, name, 'speed')
  }

  const read = (time: number): Sample[] => {
    const changes = parsed(files.changes, parseCount, name, 'carrier_changes')
    const found = [
      { series: up, time, value: parsed(files.operstate, parseOperstate, name, 'operstate') },
      { series: carrierChanges, time, value: changes },
      { series: limit, time, value: speed(time, changes) },
    ]
    return found.filter((s): s is Sample => s.value !== undefined)
  }
  const close = (): void => {
    for (const one of Object.values(files)) one.close()
  }
  return { read, close }
}

function series(name: string, unit: string, kind: SeriesKind, attributes: Attributes): Series {
  return { name: `hw.network.${name}`, unit, kind, attributes }
}

function parsed<T>(file: HostFile, parse: (scan: Scan) => T, nic: string, what: string): T | undefined {
  const bytes = file.read()
  return bytes && parse(new Scan(`/sys/class/net/${nic}/${what}`, bytes))
}

function parseCount(scan: Scan): number {
  return scan.integer()
}

const noSpeed = Buffer.from('-1\n')

/** Megabits a second, or -1; in bytes a second. */
function parseSpeed(scan: Scan): number | undefined {
  if (scan.takes(noSpeed)) return undefined
  return (scan.integer() * 1_000_000) / 8
}

const states = { up: 1, down: 0, lowerlayerdown: 0, notpresent: 0, dormant: 0, testing: 0, unknown: undefined } as const
const stateWords = Object.entries(states).map(([word, value]) => ({ word: Buffer.from(`${word}\n`), value }))

/** The operational states of RFC 2863; `unknown` (tunnels, loopback) has no value. */
function parseOperstate(scan: Scan): number | undefined {
  const state = stateWords.find(({ word }) => scan.takes(word))
  return state === undefined ? scan.fail('an operational state such as up') : state.value
}
