// What is read from and written to disks: /proc/diskstats, Documentation/admin-guide/iostats.rst of the kernel.

import type { Sample, Series, SeriesKind } from '../../core/model.ts'
import { object } from '../../core/shape.ts'
import { Devices, type Listing } from '../devices.ts'
import { chooser, type Patterns, patterns } from '../patterns.ts'
import { interval, polled } from '../polled.ts'
import { Scan } from '../scan.ts'
import type { Source } from '../source.ts'

interface Options extends Patterns {
  readonly interval: number
}

/** Memory, loop and optical devices, and partitions: their disk has the sum. */
const usually = ['ram*', 'zram*', 'loop*', 'fd[0-9]*', 'sr[0-9]*', '[hsv]d[a-z]*[0-9]', 'xvd[a-z]*[0-9]']
const partitions = ['nvme*n*p[0-9]*', 'mmcblk*p[0-9]*', 'md*p[0-9]*', 'nbd*p[0-9]*']

/** The first 11 numbers of a line in their order, and how each becomes a series. */
const sectors = 1 / 512
const milliseconds = 1000
const fields: readonly Field[] = [
  field('operations', '{operation}', 1, 'read'),
  field('merged', '{operation}', 1, 'read'),
  field('io', 'By', sectors, 'read'),
  field('operation_time', 's', milliseconds, 'read'),
  field('operations', '{operation}', 1, 'write'),
  field('merged', '{operation}', 1, 'write'),
  field('io', 'By', sectors, 'write'),
  field('operation_time', 's', milliseconds, 'write'),
  field('pending_operations', '{operation}', 1, undefined, 'gauge'),
  field('io_time', 's', milliseconds),
  field('weighted_io_time', 's', milliseconds),
]

interface Field {
  /** How many of the file's units make one of the series': divided by, so that 34 ms are 0.034 s to the last bit. */
  readonly per: number
  readonly of: (device: string) => Series
}

interface Disk {
  readonly series: readonly Series[]
  readonly values: Float64Array
}

export const diskIo: Source<Options> = {
  name: 'disk-io',
  options: object({ interval, ...patterns }),
  metrics: undefined,
  open(options, at) {
    const diskstats = at.host.file('/proc/diskstats')
    const chosen = chooser(options, [...usually, ...partitions])
    const disks = new Devices(name => (chosen(name) ? disk(name) : undefined))

    const read = (time: number) => {
      const bytes = diskstats.read()
      if (bytes === undefined) return { samples: [], events: [] }
      parseDiskstats(bytes, disks)
      return { samples: [...disks.all()].flatMap(d => (d === undefined ? [] : samplesOf(d, time))), events: [] }
    }
    return polled({ ...at, interval: options.interval, read, close: () => diskstats.close() })
  },
}

function field(name: string, unit: string, per: number, direction?: string, kind: SeriesKind = 'counter'): Field {
  const way = direction === undefined ? {} : { 'disk.io.direction': direction }
  return {
    per,
    of: device => ({ name: `system.disk.${name}`, unit, kind, attributes: { 'system.device.name': device, ...way } }),
  }
}

export function disk(name: string): Disk {
  return { series: fields.map(f => f.of(name)), values: new Float64Array(fields.length) }
}

function samplesOf({ series, values }: Disk, time: number): Sample[] {
  return series.map((one, n) => ({ series: one, time, value: values[n]! / fields[n]!.per }))
}

/** `   8       0 sda 25354637 34367663 ...`: major, minor, name, then 11 numbers or more. */
export function parseDiskstats(bytes: Buffer, disks: Listing<{ readonly values: Float64Array } | undefined>): void {
  const scan = new Scan('/proc/diskstats', bytes)
  disks.begin()
  while (scan.more) {
    scan.integer()
    scan.integer()
    scan.blanks()
    const start = scan.at
    const values = disks.at(bytes, start, scan.until(0x20))?.values
    if (values !== undefined) for (let n = 0; n < values.length; n++) values[n] = scan.integer()
    scan.line()
  }
  disks.end()
}
