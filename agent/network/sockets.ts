// Sockets by protocol, their memory, and TCP connections by state. /proc/net/sockstat and sockstat6 cost little and say
// how many there are. Which state each is in stands only in /proc/net/tcp and tcp6, for which the kernel walks all its
// tables, however empty (measured: 12 ms): those are read every five minutes, and only while there are at most so many
// sockets.

import type { Host, HostFile } from '../../core/host.ts'
import type { Sample, Series } from '../../core/model.ts'
import { pageSize } from '../page-size.ts'
import { Scan } from '../scan.ts'
import { seldom } from '../seldom.ts'
import { declared, family } from './counter.ts'
import { netFile, type OpenPart, type Part, parseNumbers } from './part.ts'

const transport = 'network.transport'
const [four, six] = ['/proc/net/sockstat', '/proc/net/sockstat6']
const tcpMem = '/proc/sys/net/ipv4/tcp_mem'
const orphanMost = '/proc/sys/net/ipv4/tcp_max_orphans'

const metrics = {
  used: declared('socket.used', '{socket}', [], four, 'sockets of all families', 'gauge'),
  count: declared('socket.count', '{socket}', [transport, family], `${four}, ${six}`, 'sockets in use', 'gauge'),
  memory: declared('socket.memory', 'By', [transport], four, 'memory of buffers, both families together', 'gauge'),
  memoryLimit: declared('socket.memory.limit', 'By', [transport], tcpMem, 'memory that buffers may take', 'gauge'),
  orphans: declared('tcp.orphan.count', '{socket}', [], four, 'connections without a process', 'gauge'),
  orphanLimit: declared('tcp.orphan.limit', '{socket}', [], orphanMost, 'orphans that may be', 'gauge'),
  allocated: declared('tcp.allocated', '{socket}', [], four, 'TCP sockets in any state but TIME-WAIT', 'gauge'),
  fragments: declared(
    'ip.fragment.count',
    '{packet}',
    [family],
    `${four}, ${six}`,
    'packets being put together',
    'gauge',
  ),
  fragmentMemory: declared('ip.fragment.memory', 'By', [family], `${four}, ${six}`, 'memory of fragments', 'gauge'),
  connections: declared(
    'connection.count',
    '{connection}',
    [transport, 'network.connection.state'],
    '/proc/net/sockstat, /proc/net/tcp, /proc/net/tcp6',
    'connections by state, both families together; but for TIME-WAIT every 5 minutes, and not where there are too many',
    'gauge',
  ),
}

/** In the order of the kernel, include/net/tcp_states.h, from 1; a NEW_SYN_RECV shows as SYN_RECV. */
const states = [
  'established',
  'syn_sent',
  'syn_received',
  'fin_wait_1',
  'fin_wait_2',
  'time_wait',
  'closed',
  'close_wait',
  'last_ack',
  'listen',
  'closing',
] as const
const connections = states.map(state =>
  metrics.connections.of({ [transport]: 'tcp', 'network.connection.state': state }),
)
const timeWait = states.indexOf('time_wait')
/** A socket that is closed is in no table; TIME-WAIT is told by sockstat. */
const counted = states.flatMap((state, n) => (state === 'closed' || state === 'time_wait' ? [] : [n]))

const inUse = (name: string, of: string): Series => metrics.count.of({ [transport]: name, [family]: of })
const targets: Readonly<Record<string, Series>> = {
  'sockets used': metrics.used.of(),
  'TCP inuse': inUse('tcp', 'ipv4'),
  'TCP orphan': metrics.orphans.of(),
  'TCP tw': connections[timeWait]!,
  'TCP alloc': metrics.allocated.of(),
  'UDP inuse': inUse('udp', 'ipv4'),
  'UDPLITE inuse': inUse('udplite', 'ipv4'),
  'RAW inuse': inUse('raw', 'ipv4'),
  'FRAG inuse': metrics.fragments.of({ [family]: 'ipv4' }),
  'FRAG memory': metrics.fragmentMemory.of({ [family]: 'ipv4' }),
  'TCP6 inuse': inUse('tcp', 'ipv6'),
  'UDP6 inuse': inUse('udp', 'ipv6'),
  'UDPLITE6 inuse': inUse('udplite', 'ipv6'),
  'RAW6 inuse': inUse('raw', 'ipv6'),
  'FRAG6 inuse': metrics.fragments.of({ [family]: 'ipv6' }),
  'FRAG6 memory': metrics.fragmentMemory.of({ [family]: 'ipv6' }),
}
const inPages: Readonly<Record<string, Series>> = {
  'TCP mem': metrics.memory.of({ [transport]: 'tcp' }),
  'UDP mem': metrics.memory.of({ [transport]: 'udp' }),
}
const memoryLimit = metrics.memoryLimit.of({ [transport]: 'tcp' })
const orphanLimit = metrics.orphanLimit.of()

