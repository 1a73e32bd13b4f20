// What is told of a cgroup, under the names of what it is: a container, a pod, a unit, or a cgroup named in the
// configuration. The same list for all of them.

import type { Attributes, Series, SeriesKind } from '../../core/model.ts'
import { type Metric, metric } from '../metric.ts'
import type { Kind } from './identity.ts'
import type { Values } from './parse.ts'

export interface Told {
  value(values: Values, memoryLimit: number | undefined): number | undefined
  of(about: Attributes): Series
}

const families = {
  container: {
    prefix: 'container',
    attributes: [
      'container.id',
      'container.name',
      'container.runtime.name',
      'k8s.pod.uid',
      'k8s.pod.name',
      'k8s.namespace.name',
      'k8s.container.name',
    ],
  },
  pod: { prefix: 'k8s.pod', attributes: ['k8s.pod.uid', 'k8s.pod.name', 'k8s.namespace.name'] },
  unit: { prefix: 'systemd.unit', attributes: ['systemd.unit.name'] },
  cgroup: { prefix: 'linux.cgroup', attributes: ['linux.cgroup.path'] },
} as const satisfies Record<Kind, { readonly prefix: string; readonly attributes: readonly string[] }>

interface What {
  /** Behind the family's prefix. */
  readonly name: string
  readonly unit: string
  readonly kind: SeriesKind
  readonly files: string
  readonly brief: string
  readonly points: readonly { readonly of: Attributes; readonly value: Told['value'] }[]
}

const workingSet = ({ memory, inactiveFile }: Values): number | undefined =>
  memory === undefined || inactiveFile === undefined ? undefined : Math.max(0, memory - inactiveFile)

/** Without a quota there are no periods: zeros would say nothing. */
const ifLimited = ({ periods }: Values, value: number | undefined): number | undefined => (periods ? value : undefined)

const one = (value: Told['value']): What['points'] => [{ of: {}, value }]

const by = (attribute: string, values: Readonly<Record<string, Told['value']>>): What['points'] =>
  Object.entries(values).map(([key, value]) => ({ of: { [attribute]: key }, value }))

const stalled = (resource: string, scope: string, value: Told['value']) => ({
  of: { 'system.pressure.resource': resource, 'system.pressure.scope': scope },
  value,
})

