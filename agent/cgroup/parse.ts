// The files of one cgroup: Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/ of the kernel. What a kernel does not
// write is undefined.

import type { Scan } from '../scan.ts'

/** All in the units of the kernel but for times: seconds. */
export interface Values {
  user?: number | undefined
  system?: number | undefined
  periods?: number | undefined
  throttledPeriods?: number | undefined
  throttledTime?: number | undefined
  /** µs; version 1 alone has it in a file of its own. */
  cpuPeriod?: number | undefined
  /** CPUs. */
  cpuLimit?: number | undefined
  memory?: number | undefined
  memoryLimit?: number | undefined
  memoryPeak?: number | undefined
  anonymous?: number | undefined
  file?: number | undefined
  inactiveFile?: number | undefined
  slab?: number | undefined
  faults?: number | undefined
  majorFaults?: number | undefined
  high?: number | undefined
  max?: number | undefined
  oom?: number | undefined
  oomKill?: number | undefined
  readBytes?: number | undefined
  writtenBytes?: number | undefined
  reads?: number | undefined
  writes?: number | undefined
  threads?: number | undefined
  threadLimit?: number | undefined
  cpuSome?: number | undefined
  cpuFull?: number | undefined
  memorySome?: number | undefined
  memoryFull?: number | undefined
  ioSome?: number | undefined
  ioFull?: number | undefined
}

export type Key = keyof Values
export type Parse = (scan: Scan, into: Values) => void

/** Lines of `word number`; the first word must be there, `scale` makes its unit of the kernel's. */
function lines(words: readonly (readonly [word: string, key: Key | undefined, scale?: number])[]): Parse {
  const starts = words.map(([word]) => Buffer.from(`\n${word} `))
  return (scan, into) => {
    const found = scan.after(starts)
    if (found[0] === undefined) scan.fail(`a line ${words[0]![0]}`, 0)
    for (const [n, [, key, scale = 1]] of words.entries()) {
      const value = found[n]
      if (key !== undefined && value !== undefined) into[key] = value * scale
    }
  }
}

/** One number; from `unlimited` on it means that there is no limit. */
function single(key: Key, unlimited = Number.POSITIVE_INFINITY): Parse {
  return (scan, into) => {
    const value = scan.integer()
    if (value < unlimited) into[key] = value
  }
}

const max = Buffer.from('max')

function singleOrMax(key: Key): Parse {
  return (scan, into) => {
    if (!scan.takes(max)) into[key] = scan.integer()
  }
}

/** `max 100000` or `50000 100000`: time allowed in each period. */
const cpuMax: Parse = (scan, into) => {
  if (scan.takes(max)) return
  const quota = scan.integer()
  const period = scan.integer()
  if (period > 0) into.cpuLimit = quota / period
}

const noQuota = Buffer.from('-1')

const cpuQuota: Parse = (scan, into) => {
  if (scan.takes(noQuota)) return
  const quota = scan.integer()
  if (into.cpuPeriod) into.cpuLimit = quota / into.cpuPeriod
}

const equals = 0x3d
const micro = 1e-6
const nano = 1e-9
const tick = 1 / 100

/** `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`, then `full` where there is one. */
function pressure(some: Key, full: Key): Parse {
  const words = [
    [Buffer.from('some '), some],
    [Buffer.from('full '), full],
  ] as const
  return (scan, into) => {
    for (const [word, key] of words) {
      if (key === full && !scan.more) return
      if (!scan.takes(word)) scan.fail(`the line ${word.toString()}`)
      for (let n = 0; n < 3; n++) {
        scan.until(equals)
        scan.decimal()
      }
      scan.blanks()
      scan.until(equals)
      into[key] = scan.integer() * micro
      scan.line()
    }
  }
}

const ioKeys = [
  [Buffer.from('rbytes='), 'readBytes'],
  [Buffer.from('wbytes='), 'writtenBytes'],
  [Buffer.from('rios='), 'reads'],
  [Buffer.from('wios='), 'writes'],
] as const
const [newline, colon] = [0x0a, 0x3a]

/** `8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0` of each device: summed. */
const ioStat: Parse = (scan, into) => {
  while (scan.more) {
    scan.until(colon)
    scan.integer()
    scan.blanks()
    while (scan.byte !== newline && scan.more) {
      const found = ioKeys.find(([word]) => scan.takes(word))
      if (found === undefined) scan.until(equals)
      // Some keys of some controllers have a word or a decimal as their value.
      if (found === undefined) scan.word()
      else into[found[1]] = (into[found[1]] ?? 0) + scan.integer()
      scan.blanks()
    }
    scan.line()
  }
}

/** `8:0 Read 12` of each device, then `Total 12`: summed. */
function blkio(read: Key, write: Key): Parse {
  const words = [
    [Buffer.from('Read '), read],
    [Buffer.from('Write '), write],
  ] as const
  const total = Buffer.from('Total ')
  return (scan, into) => {
    while (!scan.takes(total)) {
      scan.until(colon)
      scan.integer()
      scan.blanks()
      const found = words.find(([word]) => scan.takes(word))
      if (found !== undefined) into[found[1]] = (into[found[1]] ?? 0) + scan.integer()
      scan.line()
    }
    scan.integer()
  }
}