const statesEvery = 300_000

/** `statesUpTo` is how many TCP sockets may be counted one by one. */
export function sockets(statesUpTo: number): Part {
  return { subject: 'sockets', metrics: Object.values(metrics), open: host => open(host, statesUpTo) }
}

function open(host: Host, statesUpTo: number): OpenPart {
  const [stat, stat6] = [netFile(host, 'sockstat'), netFile(host, 'sockstat6')]
  const page = pageSize(host)
  const areLimitsDue = seldom()
  const areStatesDue = seldom(statesEvery)

  const read = (time: number, into: Sample[]): void => {
    const counts = new Map([...countsOf(stat, four), ...countsOf(stat6, six)])
    for (const [what, value] of counts) {
      const series = targets[what]
      const paged = inPages[what]
      if (series !== undefined) into.push({ series, time, value })
      else if (paged !== undefined && page !== undefined) into.push({ series: paged, time, value: value * page })
    }
    if (counts.size === 0) return
    if (areLimitsDue(time)) readLimits(host, page, time, into)
    if (!areStatesDue(time)) return
    const all = ['TCP inuse', 'TCP6 inuse', 'TCP tw'].reduce((sum, what) => sum + (counts.get(what) ?? 0), 0)
    if (all <= statesUpTo) readStates(host, counts.has('TCP6 inuse'), time, into)
  }
  const close = (): void => {
    stat.close()
    stat6.close()
  }
  return { read, close }
}

function countsOf(stat: HostFile, name: string): ReadonlyMap<string, number> {
  const bytes = stat.read()
  return bytes === undefined ? new Map() : parseSockstat(name, bytes)
}

/** `TCP: inuse 35 orphan 0 tw 4 alloc 59 mem 22` as `TCP inuse` -> 35 and so on. */
export function parseSockstat(file: string, bytes: Buffer): ReadonlyMap<string, number> {
  const scan = new Scan(file, bytes)
  const counts = new Map<string, number>()
  while (scan.more) {
    const start = scan.at
    const protocol = bytes.toString('latin1', start, scan.until(0x3a))
    for (scan.blanks(); scan.byte !== 0x0a; scan.blanks()) {
      const word = scan.at
      const name = bytes.toString('latin1', word, scan.until(0x20))
      counts.set(`${protocol} ${name}`, scan.integer())
    }
    scan.line()
  }
  return counts
}

function readLimits(host: Host, page: number | undefined, time: number, into: Sample[]): void {
  const orphans = host.read(orphanMost)
  if (orphans !== undefined) into.push({ series: orphanLimit, time, value: parseNumbers(orphanMost, orphans)[0]! })
  const pages = host.read(tcpMem)
  if (pages === undefined || page === undefined) return
  into.push({ series: memoryLimit, time, value: parseNumbers(tcpMem, pages, 3)[2]! * page })
}

/** Both families or nothing: half of them is not a count. */
function readStates(host: Host, hasIpv6: boolean, time: number, into: Sample[]): void {
  const [v4, v6] = ['tcp', 'tcp6'].map(name => {
    const file = netFile(host, name)
    const bytes = file.read()
    file.close()
    return bytes && parseStates(`/proc/net/${name}`, bytes)
  })
  if (v4 === undefined || (v6 === undefined && hasIpv6)) return
  for (const n of counted) into.push({ series: connections[n]!, time, value: v4[n]! + (v6?.[n] ?? 0) })
}

const heading = Buffer.from('  sl  local_address ')

/** How many sockets are in each of `states`. `   0: 00000000:07E8 00000000:0000 0A ...` */
export function parseStates(file: string, bytes: Buffer): readonly number[] {
  const scan = new Scan(file, bytes)
  if (!scan.takes(heading)) scan.fail('the heading sl')
  scan.line()
  const counts = states.map(() => 0)
  while (scan.more) {
    for (let n = 0; n < 3; n++) scan.word()
    scan.blanks()
    const at = scan.at
    scan.word()
    const state = Number.parseInt(bytes.toString('latin1', at, scan.at), 16) - 1
    if (counts[state] === undefined) scan.fail('a state of a TCP socket', at)
    counts[state]!++
    scan.line()
  }
  return counts
}