const all: readonly What[] = [
  {
    name: 'cpu.time',
    unit: 's',
    kind: 'counter',
    files: 'cpu.stat, cpuacct.stat',
    brief: 'CPU time used',
    points: by('cpu.mode', { user: v => v.user, system: v => v.system }),
  },
  {
    name: 'cpu.limit',
    unit: '{cpu}',
    kind: 'gauge',
    files: 'cpu.max, cpu.cfs_quota_us',
    brief: 'CPUs it may use',
    points: one(v => v.cpuLimit),
  },
  {
    name: 'cpu.periods',
    unit: '{period}',
    kind: 'counter',
    files: 'cpu.stat',
    brief: 'periods of its CPU limit',
    points: one(v => ifLimited(v, v.periods)),
  },
  {
    name: 'cpu.throttled.periods',
    unit: '{period}',
    kind: 'counter',
    files: 'cpu.stat',
    brief: 'periods in which it had used up its limit',
    points: one(v => ifLimited(v, v.throttledPeriods)),
  },
  {
    name: 'cpu.throttled.time',
    unit: 's',
    kind: 'counter',
    files: 'cpu.stat',
    brief: 'time it was held back, summed over CPUs',
    points: one(v => ifLimited(v, v.throttledTime)),
  },
  {
    name: 'memory.usage',
    unit: 'By',
    kind: 'gauge',
    files: 'memory.current, memory.usage_in_bytes',
    brief: 'memory, with the page cache',
    points: one(v => v.memory),
  },
  {
    name: 'memory.working_set',
    unit: 'By',
    kind: 'gauge',
    files: 'memory.current, memory.stat',
    brief: 'memory without the page cache that was not used lately',
    points: one(workingSet),
  },
  {
    name: 'memory.available',
    unit: 'By',
    kind: 'gauge',
    files: 'memory.max, memory.current, memory.stat',
    brief: 'what the working set may still grow to the limit',
    points: one((v, limit) => {
      const used = workingSet(v)
      return limit === undefined || used === undefined ? undefined : Math.max(0, limit - used)
    }),
  },
  {
    name: 'memory.limit',
    unit: 'By',
    kind: 'gauge',
    files: 'memory.max, memory.limit_in_bytes',
    brief: 'memory it may use',
    points: one(v => v.memoryLimit),
  },
  {
    name: 'memory.peak',
    unit: 'By',
    kind: 'gauge',
    files: 'memory.peak, memory.max_usage_in_bytes',
    brief: 'most memory ever used',
    points: one(v => v.memoryPeak),
  },
  {
    name: 'memory.rss',
    unit: 'By',
    kind: 'gauge',
    files: 'memory.stat',
    brief: 'anonymous memory',
    points: one(v => v.anonymous),
  },
  {
    name: 'memory.cache',
    unit: 'By',
    kind: 'gauge',
    files: 'memory.stat',
    brief: 'page cache, with shared memory',
    points: one(v => v.file),
  },
  {
    name: 'memory.slab',
    unit: 'By',
    kind: 'gauge',
    files: 'memory.stat',
    brief: "the kernel's own objects, version 2 only",
    points: one(v => v.slab),
  },
  {
    name: 'memory.events',
    unit: '{event}',
    kind: 'counter',
    files: 'memory.events, memory.failcnt, memory.oom_control',
    brief: 'throttled at `high`, at the limit `max`, out of memory `oom`, processes ended `oom_kill`',
    points: by('linux.cgroup.memory.event', {
      high: v => v.high,
      max: v => v.max,
      oom: v => v.oom,
      oom_kill: v => v.oomKill,
    }),
  },
  {
    name: 'paging.faults',
    unit: '{fault}',
    kind: 'counter',
    files: 'memory.stat',
    brief: 'page faults, `major` ones waited for a disk',
    points: by('system.paging.fault.type', {
      major: v => v.majorFaults,
      minor: v => (v.faults === undefined || v.majorFaults === undefined ? undefined : v.faults - v.majorFaults),
    }),
  },
  {
    name: 'disk.io',
    unit: 'By',
    kind: 'counter',
    files: 'io.stat, blkio.throttle.io_service_bytes_recursive',
    brief: 'bytes of all disks',
    points: by('disk.io.direction', { read: v => v.readBytes, write: v => v.writtenBytes }),
  },
  {
    name: 'disk.operations',
    unit: '{operation}',
    kind: 'counter',
    files: 'io.stat, blkio.throttle.io_serviced_recursive',
    brief: 'operations of all disks',
    points: by('disk.io.direction', { read: v => v.reads, write: v => v.writes }),
  },
  {
    name: 'thread.count',
    unit: '{thread}',
    kind: 'gauge',
    files: 'pids.current',
    brief: 'threads',
    points: one(v => v.threads),
  },
  {
    name: 'thread.limit',
    unit: '{thread}',
    kind: 'gauge',
    files: 'pids.max',
    brief: 'threads it may have',
    points: one(v => v.threadLimit),
  },
  {
    name: 'pressure.time',
    unit: 's',
    kind: 'counter',
    files: 'cpu.pressure, memory.pressure, io.pressure',
    brief: 'time in which `some` or all (`full`) of its tasks waited',
    points: [
      stalled('cpu', 'some', v => v.cpuSome),
      stalled('cpu', 'full', v => v.cpuFull),
      stalled('memory', 'some', v => v.memorySome),
      stalled('memory', 'full', v => v.memoryFull),
      stalled('io', 'some', v => v.ioSome),
      stalled('io', 'full', v => v.ioFull),
    ],
  },
]

function family(kind: Kind): { readonly metrics: readonly Metric[]; readonly told: readonly Told[] } {
  const { prefix, attributes } = families[kind]
  const made = all.map(what => {
    const own = [...new Set(what.points.flatMap(({ of }) => Object.keys(of)))]
    const keys = [...attributes, ...own]
    const declared = metric(`${prefix}.${what.name}`, what.unit, what.kind, keys, what.files, what.brief)
    const told = what.points.map(({ of, value }): Told => ({ value, of: about => declared.of({ ...about, ...of }) }))
    return { declared, told }
  })
  return { metrics: made.map(m => m.declared), told: made.flatMap(m => m.told) }
}

const made = {
  container: family('container'),
  pod: family('pod'),
  unit: family('unit'),
  cgroup: family('cgroup'),
} as const satisfies Record<Kind, unknown>

export const metrics: readonly Metric[] = Object.values(made).flatMap(f => f.metrics)

export const tellings: Readonly<Record<Kind, readonly Told[]>> = {
  container: made.container.told,
  pod: made.pod.told,
  unit: made.unit.told,
  cgroup: made.cgroup.told,
}

export const oomKill = {
  name: 'cgroup.oom_kill',
  attributes: [...new Set(Object.values(families).flatMap(f => f.attributes))],
  origin: 'memory.events, memory.oom_control',
  brief: 'processes of a cgroup were ended because it was out of memory',
}
