// What the kernel holds, what it may hold at most, and whether it came to harm: /proc/sys, proc_sys(5), and /proc/stat.

import type { Host } from '../../core/host.ts'
import type { Sample, Series } from '../../core/model.ts'
import { bool, object, optional } from '../../core/shape.ts'
import { booted, openBoots } from '../boot.ts'
import { type Interrupts, parseInterrupts } from '../interrupts.ts'
import { metric } from '../metric.ts'
import { interval, polled } from '../polled.ts'
import { Scan } from '../scan.ts'
import type { Source } from '../source.ts'

interface Options {
  readonly interval: number
  /** Also interrupts by their line and soft interrupts by their kind: some hundred series on a large machine. */
  readonly interrupts: boolean
}

/** How often what seldom changes is read, ms. */
const slowly = 60_000
/** Lines of /proc/interrupts that become series. */
const mostLines = 512

const proc = (what: string): string => `/proc/sys/${what}`
const gauge = (name: string, unit: string, file: string, brief: string) =>
  metric(`system.${name}`, unit, 'gauge', [], proc(file), brief)

const fileHandles = gauge('linux.file_handle.count', '{file_handle}', 'fs/file-nr', 'open files, sockets and pipes')
const fileLimit = gauge('linux.file_handle.limit', '{file_handle}', 'fs/file-nr', 'absent where there is none')
const inodes = gauge('linux.inode.count', '{inode}', 'fs/inode-nr', 'in memory')
const inodesFree = gauge('linux.inode.free', '{inode}', 'fs/inode-nr', 'of those, unused')
const dentries = gauge('linux.dentry.count', '{entry}', 'fs/dentry-state', 'names of files in memory')
const dentriesUnused = gauge('linux.dentry.unused', '{entry}', 'fs/dentry-state', 'of those, unused')
const aio = gauge('linux.aio.count', '{request}', 'fs/aio-nr', 'asynchronous I/O requests allotted')
const aioLimit = gauge('linux.aio.limit', '{request}', 'fs/aio-max-nr', 'at most')
const entropy = gauge('linux.entropy.available', 'bit', 'kernel/random/entropy_avail', 'of the random generator')
const entropyLimit = gauge('linux.entropy.limit', 'bit', 'kernel/random/poolsize', 'size of its pool')
const processLimit = gauge('process.limit', '{process}', 'kernel/pid_max', 'process and thread numbers there are')
const threadLimit = gauge('thread.limit', '{thread}', 'kernel/threads-max', 'threads at most')
const hungTasks = metric(
  'system.linux.hung_tasks',
  '{task}',
  'counter',
  [],
  proc('kernel/hung_task_detect_count'),
  'tasks found to have waited too long for a device',
)
const taint = metric(
  'system.linux.kernel.taint',
  '1',
  'gauge',
  ['system.linux.kernel.taint.flag'],
  proc('kernel/tainted'),
  '1 where it happened since the boot: `machine_check`, `bad_page`, `oops`, `warning`, `soft_lockup`',
)
const bootTime = metric(
  'system.boot.time',
  's',
  'gauge',
  [],
  '/proc/stat',
  'when the host was started, since the epoch',
)
const byLine = metric(
  'system.cpu.interrupts_by_line',
  '{interrupt}',
  'counter',
  ['system.cpu.interrupt.line', 'system.cpu.interrupt.about'],
  '/proc/interrupts',
  'with `interrupts`: of all CPUs',
)
const byKind = metric(
  'system.cpu.soft_interrupts_by_kind',
  '{interrupt}',
  'counter',
  ['system.cpu.interrupt.kind'],
  '/proc/softirqs',
  'with `interrupts`: of all CPUs',
)

/** Files of numbers in one line, and what each number is. */
type Table = readonly (readonly [file: string, columns: readonly (Series | undefined)[]])[]

const often: Table = [
  ['fs/file-nr', [fileHandles.of(), undefined, fileLimit.of()]],
  ['fs/inode-nr', [inodes.of(), inodesFree.of()]],
]
const seldom: Table = [
  ['fs/dentry-state', [dentries.of(), dentriesUnused.of()]],
  ['fs/aio-nr', [aio.of()]],
  ['kernel/random/entropy_avail', [entropy.of()]],
  ['fs/aio-max-nr', [aioLimit.of()]],
  ['kernel/random/poolsize', [entropyLimit.of()]],
  ['kernel/pid_max', [processLimit.of()]],
  ['kernel/threads-max', [threadLimit.of()]],
  ['kernel/hung_task_detect_count', [hungTasks.of()]],
]

/** Documentation/admin-guide/tainted-kernels.rst; the others tell of modules, not of harm. */
const flags = { machine_check: 4, bad_page: 5, oops: 7, warning: 9, soft_lockup: 14 } as const
const taints = Object.entries(flags).map(([flag, bit]) => ({
  bit,
  series: taint.of({ 'system.linux.kernel.taint.flag': flag }),
}))
const bootSeries = bootTime.of()

