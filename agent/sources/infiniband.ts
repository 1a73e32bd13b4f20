// InfiniBand and RoCE ports: state, rate, and the counters of port and driver, one file each in /sys/class/infiniband.
// Reading one may ask the firmware, so a port costs far more than an interface in /proc/net/dev.

import { reason } from '../../core/errors.ts'
import type { Host, HostFile } from '../../core/host.ts'
import { troubles } from '../../core/log.ts'
import type { Sample, Series } from '../../core/model.ts'
import { object } from '../../core/shape.ts'
import { counterMetrics, counters, hardwareCounters, identity, type Meaning, other } from '../infiniband/counters.ts'
import { metric } from '../metric.ts'
import { chooser, type Patterns, patterns } from '../patterns.ts'
import { interval, polled } from '../polled.ts'
import { Scan } from '../scan.ts'
import { seldom } from '../seldom.ts'
import type { Source } from '../source.ts'

/** The patterns choose by device, e.g. `mlx5_*`. */
interface Options extends Patterns {
  readonly interval: number
}

const folder = '/sys/class/infiniband'
const mostPorts = 64
/** Ports whose files stay open, some 50 each. */
const keptPorts = 8
const mostOwnCounters = 128

const state = (name: string, unit: string, file: string, brief: string) =>
  metric(`hw.${name}`, unit, 'gauge', identity, `${folder}/*/ports/*/${file}`, brief)
const metrics = {
  up: state('network.up', '1', 'state', '1 where the port is active'),
  state: state('infiniband.port.state', '1', 'state', '1 down, 2 initialize, 3 armed, 4 active, 5 active deferred'),
  physical: state(
    'infiniband.port.physical_state',
    '1',
    'phys_state',
    '1 sleep, 2 polling, 3 disabled, 4 training, 5 link up, 6 error recovery, 7 test',
  ),
  rate: state('network.bandwidth.limit', 'By/s', 'rate', 'the rate of the link'),
}

export const infiniband: Source<Options> = {
  name: 'infiniband',
  options: object({ interval, ...patterns }),
  metrics: [...Object.values(metrics), ...counterMetrics],
  open(options, at) {
    const chosen = chooser(options, [])
    const trouble = troubles(at.say)
    const ports = new Map<string, Port>()
    const isDue = seldom()

    const look = (time: number): void => {
      if (!isDue(time)) return
      const found = portsOf(at.host, chosen)
      trouble(
        'infiniband',
        found.length > mostPorts ? `only ${mostPorts} of ${found.length} ports are read` : undefined,
      )
      const present = new Set(found.slice(0, mostPorts))
      for (const [id, port] of ports) {
        if (present.has(id)) continue
        port.close()
        ports.delete(id)
      }
      for (const id of present) if (!ports.has(id)) ports.set(id, openPort(at.host, id, ports.size < keptPorts))
    }
    const read = (time: number) => {
      look(time)
      const samples: Sample[] = []
      for (const [id, port] of ports) {
        const before = samples.length
        try {
          port.read(time, samples)
          trouble(`port ${id}`, undefined)
        } catch (error) {
          samples.length = before
          trouble(`port ${id}`, reason(error))
        }
      }
      return { samples, events: [] }
    }
    const close = (): void => {
      for (const port of ports.values()) port.close()
    }
    return polled({ ...at, interval: options.interval, read, close })
  },
}

/** `mlx5_0/1` and so on. */
function portsOf(host: Host, chosen: (device: string) => boolean): readonly string[] {
  return host
    .list(folder)
    .filter(chosen)
    .flatMap(device => host.list(`${folder}/${device}/ports`).map(port => `${device}/${port}`))
}

interface Port {
  read(time: number, into: Sample[]): void
  close(): void
}

interface Reading {
  readonly path: string
  readonly file: HostFile
  tell(scan: Scan, time: number, into: Sample[]): void
}

function openPort(host: Host, id: string, keep: boolean): Port {
  const [device, number] = id.split('/')
  const base = `${folder}/${device}/ports/${number}`
  const whose = { 'hw.id': id, 'hw.parent': device! }
  const file = (path: string): HostFile =>
    keep ? host.file(path) : { read: () => host.read(path), close: () => undefined }
  const reading = (path: string, tell: Reading['tell']): Reading => ({ path, file: file(path), tell })
  const ofFolder = (name: string, meanings: Readonly<Record<string, Meaning>>, most: number): Reading[] =>
    host
      .list(`${base}/${name}`)
      .flatMap(counter => meaningOf(counter, meanings) ?? [])
      .slice(0, most)
      .map(({ counter, metric: of, attributes, scale }) =>
        reading(`${base}/${name}/${counter}`, counterTeller(of.of({ ...whose, ...attributes }), scale)),
      )
  const files = [
    reading(`${base}/state`, stateTeller(metrics.state.of(whose), metrics.up.of(whose))),
    reading(`${base}/phys_state`, stateTeller(metrics.physical.of(whose))),
    reading(`${base}/rate`, rateTeller(metrics.rate.of(whose))),
    ...ofFolder('counters', counters, mostOwnCounters),
    ...ofFolder('hw_counters', hardwareCounters, mostOwnCounters),
  ]
  const read = (time: number, into: Sample[]): void => {
    for (const { path, file, tell } of files) {
      const bytes = file.read()
      if (bytes !== undefined) tell(new Scan(path, bytes), time, into)
    }
  }
  return {
    read,
    close: () => {
      for (const one of files) one.file.close()
    },
  }
}

/** Of the counters of the architecture those known; of the driver's all but `lifespan`, a setting. */
function meaningOf(counter: string, meanings: Readonly<Record<string, Meaning>>) {
  const known = meanings[counter]
  if (known !== undefined) return { counter, ...known }
  if (meanings === counters || counter === 'lifespan') return undefined
  return { counter, metric: other, attributes: { 'infiniband.counter': counter }, scale: 1 }
}

/** `N/A (no PMA)`: a port, often of a virtual machine, that may not count. */
const none = Buffer.from('N/A')

function counterTeller(series: Series, scale: number): Reading['tell'] {
  return (scan, time, into) => {
    if (!scan.takes(none)) into.push({ series, time, value: scan.integer() * scale })
  }
}

const colon = 0x3a
const active = 4

/** `4: ACTIVE`. 0 is no state. */
function stateTeller(series: Series, up?: Series): Reading['tell'] {
  return (scan, time, into) => {
    const value = scan.byte - 0x30
    scan.until(colon)
    if (scan.at !== 2 || value < 0 || value > 9) scan.fail('a state such as 4: ACTIVE', 0)
    scan.line()
    if (value === 0) return
    into.push({ series, time, value })
    if (up !== undefined) into.push({ series: up, time, value: value === active ? 1 : 0 })
  }
}

/** `100 Gb/sec (4X EDR)`, `2.5 Gb/sec (1X SDR)`; the words behind are not always there. */
function rateTeller(series: Series): Reading['tell'] {
  return (scan, time, into) => {
    const [, gigabits] =
      /^(\d+(?:\.\d+)?) Gb\/sec(?: .*)?\n$/.exec(scan.text()) ?? scan.fail('a rate such as 100 Gb/sec')
    into.push({ series, time, value: (Number(gigabits) * 1e9) / 8 })
  }
}
