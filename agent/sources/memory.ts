// Memory, swap and paging: /proc/meminfo and /proc/vmstat, proc_meminfo(5), proc_vmstat(5); and huge pages.

import type { Sample, Series } from '../../core/model.ts'
import { object } from '../../core/shape.ts'
import { hugePageMetrics, openHugePages } from '../huge-pages.ts'
import { type Metric, metric } from '../metric.ts'
import { interval, polled } from '../polled.ts'
import { Scan } from '../scan.ts'
import type { Source } from '../source.ts'

/** In bytes; what this kernel does not tell is undefined. */
type Memory = Partial<Record<keyof typeof lines, number>>

/** Since the boot. */
type Paging = Partial<Record<keyof typeof counters, number>>

/** In the order of the file. */
const lines = {
  total: 'MemTotal',
  unused: 'MemFree',
  available: 'MemAvailable',
  buffers: 'Buffers',
  cached: 'Cached',
  swap: 'SwapTotal',
  swapFree: 'SwapFree',
  dirty: 'Dirty',
  writeback: 'Writeback',
  anonymous: 'AnonPages',
  shared: 'Shmem',
  reclaimable: 'SReclaimable',
  unreclaimable: 'SUnreclaim',
  pageTables: 'PageTables',
  commitLimit: 'CommitLimit',
  committed: 'Committed_AS',
  corrupted: 'HardwareCorrupted',
  hugeAnonymous: 'AnonHugePages',
} as const

const counters = {
  swappedIn: 'pswpin',
  swappedOut: 'pswpout',
  faults: 'pgfault',
  major: 'pgmajfault',
  kills: 'oom_kill',
}

const meminfoWords = Object.values(lines).map(name => Buffer.from(`\n${name}:`))
const vmstatWords = Object.values(counters).map(name => Buffer.from(`\n${name} `))

const state = 'system.memory.state'
const slabState = 'system.memory.linux.slab.state'
const swapState = 'system.paging.state'
const faultType = 'system.paging.fault.type'
const direction = 'system.paging.direction'

const ofMeminfo = (name: string, unit: string, attributes: readonly string[], brief: string): Metric =>
  metric(`system.${name}`, unit, 'gauge', attributes, '/proc/meminfo', brief)
const ofVmstat = (name: string, unit: string, attributes: readonly string[], brief: string): Metric =>
  metric(`system.${name}`, unit, 'counter', attributes, '/proc/vmstat', brief)

const memoryMetrics = {
  limit: ofMeminfo('memory.limit', 'By', [], 'all memory that the kernel manages'),
  usage: ofMeminfo('memory.usage', 'By', [state], '`used` and `available`, which make up the whole'),
  utilization: ofMeminfo('memory.utilization', '1', [state], 'the same as shares'),
  available: ofMeminfo('memory.linux.available', 'By', [], 'what programs can still get without swapping'),
  shared: ofMeminfo('memory.linux.shared', 'By', [], 'shared memory and tmpfs'),
  slab: ofMeminfo('memory.linux.slab.usage', 'By', [slabState], 'the kernel’s own objects'),
  unused: ofMeminfo('memory.linux.free', 'By', [], 'used for nothing'),
  buffers: ofMeminfo('memory.linux.buffers', 'By', [], 'of block devices'),
  cached: ofMeminfo('memory.linux.cached', 'By', [], 'of files'),
  dirty: ofMeminfo('memory.linux.dirty', 'By', [], 'waits to be written to disk'),
  writeback: ofMeminfo('memory.linux.writeback', 'By', [], 'is being written to disk'),
  anonymous: ofMeminfo('memory.linux.anonymous', 'By', [], 'of programs, backed by no file'),
  hugeAnonymous: ofMeminfo('memory.linux.anonymous_huge', 'By', [], 'of that, in transparent huge pages'),
  pageTables: ofMeminfo('memory.linux.page_tables', 'By', [], 'maps of address spaces'),
  committed: ofMeminfo('memory.linux.committed', 'By', [], 'promised to programs'),
  commitLimit: ofMeminfo('memory.linux.commit_limit', 'By', [], 'what may be promised under strict overcommit'),
  corrupted: ofMeminfo('memory.linux.hardware_corrupted', 'By', [], 'taken out of use after memory errors'),
  swap: ofMeminfo('paging.usage', 'By', [swapState], 'swap'),
  swapShare: ofMeminfo('paging.utilization', '1', [swapState], 'share of swap in use'),
}

const pagingMetrics = {
  faults: ofVmstat('paging.faults', '{fault}', [faultType], '`major` ones waited for a disk'),
  operations: ofVmstat('paging.operations', '{operation}', [direction], 'pages swapped in and out'),
  kills: ofVmstat('memory.linux.oom_kills', '{kill}', [], 'processes killed as memory ran out'),
}

