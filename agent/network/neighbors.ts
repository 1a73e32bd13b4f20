// How full the neighbour tables (ARP, NDP) are, against the thresholds from which the kernel collects entries and at last
// refuses new ones: gc_thresh1 to 3, Documentation/networking/ip-sysctl.rst of the kernel.

import type { Host, HostFile } from '../../core/host.ts'
import type { Sample } from '../../core/model.ts'
import { seldom } from '../seldom.ts'
import { declared, family } from './counter.ts'
import { netFile, type OpenPart, type Part, parseNumbers } from './part.ts'
import { parsePerCpu } from './per-cpu.ts'

const kind = 'network.neighbor.event'
const threshold = 'network.neighbor.threshold'
const stats = '/proc/net/stat/arp_cache, /proc/net/stat/ndisc_cache'

const metrics = {
  count: declared('neighbor.count', '{entry}', [family], `${stats}, /proc/net/arp`, 'entries of the table', 'gauge'),
  limit: declared(
    'neighbor.limit',
    '{entry}',
    [family, threshold],
    '/proc/sys/net/ipv4/neigh/default/gc_thresh*, /proc/sys/net/ipv6/neigh/default/gc_thresh*',
    'thresholds: at gc_thresh3 new entries are refused',
    'gauge',
  ),
  events: declared('neighbor.events', '{event}', [family, kind], stats, 'what went wrong with the table'),
}

const events = {
  table_full: 'table_fulls',
  forced_gc: 'forced_gc_runs',
  unresolved_discard: 'unresolved_discards',
  resolution_failed: 'res_failed',
} as const

export const neighbors: Part = {
  subject: 'neighbours',
  metrics: Object.values(metrics),
  open(host) {
    const tables = [openTable(host, 'ipv4', 'arp_cache'), openTable(host, 'ipv6', 'ndisc_cache')]
    return {
      read: (time, into) => {
        for (const one of tables) one.read(time, into)
      },
      close: () => {
        for (const one of tables) one.close()
      },
    }
  },
}

function openTable(host: Host, of: 'ipv4' | 'ipv6', name: string): OpenPart {
  const stat = netFile(host, `stat/${name}`)
  const arp = of === 'ipv4' ? netFile(host, 'arp') : undefined
  const which = { [family]: of }
  const count = metrics.count.of(which)
  const told = Object.entries(events).map(([event, column]) => ({
    column,
    series: metrics.events.of({ ...which, [kind]: event }),
  }))
  const limits = [1, 2, 3].map(n => ({
    file: `/proc/sys/net/${of}/neigh/default/gc_thresh${n}`,
    series: metrics.limit.of({ ...which, [threshold]: `gc_thresh${n}` }),
  }))
  const isDue = seldom()

  const readLimits = (time: number, into: Sample[]): void => {
    for (const { file, series } of limits) {
      const bytes = host.read(file)
      if (bytes !== undefined) into.push({ series, time, value: parseNumbers(file, bytes)[0]! })
    }
  }
  const read = (time: number, into: Sample[]): void => {
    const bytes = stat.read()
    if (bytes !== undefined) {
      const { entries, sums } = parsePerCpu(`/proc/net/stat/${name}`, bytes)
      into.push({ series: count, time, value: entries })
      for (const { column, series } of told) {
        const value = sums.get(column)
        if (value !== undefined) into.push({ series, time, value })
      }
    } else if (arp !== undefined) readArp(arp, time, into)
    if (isDue(time)) readLimits(time, into)
  }

  const readArp = (file: HostFile, time: number, into: Sample[]): void => {
    const bytes = file.read()
    if (bytes !== undefined) into.push({ series: count, time, value: parseArp(bytes) })
  }
  const close = (): void => {
    stat.close()
    arp?.close()
  }
  return { read, close }
}

/** The number of entries: a heading and one line each. In a network namespace of its own there is nothing else to ask. */
export function parseArp(bytes: Buffer): number {
  const lines = bytes.toString('latin1').split('\n')
  const wrong = lines.findIndex((line, n) => !(n === 0 ? /^IP address / : /^\d+\.\d+\.\d+\.\d+ .* \S+$|^$/).test(line))
  if (wrong >= 0 || lines.at(-1) !== '') throw new Error(`/proc/net/arp: line ${wrong + 1} is not one of the ARP table`)
  return lines.length - 2
}
