// What is read from and written to disks: /proc/diskstats, Documentation/admin-guide/iostats.rst of the kernel; their size.
// How long an operation waits is operation_time over operations, how busy a disk is the growth of io_time a second, and
// the length of its queue that of weighted_io_time.

import { reason } from '../../core/errors.ts'
import type { Host } from '../../core/host.ts'
import { type Trouble, troubles } from '../../core/log.ts'
import type { Attributes, Sample, Series } from '../../core/model.ts'
import { object } from '../../core/shape.ts'
import { Devices, type Listing } from '../devices.ts'
import { metric } from '../metric.ts'
import { chooser, type Patterns, patterns } from '../patterns.ts'
import { interval, polled } from '../polled.ts'
import { Scan } from '../scan.ts'
import { seldom } from '../seldom.ts'
import type { Source } from '../source.ts'
import { parseText } from '../sysfs.ts'

interface Options extends Patterns {
  readonly interval: number
}

/** Memory, loop and optical devices, and partitions: their disk has the sum. */
const usually = ['ram*', 'zram*', 'loop*', 'fd[0-9]*', 'sr[0-9]*', '[hsv]d[a-z]*[0-9]', 'xvd[a-z]*[0-9]']
const partitions = ['nvme*n*p[0-9]*', 'mmcblk*p[0-9]*', 'md*p[0-9]*', 'nbd*p[0-9]*']

const device = ['system.device.name', 'system.device.dm.name']
const directed = [...device, 'disk.io.direction']
const counted = (name: string, unit: string, brief: string, attributes = device) =>
  metric(`system.disk.${name}`, unit, 'counter', attributes, '/proc/diskstats', brief)
const of = {
  operations: counted('operations', '{operation}', 'completed, by direction: read, write, discard, flush', directed),
  merged: counted('merged', '{operation}', 'merged into others before they were queued', directed),
  io: counted('io', 'By', 'read, written, discarded', directed),
  operationTime: counted('operation_time', 's', 'spent by all operations, in the queue and in the device', directed),
  pending: metric('system.disk.pending_operations', '{operation}', 'gauge', device, '/proc/diskstats', 'in flight now'),
  ioTime: counted('io_time', 's', 'time with at least one operation in flight'),
  weighted: counted('weighted_io_time', 's', 'time times the operations in flight'),
  limit: metric('system.disk.limit', 'By', 'gauge', device, '/sys/block/*/size', 'capacity, once a minute'),
}

/** The numbers of a line in their order, and how each becomes a series. */
const sectors = 1 / 512
const milliseconds = 1000
const fields: readonly Field[] = [
  field(of.operations, 1, 'read'),
  field(of.merged, 1, 'read'),
  field(of.io, sectors, 'read'),
  field(of.operationTime, milliseconds, 'read'),
  field(of.operations, 1, 'write'),
  field(of.merged, 1, 'write'),
  field(of.io, sectors, 'write'),
  field(of.operationTime, milliseconds, 'write'),
  field(of.pending, 1),
  field(of.ioTime, milliseconds),
  field(of.weighted, milliseconds),
  field(of.operations, 1, 'discard'),
  field(of.merged, 1, 'discard'),
  field(of.io, sectors, 'discard'),
  field(of.operationTime, milliseconds, 'discard'),
  field(of.operations, 1, 'flush'),
  field(of.operationTime, milliseconds, 'flush'),
]

/** How many numbers a line has: since Linux 2.6.25, with discards (4.18), with flushes (5.5); more are not known yet. */
const lengths: ReadonlySet<number> = new Set([11, 15, fields.length])

interface Field {
  /** How many of the file's units make one of the series': divided by, so that 34 ms are 0.034 s to the last bit. */
  readonly per: number
  readonly of: (device: Attributes) => Series
}

interface Line {
  readonly values: Float64Array
  /** How many of them this kernel tells. */
  told: number
}

interface Disk extends Line {
  readonly name: string
  /** The name of a dm device (LVM, multipath, LUKS), by which people know it: its number changes with each boot. */
  dmName: string | undefined
  series: readonly Series[]
  limit: Series
}

