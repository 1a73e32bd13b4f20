// Memory of each NUMA node, and how often it came from the node that asked: /sys/devices/system/node,
// Documentation/admin-guide/numastat.rst of the kernel.

import type { Host } from '../../core/host.ts'
import type { Sample, Series } from '../../core/model.ts'
import { object } from '../../core/shape.ts'
import { metric } from '../metric.ts'
import { interval, polled } from '../polled.ts'
import { Scan } from '../scan.ts'
import type { Source } from '../source.ts'

const folder = '/sys/devices/system/node'
/** The kernel's own bound is 1024 (CONFIG_NODES_SHIFT); machines have up to 16, with CXL memory and GPUs some more. */
const mostNodes = 128
/** Nodes come and go with memory that is plugged in; ms. */
const listedEvery = 60_000

const key = 'system.numa.node'
const stateKey = 'system.memory.state'
const kindKey = 'system.numa.allocation'
const meminfo = `${folder}/node*/meminfo`
const limit = metric('system.numa.memory.limit', 'By', 'gauge', [key], meminfo, 'memory of the node')
const usage = metric('system.numa.memory.usage', 'By', 'gauge', [key, stateKey], meminfo, '`used` and `free`')
const part = metric(
  'system.numa.memory.linux.usage',
  'By',
  'gauge',
  [key, 'system.numa.memory.linux.type'],
  meminfo,
  'what the used memory holds: `file`, `anonymous`, `slab`, `shared`',
)
const allocations = metric(
  'system.numa.allocations',
  '{page}',
  'counter',
  [key, kindKey],
  `${folder}/node*/numastat`,
  'pages by whether they came from the node wished for (`hit`, `miss`, `foreign`) or asking (`local`, `other`)',
)

export const numa: Source<{ readonly interval: number }> = {
  name: 'numa',
  options: object({ interval }),
  metrics: [limit, usage, part, allocations],
  open({ interval }, at) {
    const nodes = new Map<string, Node>()
    let listedAt = Number.NEGATIVE_INFINITY
    let told = false

    const list = (): void => {
      const all = at.host.list(folder).filter(name => /^node\d{1,4}$/.test(name))
      if (all.length > mostNodes && !told)
        at.say('warning', `${folder}: only ${mostNodes} of ${all.length} nodes are read`)
      told ||= all.length > mostNodes
      const names = new Set(all.slice(0, mostNodes))
      for (const name of names) if (!nodes.has(name)) nodes.set(name, openNode(name, at.host))
      for (const [name, node] of nodes) {
        if (names.has(name)) continue
        node.close()
        nodes.delete(name)
      }
    }
    const read = (time: number) => {
      if (Math.abs(time - listedAt) >= listedEvery) {
        list()
        listedAt = time
      }
      return { samples: [...nodes.values()].flatMap(node => node.read(time)), events: [] }
    }
    const close = (): void => {
      for (const node of nodes.values()) node.close()
    }
    return polled({ ...at, interval, read, close })
  },
}

interface Node {
  read(time: number): Sample[]
  close(): void
}

/** In the order of the files. */
const lines = ['MemTotal', 'MemFree', 'FilePages', 'AnonPages', 'Shmem', 'Slab'] as const
const counters = {
  hit: 'numa_hit',
  miss: 'numa_miss',
  foreign: 'numa_foreign',
  interleave: 'interleave_hit',
  local: 'local_node',
  other: 'other_node',
} as const

function openNode(name: string, host: Host): Node {
  const attributes = { [key]: Number(name.slice('node'.length)) }
  const holds = (type: string): Series => part.of({ ...attributes, 'system.numa.memory.linux.type': type })
  const limitSeries = limit.of(attributes)
  const used = usage.of({ ...attributes, [stateKey]: 'used' })
  const free = usage.of({ ...attributes, [stateKey]: 'free' })
  const parts = { FilePages: holds('file'), AnonPages: holds('anonymous'), Shmem: holds('shared'), Slab: holds('slab') }
  const kinds = Object.keys(counters).map(kind => allocations.of({ ...attributes, [kindKey]: kind }))
  const memory = openFile(`${folder}/${name}/meminfo`, host, parseNodeMeminfo)
  const stat = openFile(`${folder}/${name}/numastat`, host, parseNumastat)

  const read = (time: number): Sample[] => {
    const samples: Sample[] = []
    const put = (series: Series, value: number | undefined): void => {
      if (value !== undefined) samples.push({ series, time, value })
    }
    const told = memory.read()
    if (told !== undefined) {
      put(limitSeries, told.MemTotal)
      put(used, told.MemTotal - told.MemFree)
      put(free, told.MemFree)
      for (const [line, series] of Object.entries(parts)) put(series, told[line as keyof typeof parts])
    }
    for (const [n, pages] of (stat.read() ?? []).entries()) put(kinds[n]!, pages)
    return samples
  }
  const close = (): void => {
    memory.close()
    stat.close()
  }
  return { read, close }
}

function openFile<T>(name: string, host: Host, parse: (file: string, bytes: Buffer) => T) {
  const file = host.file(name)
  const read = (): T | undefined => {
    const bytes = file.read()
    return bytes && parse(name, bytes)
  }
  return { read, close: () => file.close() }
}

type NodeMemory = Readonly<Record<'MemTotal' | 'MemFree', number>> &
  Readonly<Partial<Record<(typeof lines)[number], number>>>

/** Lines `Node 0 MemTotal:        6383828 kB`; in bytes. */
export function parseNodeMeminfo(file: string, bytes: Buffer): NodeMemory {
  const scan = new Scan(file, bytes)
  const node = /^Node (\d+) MemTotal:/.exec(bytes.toString('latin1', 0, 40))?.[1]
  if (node === undefined) return scan.fail('Node and MemTotal')
  const kibibytes = scan.after(lines.map(line => Buffer.from(`\nNode ${node} ${line}:`)))
  const [total, free] = kibibytes
  // A node of CPUs alone has no memory.
  if (total === undefined || free === undefined || free > total) return scan.fail('MemTotal and MemFree', 0)
  const told = lines.flatMap((line, n) => (kibibytes[n] === undefined ? [] : [[line, kibibytes[n] * 1024]]))
  return Object.fromEntries(told) as NodeMemory
}

const statWords = Object.values(counters).map(counter => Buffer.from(`\n${counter} `))

/** Lines `numa_hit 15910622`, in the order of `counters`. */
export function parseNumastat(file: string, bytes: Buffer): readonly (number | undefined)[] {
  const scan = new Scan(file, bytes)
  const pages = scan.after(statWords)
  return pages[0] === undefined ? scan.fail('numa_hit', 0) : pages
}