export const kernel: Source<Options> = {
  name: 'kernel',
  options: object({ interval, interrupts: optional(bool, false) }),
  metrics: [
    fileHandles,
    fileLimit,
    inodes,
    inodesFree,
    dentries,
    dentriesUnused,
    aio,
    aioLimit,
    entropy,
    entropyLimit,
    processLimit,
    threadLimit,
    hungTasks,
    taint,
    bootTime,
    byLine,
    byKind,
  ],
  events: [booted],
  open({ interval, interrupts }, at) {
    const files = often.map(([name, columns]) => ({ name: proc(name), columns, file: at.host.file(proc(name)) }))
    const lines = interrupts ? openInterrupts(at.host, all => at.say('warning', tooMany(all))) : undefined
    const boots = openBoots(at.host, at.keep)
    let slowAt = Number.NEGATIVE_INFINITY

    const slow = (time: number) => {
      if (Math.abs(time - slowAt) < slowly) return { samples: [], events: [] }
      slowAt = time
      const limits = seldom.flatMap(([name, columns]) => numbers(proc(name), at.host.read(proc(name)), columns, time))
      const bootedAt = bootTimeOf(at.host)
      const boot = bootedAt === undefined ? [] : [{ series: bootSeries, time, value: bootedAt }]
      return { samples: [...limits, ...harm(at.host, time), ...boot], events: boots.read(time, bootedAt) }
    }
    const read = (time: number) => {
      const fast = files.flatMap(({ name, file, columns }) => numbers(name, file.read(), columns, time))
      const { samples, events } = slow(time)
      return { samples: [...fast, ...samples, ...(lines?.read(time) ?? [])], events }
    }
    const close = (): void => {
      for (const { file } of files) file.close()
      lines?.close()
    }
    return polled({ ...at, interval, read, close, committed: () => boots.save() })
  },
}

function tooMany(all: number): string {
  return `/proc/interrupts: only ${mostLines} of ${all} lines are told`
}

function numbers(
  file: string,
  bytes: Buffer | undefined,
  columns: readonly (Series | undefined)[],
  time: number,
): Sample[] {
  const values = bytes === undefined ? [] : parseNumbers(file, bytes, columns.length)
  return columns.flatMap((series, n) => {
    const value = values[n]
    return series === undefined || value === undefined ? [] : [{ series, time, value }]
  })
}

const unlimited = ['\n', '\t'].map(end => Buffer.from(`9223372036854775807${end}`))

/** `count` whole numbers of one line; the kernel's largest stands for no limit, and is undefined. */
export function parseNumbers(file: string, bytes: Buffer, count: number): readonly (number | undefined)[] {
  const scan = new Scan(file, bytes)
  const values: (number | undefined)[] = []
  while (values.length < count) {
    scan.blanks()
    values.push(unlimited.some(word => scan.takes(word)) ? undefined : scan.integer())
  }
  return values
}

function harm(host: Host, time: number): Sample[] {
  const file = proc('kernel/tainted')
  const bytes = host.read(file)
  const mask = bytes && parseNumbers(file, bytes, 1)[0]
  if (mask === undefined) return []
  return taints.map(({ bit, series }) => ({ series, time, value: Math.floor(mask / 2 ** bit) % 2 }))
}

const bootWord = [Buffer.from('\nbtime ')]

/** Seconds since the epoch, by the clock as it is set now, proc_stat(5). */
function bootTimeOf(host: Host): number | undefined {
  const bytes = host.read('/proc/stat')
  if (bytes === undefined) return undefined
  const scan = new Scan('/proc/stat', bytes)
  return scan.after(bootWord)[0] ?? scan.fail('btime', 0)
}

function openInterrupts(host: Host, tooMany: (all: number) => void) {
  const known = new Map<string, Series>()
  const hard = host.file('/proc/interrupts')
  const soft = host.file('/proc/softirqs')
  let told = false

  const seriesOf = (key: string, make: () => Series): Series => {
    const series = known.get(key) ?? make()
    // Devices that come and go take new lines each time.
    if (known.size > 4 * mostLines) known.clear()
    known.set(key, series)
    return series
  }
  const hardSeries = ({ line, about }: Interrupts): Series =>
    seriesOf(`${line} ${about}`, () =>
      byLine.of({ 'system.cpu.interrupt.line': line, ...(about && { 'system.cpu.interrupt.about': about }) }),
    )
  const softSeries = ({ line }: Interrupts): Series =>
    seriesOf(line, () => byKind.of({ 'system.cpu.interrupt.kind': line.toLowerCase() }))

  const read = (time: number): Sample[] => {
    const bytes = hard.read()
    const all = bytes === undefined ? [] : parseInterrupts('/proc/interrupts', bytes)
    if (all.length > mostLines && !told) tooMany(all.length)
    told ||= all.length > mostLines
    const samples = all.slice(0, mostLines).map(one => ({ series: hardSeries(one), time, value: one.count }))
    const kinds = soft.read()
    const others = kinds === undefined ? [] : parseInterrupts('/proc/softirqs', kinds)
    return [...samples, ...others.map(one => ({ series: softSeries(one), time, value: one.count }))]
  }
  const close = (): void => {
    hard.close()
    soft.close()
  }
  return { read, close }
}
