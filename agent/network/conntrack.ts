// How full the table of tracked connections is, and what it refused:
// Documentation/networking/nf_conntrack-sysctl.rst of the kernel.

import type { Host } from '../../core/host.ts'
import type { Sample } from '../../core/model.ts'
import { seldom } from '../seldom.ts'
import { declared } from './counter.ts'
import { netFile, type OpenPart, type Part, parseNumbers } from './part.ts'
import { parsePerCpu } from './per-cpu.ts'

const files = {
  count: '/proc/sys/net/netfilter/nf_conntrack_count',
  limit: '/proc/sys/net/netfilter/nf_conntrack_max',
  stat: '/proc/net/stat/nf_conntrack',
} as const

const kind = 'network.conntrack.event'
const metrics = {
  count: declared('conntrack.count', '{entry}', [], files.count, 'connections tracked', 'gauge'),
  limit: declared('conntrack.limit', '{entry}', [], files.limit, 'connections that may be tracked', 'gauge'),
  events: declared('conntrack.events', '{event}', [kind], files.stat, 'what went wrong, in packets or connections'),
}
const count = metrics.count.of()
const limit = metrics.limit.of()
/** `drop`: the table was full. `early_drop`: another one gave way. */
const events = ['insert_failed', 'drop', 'early_drop', 'invalid', 'icmp_error', 'clash_resolve', 'search_restart'].map(
  name => ({ column: name === 'clash_resolve' ? 'clashres' : name, series: metrics.events.of({ [kind]: name }) }),
)

export const conntrack: Part = { subject: 'conntrack', metrics: Object.values(metrics), open }

function open(host: Host): OpenPart {
  const present = host.file(files.count)
  const stat = netFile(host, 'stat/nf_conntrack')
  const isDue = seldom()

  const readStat = (time: number, into: Sample[]): void => {
    const bytes = stat.read()
    const sums = bytes && parsePerCpu(files.stat, bytes).sums
    for (const { column, series } of events) {
      const value = sums?.get(column)
      if (value !== undefined) into.push({ series, time, value })
    }
  }
  const read = (time: number, into: Sample[]): void => {
    const now = present.read()
    if (now !== undefined) into.push({ series: count, time, value: parseNumbers(files.count, now)[0]! })
    const most = isDue(time) ? host.read(files.limit) : undefined
    if (most !== undefined) into.push({ series: limit, time, value: parseNumbers(files.limit, most)[0]! })
    readStat(time, into)
  }
  const close = (): void => {
    present.close()
    stat.close()
  }
  return { read, close }
}
