// Which programs take the CPU, the memory and the disks: /proc/PID of every process, summed by program (or each alone),
// of which those that took the most are told. Thousands of processes are read in slices, agent/pace.ts; of a few hundred the
// descriptors are kept open, which halves what a reading costs.

import type { Host, HostFile } from '../../core/host.ts'
import type { Attributes, Sample, Series } from '../../core/model.ts'
import { bool, integer, object, optional } from '../../core/shape.ts'
import { metric } from '../metric.ts'
import { pace } from '../pace.ts'
import { patterns } from '../patterns.ts'
import { interval, polled } from '../polled.ts'
import { executableOf, groupName, parseFdSize, parseIo, parsePageSize, parseStat, type Stat } from '../process/stat.ts'
import { addIo, type Group, highest, Table } from '../process/table.ts'
import type { Source } from '../source.ts'

interface Options {
  readonly interval: number
  /** How many by CPU time, and as many by memory. */
  readonly top: number
  /** Programs that are told in any case. */
  readonly include: readonly RegExp[] | undefined
  /** Each process with its PID instead of the sum of a program's. */
  readonly per_process: boolean
}

const ticksPerSecond = 100
/** Of a group with more processes than this nothing is told that would take a file of each. */
const mostAsked = 32
/** Readings between two counts of descriptors: each is a folder to be listed. */
const descriptorsEvery = 6
/** Counting the descriptors of a process that has room for more would hold up everybody. */
const mostDescriptors = 32_768

const mostKeptOpen = 256

const stat = '/proc/PID/stat'
const io = '/proc/PID/io'
const who = ['process.executable.name', 'process.pid']

const cpuTime = metric('process.cpu.time', 's', 'counter', [...who, 'cpu.mode'], stat, 'CPU time used while watched')
const residentSize = metric('process.memory.usage', 'By', 'gauge', who, stat, 'resident memory, shared pages in each')
const virtualSize = metric('process.memory.virtual', 'By', 'gauge', who, stat, 'address space')
const threadCount = metric('process.thread.count', '{thread}', 'gauge', who, stat, 'threads')
const processCount = metric('process.count', '{process}', 'gauge', who, stat, 'processes of this name')
const faults = metric(
  'process.paging.faults',
  '{fault}',
  'counter',
  [...who, 'system.paging.fault.type'],
  stat,
  'page faults that waited for a disk',
)
const diskIo = metric(
  'process.disk.io',
  'By',
  'counter',
  [...who, 'disk.io.direction'],
  io,
  'bytes to and from storage while told; of other users only as root',
)
const descriptors = metric(
  'process.unix.file_descriptor.count',
  '{file_descriptor}',
  'gauge',
  who,
  '/proc/PID/fd',
  'open descriptors; of other users only as root',
)
const byState = metric(
  'system.process.count',
  '{process}',
  'gauge',
  ['process.state'],
  stat,
  'processes by state; those that run or wait for a disk are told by the source cpu',
)

const states = { S: 'sleeping', I: 'idle', T: 'stopped', t: 'stopped', Z: 'defunct' } as const
const stateSeries = new Map(
  [...new Set(Object.values(states))].map(state => [state, byState.of({ 'process.state': state })]),
)

/** Not `process`: that is Node's. */
export const processes: Source<Options> = {
  name: 'process',
  options: object({
    interval,
    top: optional(integer(0, 200), 10),
    include: patterns.include,
    per_process: optional(bool, false),
  }),
  metrics: [cpuTime, residentSize, virtualSize, threadCount, processCount, faults, diskIo, descriptors, byState],
  open(options, at) {
    const { host } = at
    const table = openTable(options.per_process)
    const files = new Files(host)
    let pageSize: number | undefined
    let readings = 0

    const read = async (time: number, signal: AbortSignal) => {
      const counts = new Counts()
      table.begin()
      await readAll(host, files, signal, counts, (pid, stat) => table.add(pid, stat))
      pageSize ??= pageSizeOf(host)
      const told = chosen(table.end(), options)
      const isCounting = readings++ % descriptorsEvery === 0
      const samples = told.flatMap(group => {
        const open = isCounting ? askDescriptors(group, host) : undefined
        return samplesOf(group, pageSize, options.per_process, open, host, time)
      })
      return { samples: [...samples, ...counts.samples(time)], events: [] }
    }
    return polled({ ...at, interval: options.interval, read, close: () => files.close() })
  },
}

function openTable(perProcess: boolean): Table {
  return new Table((pid, stat) => (perProcess ? `${pid} ${stat.started}` : groupName(stat)), groupName)
}

async function readAll(
  host: Host,
  files: Files,
  signal: AbortSignal,
  counts: Counts,
  add: (pid: number, stat: Stat) => void,
): Promise<void> {
  const pacing = pace(host)
  for (const name of host.list('/proc')) {
    if (!isPid(name)) continue
    const file = `/proc/${name}/stat`
    const bytes = files.read(name, file)
    if (bytes === undefined) counts.unread(host, name)
    else {
      const stat = named(parseStat(file, bytes), host, name)
      counts.add(stat)
      add(Number(name), stat)
    }
    const rest = pacing.step(signal)
    if (rest !== undefined) await rest
    if (signal.aborted) throw new Error('stopped')
  }
  files.endPass()
}

