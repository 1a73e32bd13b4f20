// What the CPUs do and how many processes there are: /proc/stat, proc_stat(5).

import type { Observation, Sample, Series, SeriesKind } from '../../core/model.ts'
import { bool, object, optional } from '../../core/shape.ts'
import { type Metric, metric } from '../metric.ts'
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
  /** Undefined where this kernel does not count them. */
  readonly interrupts: number | undefined
  readonly switches: number | undefined
  readonly softInterrupts: number | undefined
}

const ticksPerSecond = 100

/** Guest time is part of `user` and `nice`; `interrupt` is hardware and software interrupts together. */
const modes = ['user', 'nice', 'system', 'idle', 'iowait', 'interrupt', 'steal'] as const

const file = '/proc/stat'
const told = (name: string, unit: string, kind: SeriesKind, attributes: readonly string[], brief: string): Metric =>
  metric(`system.${name}`, unit, kind, attributes, file, brief)
const perMode = ['cpu.logical_number', 'cpu.mode']
const cpuTime = told('cpu.time', 's', 'counter', perMode, 'of all CPUs together, or of each with `per_cpu`')
const utilization = told('cpu.utilization', '1', 'gauge', ['cpu.mode'], 'share of the time between two readings')
const logicalCount = told('cpu.logical.count', '{cpu}', 'gauge', [], 'CPUs that are online')
const created = told('process.created', '{process}', 'counter', [], 'processes and threads since the boot')
const count = told('process.count', '{process}', 'gauge', ['process.state'], 'tasks running, or blocked by I/O')
const interrupts = told('cpu.interrupts', '{interrupt}', 'counter', [], 'interrupts by hardware')
const softInterrupts = told('cpu.soft_interrupts', '{interrupt}', 'counter', [], 'work that interrupts put off')
const switches = told('cpu.context_switches', '{context_switch}', 'counter', [], 'from one task to another')

const shareSeries = modes.map(mode => utilization.of({ 'cpu.mode': mode }))
/** What is read once for all CPUs. */
const single: readonly (readonly [Series, (stat: Stat) => number | undefined])[] = [
  [logicalCount.of(), stat => stat.each.length],
  [created.of(), stat => stat.created],
  [count.of({ 'process.state': 'running' }), stat => stat.running],
  [count.of({ 'process.state': 'blocked' }), stat => stat.blocked],
  [interrupts.of(), stat => stat.interrupts],
  [softInterrupts.of(), stat => stat.softInterrupts],
  [switches.of(), stat => stat.switches],
]

interface Options {
  readonly interval: number
  /** `system.cpu.time` of each CPU instead of their sum. */
  readonly per_cpu: boolean
}

export const cpu: Source<Options> = {
  name: 'cpu',
  options: object({ interval, per_cpu: optional(bool, false) }),
  metrics: [cpuTime, utilization, logicalCount, created, count, interrupts, softInterrupts, switches],
  open({ interval, per_cpu }, at) {
    const stat = at.host.file(file)
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
  return modes.map(mode => cpuTime.of({ ...which, 'cpu.mode': mode }))
}

function inSeconds(series: readonly Series[], times: Times, time: number): Sample[] {
  return series.map((one, n) => ({ series: one, time, value: times[n]! / ticksPerSecond }))
}

function counts(now: Stat, time: number): Sample[] {
  return single.flatMap(([series, find]) => {
    const value = find(now)
    return value === undefined ? [] : [{ series, time, value }]
  })
}

/** What part of the time since the last reading each mode took; iowait may go back, proc_stat(5), and then has none. */
function shares(before: Times | undefined, now: Times, time: number): Sample[] {
  if (before === undefined) return []
  const spent = now.map((ticks, n) => ticks - before[n]!)
  const all = spent.reduce((sum, ticks) => sum + Math.max(0, ticks), 0)
  if (all === 0) return []
  return shareSeries.flatMap((series, n) => (spent[n]! < 0 ? [] : [{ series, time, value: spent[n]! / all }]))
}

const word = { cpu: Buffer.from('cpu') }
/** In the order of the file. */
const counters = ['intr', 'ctxt', 'processes', 'procs_running', 'procs_blocked', 'softirq'].map(name =>
  Buffer.from(`\n${name} `),
)

export function parseStat(bytes: Buffer): Stat {
  const scan = new Scan(file, bytes)
  if (!scan.takes(word.cpu)) scan.fail('the line cpu')
  const all = parseTimes(scan)
  const each: { cpu: number; times: Times }[] = []
  while (scan.takes(word.cpu)) each.push({ cpu: scan.integer(), times: parseTimes(scan) })
  const [interrupts, switches, created, running, blocked, softInterrupts] = scan.after(counters)
  if (each.length === 0 || created === undefined || running === undefined || blocked === undefined) {
    return scan.fail('lines of each cpu, processes, procs_running and procs_blocked')
  }
  return { all, each, created, running, blocked, interrupts, switches, softInterrupts }
}

type Eight = [number, number, number, number, number, number, number, number]

/** `user nice system idle iowait irq softirq steal ...` to the end of the line. */
function parseTimes(scan: Scan): Times {
  const [user, nice, system, idle, iowait, hardware, software, steal] = scan.integers(8) as Eight
  return [user, nice, system, idle, iowait, hardware + software, steal]
}
