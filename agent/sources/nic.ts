// What network interfaces carry, /proc/net/dev, and the state of their links, /sys/class/net/*.

import { troubles } from '../../core/log.ts'
import type { Sample, Series } from '../../core/model.ts'
import { object } from '../../core/shape.ts'
import { Devices, type Listing } from '../devices.ts'
import { type Link, openLink } from '../nic/link.ts'
import { Links } from '../nic/links.ts'
import { columns, errorColumns, metrics } from '../nic/metrics.ts'
import { chooser, type Patterns, patterns } from '../patterns.ts'
import { interval, polled } from '../polled.ts'
import { Scan } from '../scan.ts'
import type { Source } from '../source.ts'

interface Options extends Patterns {
  readonly interval: number
}

/** The host talking with itself, and the host's end of each container. */
const usually = ['lo', 'veth*']

/** Errors by kind are told when they grew, else so often. */
const errorsEvery = 60_000

interface Nic {
  readonly values: Float64Array
  readonly series: readonly Series[]
  readonly errors: readonly Series[]
  /** The values of `errorColumns` as last told. */
  readonly told: Float64Array
  toldAt: number
  readonly link: Link
}

export const nic: Source<Options> = {
  name: 'nic',
  options: object({ interval, ...patterns }),
  metrics: Object.values(metrics),
  open(options, at) {
    const dev = at.host.file('/proc/net/dev')
    const chosen = chooser(options, usually)
    const links = new Links(troubles(at.say))
    const make = (name: string): Nic | undefined =>
      chosen(name) ? openNic(name, links.add(openLink(name, at.host))) : undefined
    const nics = new Devices(make, gone => gone && links.delete(gone.link))

    const read = (time: number) => {
      const bytes = dev.read()
      if (bytes === undefined) return { samples: [], events: [] }
      parseNetDev(bytes, nics)
      const samples: Sample[] = []
      for (const one of nics.all()) if (one !== undefined) tell(one, time, samples)
      links.read(time, samples)
      return { samples, events: [] }
    }
    const close = (): void => {
      dev.close()
      links.close()
    }
    return polled({ ...at, interval: options.interval, read, close })
  },
}

function openNic(name: string, link: Link): Nic {
  const own = { 'network.interface.name': name }
  const series = columns.map(({ metric, direction }) => metric.of({ ...own, 'network.io.direction': direction }))
  const errors = errorColumns.map(({ kind, direction }) =>
    metrics.kinds.of({
      'hw.id': name,
      'hw.type': 'network',
      ...own,
      'error.type': kind,
      'network.io.direction': direction,
    }),
  )
  const told = new Float64Array(errorColumns.length)
  return { values: new Float64Array(16), series, errors, told, toldAt: Number.NEGATIVE_INFINITY, link }
}

function tell(nic: Nic, time: number, into: Sample[]): void {
  const { values, series, errors, told } = nic
  for (const [n, one] of series.entries()) into.push({ series: one, time, value: values[columns[n]!.at]! })
  const all = Math.abs(time - nic.toldAt) >= errorsEvery
  if (all) nic.toldAt = time
  for (const [n, one] of errors.entries()) {
    const value = values[errorColumns[n]!.at]!
    if (!all && value === told[n]) continue
    told[n] = value
    into.push({ series: one, time, value })
  }
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
    if (values === undefined) scan.line()
    else values.set(scan.integers(values.length).slice(0, values.length))
  }
  nics.end()
}