/** /proc/PID/stat of every process; the first ones stay open from pass to pass. */
class Files {
  readonly #host: Host
  readonly #kept = new Map<string, HostFile>()
  readonly #met = new Set<string>()

  constructor(host: Host) {
    this.#host = host
  }

  read(pid: string, path: string): Buffer | undefined {
    const known = this.#kept.get(pid)
    if (known === undefined && this.#kept.size >= mostKeptOpen) return this.#host.read(path)
    const file = known ?? this.#host.file(path)
    this.#kept.set(pid, file)
    this.#met.add(pid)
    // The process that it was open for has ended: another may have its PID.
    return file.read() ?? file.read()
  }

  /** Gives back the descriptors of those that were not read in this pass. */
  endPass(): void {
    for (const [pid, file] of this.#kept) {
      if (this.#met.has(pid)) continue
      file.close()
      this.#kept.delete(pid)
    }
    this.#met.clear()
  }

  close(): void {
    for (const file of this.#kept.values()) file.close()
    this.#kept.clear()
  }
}

/** What Node calls its first thread, and so, until the program says otherwise, every program that it runs. */
const nodesThread = 'MainThread'

function named(stat: Stat, host: Host, pid: string): Stat {
  const command = stat.name === nodesThread ? host.read(`/proc/${pid}/cmdline`) : undefined
  const name = command && executableOf(command)
  return name ? { ...stat, name } : stat
}

function isPid(name: string): boolean {
  const first = name.charCodeAt(0)
  return first >= 0x31 && first <= 0x39
}

/** How many processes are in which state; nothing where some are hidden, as the numbers would be too small. */
class Counts {
  readonly #by = new Map<Series, number>()
  #hidden = false

  add({ state }: Stat): void {
    for (const series of this.#by.size === 0 ? stateSeries.values() : []) this.#by.set(series, 0)
    const series = state in states ? stateSeries.get(states[state as keyof typeof states]) : undefined
    if (series !== undefined) this.#by.set(series, this.#by.get(series)! + 1)
  }

  /** It has ended since it was listed, or it is not ours to read. */
  unread(host: Host, pid: string): void {
    this.#hidden ||= host.list(`/proc/${pid}`).length > 0
  }

  samples(time: number): Sample[] {
    return this.#hidden ? [] : [...this.#by].map(([series, value]) => ({ series, time, value }))
  }
}

/** Always 4096 on x86-64; elsewhere the kernel is asked. */
function pageSizeOf(host: Host): number | undefined {
  if (process.arch === 'x64') return 4096
  const auxv = host.read('/proc/self/auxv')
  return auxv && parsePageSize(auxv)
}

function chosen(groups: readonly Group[], { top, include = [] }: Options): Group[] {
  const named = groups.filter(({ name }) => include.some(pattern => pattern.test(name)))
  const told = [...named, ...highest(groups, top, g => g.spent), ...highest(groups, top, g => g.resident)]
  return [...new Set(told)]
}

function seriesOf(of: Attributes): readonly Series[] {
  return [
    cpuTime.of({ ...of, 'cpu.mode': 'user' }),
    cpuTime.of({ ...of, 'cpu.mode': 'system' }),
    residentSize.of(of),
    virtualSize.of(of),
    threadCount.of(of),
    processCount.of(of),
    faults.of({ ...of, 'system.paging.fault.type': 'major' }),
    diskIo.of({ ...of, 'disk.io.direction': 'read' }),
    diskIo.of({ ...of, 'disk.io.direction': 'write' }),
    descriptors.of(of),
  ]
}

function samplesOf(
  group: Group,
  pageSize: number | undefined,
  perProcess: boolean,
  open: number | undefined,
  host: Host,
  time: number,
): Sample[] {
  const { name, processes } = group
  group.series ??= seriesOf({
    'process.executable.name': name,
    ...(perProcess && { 'process.pid': processes[0]!.pid }),
  })
  const io = askIo(group, host)
  // The kernel's own threads have none.
  const hasMemory = group.virtual > 0
  const values = [
    group.user / ticksPerSecond,
    group.system / ticksPerSecond,
    hasMemory && pageSize !== undefined ? group.resident * pageSize : undefined,
    hasMemory ? group.virtual : undefined,
    group.threads,
    perProcess ? undefined : processes.length,
    group.majorFaults,
    io ? group.read : undefined,
    io ? group.written : undefined,
    open,
  ]
  return group.series.flatMap((series, n) => {
    const value = values[n]
    return value === undefined ? [] : [{ series, time, value }]
  })
}

/** Whether all of the group told what they read and wrote. */
function askIo(group: Group, host: Host): boolean {
  if (group.processes.length > mostAsked) return false
  let all = true
  for (const one of group.processes) {
    const file = `/proc/${one.pid}/io`
    const bytes = host.read(file)
    if (bytes === undefined) all = false
    else addIo(group, one, parseIo(file, bytes))
  }
  return all
}

function askDescriptors(group: Group, host: Host): number | undefined {
  if (group.processes.length > mostAsked) return undefined
  let sum = 0
  for (const { pid } of group.processes) {
    const file = `/proc/${pid}/status`
    const bytes = host.read(file)
    if (bytes === undefined || parseFdSize(file, bytes) > mostDescriptors) return undefined
    const open = host.list(`/proc/${pid}/fd`).length
    // A folder that is not ours to read lists nothing, as does the rare process that closed everything.
    if (open === 0) return undefined
    sum += open
  }
  return sum
}
