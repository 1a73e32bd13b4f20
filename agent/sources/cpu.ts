// What the CPUs do and how many processes there are: /proc/stat, proc_stat(5).

import type { Observation, Sample, Series } from '../../core/model.ts'
import { bool, object, optional } from '../../core/shape.ts'
import { interval, polled } from '../polled.ts'
import { Scan } from '../scan.ts'
import type { Source } from '../source.ts'

/** Time since the boot by mode, in the order of `modes`, in ticks of 10 ms (USER_HZ is 100 on every Linux). */
type Times = readonly number[]

interface Stat {
  readonly all: Times
  /** Of each CPU that is online. */
  readonly each: readonly { readonly cpu: number; readonly times: Times }[]
  readonly created: number
  readonly running: number
  readonly blocked: number
}

const ticksPerSecond = 100

/** Guest time is part of `user` and `nice`; `interrupt` is hardware and software interrupts together. */
const modes = ['user', 'nice', 'system', 'idle', 'iowait', 'interrupt', 'steal'] as const

const utilization = modes.map(
  (mode): Series => ({ name: 'system.cpu.utilization', unit: '1', kind: 'gauge', attributes: { 'cpu.mode': mode } }),
)
const logicalCount: Series = { name: 'system.cpu.logical.count', unit: '{cpu}', kind: 'gauge', attributes: {} }
const created: Series = { name: 'system.process.created', unit: '{process}', kind: 'counter', attributes: {} }
const [running, blocked] = ['running', 'blocked'].map(
  (state): Series => ({
    name: 'system.process.count',
    unit: '{process}',
    kind: 'gauge',
    attributes: { 'process.state': state },
  }),
) as [Series, Series]

interface Options {
  readonly interval: number
  /** `system.cpu.time` of each CPU instead of their sum. */
  readonly per_cpu: boolean
}

export const cpu: Source<Options> = {
  name: 'cpu',
  options: object({ interval, per_cpu: optional(bool, false) }),
  metrics: undefined,
  open({ interval, per_cpu }, at) {
    const stat = at.host.file('/proc/stat')
    const total = timeSeries()
    const perCpu = new Map<number, readonly Series[]>()
    let before: Times | undefined

    const times = (now: Stat, time: number): Sample[] => {
      if (!per_cpu) return inSeconds(total, now.all, time)
      return now.each.flatMap(({ cpu, times }) => {
        const series = perCpu.get(cpu) ?? timeSeries(cpu)
        perCpu.set(cpu, series)
        return inSeconds(series, times, time)
      })
    }

    const read = (time: number): Observation => {
      const bytes = stat.read()
      const now = bytes && parseStat(bytes)
      const past = before
      before = now?.all
      if (now === undefined) return { samples: [], events: [] }
      const samples = [...times(now, time), ...counts(now, time), ...shares(past, now.all, time)]
      return { samples, events: [] }
    }
    return polled({ ...at, interval, read, close: () => stat.close() })
  },
}

function timeSeries(cpu?: number): readonly Series[] {
  const which = cpu === undefined ? {} : { 'cpu.logical_number': cpu }
  return modes.map(mode => ({
    name: 'system.cpu.time',
    unit: 's',
    kind: 'counter',
    attributes: { ...which, 'cpu.mode': mode },
  }))
}

function inSeconds(series: readonly Series[], times: Times, time: number): Sample[] {
  return series.map((one, n) => ({ series: one, time, value: times[n]! / ticksPerSecond }))
}

function counts(now: Stat, time: number): Sample[] {
  return [
    { series: logicalCount, time, value: now.each.length },
    { series: created, time, value: now.created },
    { series: running, time, value: now.running },
    { series: blocked, time, value: now.blocked },
  ]
}

/** What part of the time since the last reading each mode took; iowait may go back, proc_stat(5), and then has none. */
function shares(before: Times | undefined, now: Times, time: number): Sample[] {
  if (before === undefined) return []
  const spent = now.map((ticks, n) => ticks - before[n]!)
  const all = spent.reduce((sum, ticks) => sum + Math.max(0, ticks), 0)
  if (all === 0) return []
  return utilization.flatMap((series, n) => (spent[n]! < 0 ? [] : [{ series, time, value: spent[n]! / all }]))
}

const word = { cpu: Buffer.from('cpu') }
const counters = ['\nprocesses ', '\nprocs_running ', '\nprocs_blocked '].map(line => Buffer.from(line))

export function parseStat(bytes: Buffer): Stat {
  const scan = new Scan('/proc/stat', bytes)
  if (!scan.takes(word.cpu)) scan.fail('the line cpu')
  const all = parseTimes(scan)
  const each: { cpu: number; times: Times }[] = []
  while (scan.takes(word.cpu)) each.push({ cpu: scan.integer(), times: parseTimes(scan) })
  const [created, running, blocked] = scan.after(counters)
  if (each.length === 0 || created === undefined || running === undefined || blocked === undefined) {
    return scan.fail('lines of each cpu, processes, procs_running and procs_blocked')
  }
  return { all, each, created, running, blocked }
}

/** `user nice system idle iowait irq softirq steal ...` to the end of the line. */
function parseTimes(scan: Scan): Times {
  const user = scan.integer()
  const nice = scan.integer()
  const system = scan.integer()
  const idle = scan.integer()
  const iowait = scan.integer()
  const interrupt = scan.integer() + scan.integer()
  const steal = scan.integer()
  scan.line()
  return [user, nice, system, idle, iowait, interrupt, steal]
}
