// Memory, swap and paging: /proc/meminfo and /proc/vmstat, proc_meminfo(5), proc_vmstat(5).

import type { Sample, Series, SeriesKind } from '../../core/model.ts'
import { object } from '../../core/shape.ts'
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
  shared: 'Shmem',
  reclaimable: 'SReclaimable',
  unreclaimable: 'SUnreclaim',
  committed: 'Committed_AS',
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

export const memory: Source<{ readonly interval: number }> = {
  name: 'memory',
  options: object({ interval }),
  metrics: undefined,
  open({ interval }, at) {
    const meminfo = at.host.file('/proc/meminfo')
    const vmstat = at.host.file('/proc/vmstat')

    const read = (time: number) => {
      const samples: Sample[] = []
      const memory = meminfo.read()
      if (memory !== undefined) tell(ofMemory, parseMeminfo(memory), time, samples)
      const paging = vmstat.read()
      if (paging !== undefined) tell(ofPaging, parseVmstat(paging), time, samples)
      return { samples, events: [] }
    }
    const close = (): void => {
      meminfo.close()
      vmstat.close()
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

function series(name: string, unit: string, attributes = {}, kind: SeriesKind = 'gauge'): Series {
  return { name: `system.${name}`, unit, kind, attributes }
}

const minus = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined || a < b ? undefined : a - b

const over = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || !b ? undefined : a / b

const inState = (state: string) => ({ 'system.memory.state': state })
const swapState = (state: string) => ({ 'system.paging.state': state })
const slabState = (state: string) => ({ 'system.memory.linux.slab.state': state })

// `used` and `available` make up the whole; what is cached, free and so on lies across them and has names of its own.
const ofMemory: Told<Memory> = [
  [series('memory.limit', 'By'), m => m.total],
  [series('memory.usage', 'By', inState('used')), m => minus(m.total, m.available)],
  [series('memory.usage', 'By', inState('available')), m => m.available],
  [series('memory.utilization', '1', inState('used')), m => over(minus(m.total, m.available), m.total)],
  [series('memory.utilization', '1', inState('available')), m => over(m.available, m.total)],
  [series('memory.linux.available', 'By'), m => m.available],
  [series('memory.linux.shared', 'By'), m => m.shared],
  [series('memory.linux.slab.usage', 'By', slabState('reclaimable')), m => m.reclaimable],
  [series('memory.linux.slab.usage', 'By', slabState('unreclaimable')), m => m.unreclaimable],
  [series('memory.linux.free', 'By'), m => m.unused],
  [series('memory.linux.buffers', 'By'), m => m.buffers],
  [series('memory.linux.cached', 'By'), m => m.cached],
  [series('memory.linux.dirty', 'By'), m => m.dirty],
  [series('memory.linux.writeback', 'By'), m => m.writeback],
  [series('memory.linux.committed', 'By'), m => m.committed],
  [series('paging.usage', 'By', swapState('used')), m => minus(m.swap, m.swapFree)],
  [series('paging.usage', 'By', swapState('free')), m => m.swapFree],
  [series('paging.utilization', '1', swapState('used')), m => over(minus(m.swap, m.swapFree), m.swap)],
]

const fault = (type: string) => ({ 'system.paging.fault.type': type })
const direction = (way: string) => ({ 'system.paging.direction': way })

const ofPaging: Told<Paging> = [
  [series('paging.faults', '{fault}', fault('major'), 'counter'), p => p.major],
  [series('paging.faults', '{fault}', fault('minor'), 'counter'), p => minus(p.faults, p.major)],
  [series('paging.operations', '{operation}', direction('in'), 'counter'), p => p.swappedIn],
  [series('paging.operations', '{operation}', direction('out'), 'counter'), p => p.swappedOut],
  [series('memory.linux.oom_kills', '{kill}', {}, 'counter'), p => p.kills],
]