export const diskIo: Source<Options> = {
  name: 'disk-io',
  options: object({ interval, ...patterns }),
  metrics: Object.values(of),
  open(options, at) {
    const diskstats = at.host.file('/proc/diskstats')
    const chosen = chooser(options, [...usually, ...partitions])
    const about = aboutDisks(at.host, troubles(at.say))
    const disks = new Devices(name => (chosen(name) ? openDisk(name, about.dmName(name)) : undefined))
    const isTime = seldom()

    const read = (time: number) => {
      const bytes = diskstats.read()
      if (bytes === undefined) return { samples: [], events: [] }
      parseDiskstats(bytes, disks)
      const all = [...disks.all()].filter(d => d !== undefined)
      const sizes = isTime(time) ? all.flatMap(d => lookAgain(d, about, time)) : []
      return { samples: [...all.flatMap(d => samplesOf(d, time)), ...sizes], events: [] }
    }
    return polled({ ...at, interval: options.interval, read, close: () => diskstats.close() })
  },
}

function field(metric: (typeof of)['io'], per: number, direction?: string): Field {
  const way: Attributes = direction === undefined ? {} : { 'disk.io.direction': direction }
  return { per, of: device => metric.of({ ...device, ...way }) }
}

function openDisk(name: string, dmName: string | undefined): Disk {
  return { name, dmName, values: new Float64Array(fields.length), told: 0, ...seriesOf(name, dmName) }
}

function seriesOf(name: string, dmName: string | undefined): Pick<Disk, 'series' | 'limit'> {
  const dm: Attributes = dmName === undefined ? {} : { 'system.device.dm.name': dmName }
  const about = { 'system.device.name': name, ...dm }
  return { series: fields.map(f => f.of(about)), limit: of.limit.of(about) }
}

/** The size, and whether a dm device was renamed or its number given to another. */
function lookAgain(disk: Disk, about: ReturnType<typeof aboutDisks>, time: number): Sample[] {
  const dmName = about.dmName(disk.name)
  if (dmName !== disk.dmName) Object.assign(disk, { dmName, ...seriesOf(disk.name, dmName) })
  const size = about.size(disk.name)
  return size === undefined ? [] : [{ series: disk.limit, time, value: size / sectors }]
}

/** What /sys/block tells of a disk; what is damaged is said, and the disk goes on without it. */
function aboutDisks(host: Host, trouble: Trouble) {
  const ask = <T>(disk: string, file: string, parse: (path: string, bytes: Buffer) => T): T | undefined => {
    // Of `cciss/c0d0` it is `cciss!c0d0`.
    const path = `/sys/block/${disk.replaceAll('/', '!')}/${file}`
    try {
      const bytes = host.read(path)
      const value = bytes && parse(path, bytes)
      trouble(`disk ${disk}, ${file}`, undefined)
      return value
    } catch (error) {
      trouble(`disk ${disk}, ${file}`, reason(error))
      return undefined
    }
  }
  return {
    dmName: (disk: string) => (disk.startsWith('dm-') ? ask(disk, 'dm/name', parseText) : undefined),
    size: (disk: string) => ask(disk, 'size', (path, bytes) => new Scan(path, bytes).integer()),
  }
}

function samplesOf({ series, values, told }: Disk, time: number): Sample[] {
  const samples: Sample[] = []
  for (let n = 0; n < told; n++) samples.push({ series: series[n]!, time, value: values[n]! / fields[n]!.per })
  return samples
}

/** `   8       0 sda 25354637 34367663 ...`: major, minor, name, then 11, 15 or 17 numbers, in time more. */
export function parseDiskstats(bytes: Buffer, disks: Listing<Line | undefined>): void {
  const scan = new Scan('/proc/diskstats', bytes)
  disks.begin()
  while (scan.more) {
    scan.integer()
    scan.integer()
    scan.blanks()
    const start = scan.at
    const disk = disks.at(bytes, start, scan.until(0x20))
    if (disk === undefined) scan.line()
    else parseNumbers(scan, disk)
  }
  disks.end()
}

function parseNumbers(scan: Scan, disk: Line): void {
  const { values } = disk
  const start = scan.at
  const numbers = scan.integers(0).slice(0, values.length)
  if (!lengths.has(numbers.length)) scan.fail(`11, 15 or ${values.length} numbers`, start)
  values.set(numbers)
  disk.told = numbers.length
}