export const memory: Source<{ readonly interval: number }> = {
  name: 'memory',
  options: object({ interval }),
  metrics: [...Object.values(memoryMetrics), ...Object.values(pagingMetrics), ...hugePageMetrics],
  open({ interval }, at) {
    const meminfo = at.host.file('/proc/meminfo')
    const vmstat = at.host.file('/proc/vmstat')
    const hugePages = openHugePages(at.host)

    const read = (time: number) => {
      const samples: Sample[] = []
      const memory = meminfo.read()
      if (memory !== undefined) tell(ofMemory, parseMeminfo(memory), time, samples)
      const paging = vmstat.read()
      if (paging !== undefined) tell(ofPaging, parseVmstat(paging), time, samples)
      samples.push(...hugePages.read(time))
      return { samples, events: [] }
    }
    const close = (): void => {
      meminfo.close()
      vmstat.close()
      hugePages.close()
    }
    return polled({ ...at, interval, read, close })
  },
}

/** @throws Error where it has no total. */
export function parseMeminfo(bytes: Buffer): Memory {
  const scan = new Scan('/proc/meminfo', bytes)
  const kibibytes = scan.after(meminfoWords)
  const memory: Memory = Object.fromEntries(Object.keys(lines).map((key, n) => [key, toBytes(kibibytes[n])]))
  return memory.total ? memory : scan.fail('MemTotal', 0)
}

function toBytes(kibibytes: number | undefined): number | undefined {
  return kibibytes === undefined ? undefined : kibibytes * 1024
}

/** @throws Error where it has nothing of what every kernel tells. */
export function parseVmstat(bytes: Buffer): Paging {
  const scan = new Scan('/proc/vmstat', bytes)
  const values = scan.after(vmstatWords)
  const paging: Paging = Object.fromEntries(Object.keys(counters).map((key, n) => [key, values[n]]))
  return paging.faults === undefined ? scan.fail('pgfault', 0) : paging
}

/** A series and what its value is; undefined where that cannot be known. */
type Told<T> = readonly (readonly [Series, (of: T) => number | undefined])[]

function tell<T>(told: Told<T>, of: T, time: number, samples: Sample[]): void {
  for (const [series, find] of told) {
    const value = find(of)
    if (value !== undefined) samples.push({ series, time, value })
  }
}

const minus = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined || a < b ? undefined : a - b

const over = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || !b ? undefined : a / b

const used = { [state]: 'used' }
const available = { [state]: 'available' }

// `used` and `available` make up the whole; what is cached, free and so on lies across them and has names of its own.
const ofMemory: Told<Memory> = [
  [memoryMetrics.limit.of(), m => m.total],
  [memoryMetrics.usage.of(used), m => minus(m.total, m.available)],
  [memoryMetrics.usage.of(available), m => m.available],
  [memoryMetrics.utilization.of(used), m => over(minus(m.total, m.available), m.total)],
  [memoryMetrics.utilization.of(available), m => over(m.available, m.total)],
  [memoryMetrics.available.of(), m => m.available],
  [memoryMetrics.shared.of(), m => m.shared],
  [memoryMetrics.slab.of({ [slabState]: 'reclaimable' }), m => m.reclaimable],
  [memoryMetrics.slab.of({ [slabState]: 'unreclaimable' }), m => m.unreclaimable],
  [memoryMetrics.unused.of(), m => m.unused],
  [memoryMetrics.buffers.of(), m => m.buffers],
  [memoryMetrics.cached.of(), m => m.cached],
  [memoryMetrics.dirty.of(), m => m.dirty],
  [memoryMetrics.writeback.of(), m => m.writeback],
  [memoryMetrics.anonymous.of(), m => m.anonymous],
  [memoryMetrics.hugeAnonymous.of(), m => m.hugeAnonymous],
  [memoryMetrics.pageTables.of(), m => m.pageTables],
  [memoryMetrics.committed.of(), m => m.committed],
  [memoryMetrics.commitLimit.of(), m => m.commitLimit],
  [memoryMetrics.corrupted.of(), m => m.corrupted],
  [memoryMetrics.swap.of({ [swapState]: 'used' }), m => minus(m.swap, m.swapFree)],
  [memoryMetrics.swap.of({ [swapState]: 'free' }), m => m.swapFree],
  [memoryMetrics.swapShare.of({ [swapState]: 'used' }), m => over(minus(m.swap, m.swapFree), m.swap)],
]

const ofPaging: Told<Paging> = [
  [pagingMetrics.faults.of({ [faultType]: 'major' }), p => p.major],
  [pagingMetrics.faults.of({ [faultType]: 'minor' }), p => minus(p.faults, p.major)],
  [pagingMetrics.operations.of({ [direction]: 'in' }), p => p.swappedIn],
  [pagingMetrics.operations.of({ [direction]: 'out' }), p => p.swappedOut],
  [pagingMetrics.kills.of(), p => p.kills],
]