export interface CgroupFile {
  /** Version 1: the hierarchy it lies in. */
  readonly controller?: 'cpu' | 'cpuacct' | 'memory' | 'blkio' | 'pids'
  readonly name: string
  readonly parse: Parse
  /** Limits and peaks are read once a minute. */
  readonly isSlow?: true
}

const pressureFiles: readonly CgroupFile[] = [
  { name: 'cpu.pressure', parse: pressure('cpuSome', 'cpuFull') },
  { name: 'memory.pressure', parse: pressure('memorySome', 'memoryFull') },
  { name: 'io.pressure', parse: pressure('ioSome', 'ioFull') },
]

/** The first is in every cgroup. */
export const filesV2: readonly CgroupFile[] = [
  {
    name: 'cpu.stat',
    parse: lines([
      ['user_usec', 'user', micro],
      ['system_usec', 'system', micro],
      ['nr_periods', 'periods'],
      ['nr_throttled', 'throttledPeriods'],
      ['throttled_usec', 'throttledTime', micro],
    ]),
  },
  { name: 'memory.current', parse: single('memory') },
  {
    name: 'memory.stat',
    parse: lines([
      ['anon', 'anonymous'],
      ['file', 'file'],
      ['inactive_file', 'inactiveFile'],
      ['slab', 'slab'],
      ['pgfault', 'faults'],
      ['pgmajfault', 'majorFaults'],
    ]),
  },
  {
    name: 'memory.events',
    parse: lines([
      ['high', 'high'],
      ['max', 'max'],
      ['oom', 'oom'],
      ['oom_kill', 'oomKill'],
    ]),
  },
  { name: 'io.stat', parse: ioStat },
  { name: 'pids.current', parse: single('threads') },
  ...pressureFiles,
  { name: 'cpu.max', parse: cpuMax, isSlow: true },
  { name: 'memory.max', parse: singleOrMax('memoryLimit'), isSlow: true },
  { name: 'memory.peak', parse: single('memoryPeak'), isSlow: true },
  { name: 'pids.max', parse: singleOrMax('threadLimit'), isSlow: true },
]

/** Half of what the counters hold: no limit is the largest number of pages, whatever their size. */
const noLimit = 2 ** 62

/** What has no controller lies in the unified tree beside the old ones, where there is one. */
export const filesV1: readonly CgroupFile[] = [
  {
    controller: 'cpuacct',
    name: 'cpuacct.stat',
    parse: lines([
      ['user', 'user', tick],
      ['system', 'system', tick],
    ]),
  },
  // Beside the old controllers the unified tree counts time too, more finely.
  {
    name: 'cpu.stat',
    parse: lines([
      ['user_usec', 'user', micro],
      ['system_usec', 'system', micro],
    ]),
  },
  {
    controller: 'cpu',
    name: 'cpu.stat',
    parse: lines([
      ['nr_periods', 'periods'],
      ['nr_throttled', 'throttledPeriods'],
      ['throttled_time', 'throttledTime', nano],
    ]),
  },
  { controller: 'memory', name: 'memory.usage_in_bytes', parse: single('memory') },
  {
    controller: 'memory',
    name: 'memory.stat',
    parse: lines([
      ['total_cache', 'file'],
      ['total_rss', 'anonymous'],
      ['total_pgfault', 'faults'],
      ['total_pgmajfault', 'majorFaults'],
      ['total_inactive_file', 'inactiveFile'],
    ]),
  },
  { controller: 'memory', name: 'memory.failcnt', parse: single('max') },
  {
    controller: 'memory',
    name: 'memory.oom_control',
    parse: lines([
      ['oom_kill_disable', undefined],
      ['oom_kill', 'oomKill'],
    ]),
  },
  {
    controller: 'blkio',
    name: 'blkio.throttle.io_service_bytes_recursive',
    parse: blkio('readBytes', 'writtenBytes'),
  },
  { controller: 'blkio', name: 'blkio.throttle.io_serviced_recursive', parse: blkio('reads', 'writes') },
  { controller: 'pids', name: 'pids.current', parse: single('threads') },
  ...pressureFiles,
  { controller: 'cpu', name: 'cpu.cfs_period_us', parse: single('cpuPeriod'), isSlow: true },
  { controller: 'cpu', name: 'cpu.cfs_quota_us', parse: cpuQuota, isSlow: true },
  { controller: 'memory', name: 'memory.limit_in_bytes', parse: single('memoryLimit', noLimit), isSlow: true },
  { controller: 'memory', name: 'memory.max_usage_in_bytes', parse: single('memoryPeak'), isSlow: true },
  { controller: 'pids', name: 'pids.max', parse: singleOrMax('threadLimit'), isSlow: true },
]
