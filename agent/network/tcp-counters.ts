// What is told of TCP and MPTCP: enough to see loss, refusal, overload and memory pressure. IPv4 and IPv6 together, as the
// kernel counts them. RFC 4022, and Documentation/networking/snmp_counter.rst of the kernel.

import type { Metric } from '../metric.ts'
import { type Counter, counter, declared, direction, origins, receive, transmit } from './counter.ts'

const reason = 'network.tcp.reason'

const tcp = (name: string, unit: string, brief: string, attributes: readonly string[] = []): Metric =>
  declared(`tcp.${name}`, unit, attributes, origins.netstat, brief)
const basic = (name: string, unit: string, brief: string, attributes: readonly string[] = []): Metric =>
  declared(`tcp.${name}`, unit, attributes, origins.snmp, brief)

const segments = basic('segment.count', '{segment}', 'segments, retransmitted ones not counted', [direction])
const opened = basic('connection.opened', '{connection}', 'connections opened', ['network.tcp.open'])
const dropped = tcp('dropped', '{segment}', 'segments thrown away on arrival, and why', [reason])
const refused = tcp('request.dropped', '{connection}', 'requests to connect that were dropped, and why', [reason])
const aborted = tcp('aborted', '{connection}', 'connections given up, and why', [reason])
const cookies = tcp('syncookie.count', '{cookie}', 'SYN cookies: a full queue of requests to connect', [
  'network.tcp.syncookie.state',
])
const pruned = tcp('pruned', '{event}', 'receive queues shortened for want of memory, by queue', [reason])
const retransmits = tcp('retransmit.count', '{segment}', 'retransmitted segments, and why', [reason])
const windows = tcp('zero_window', '{event}', 'windows closed because the application does not read')

const why = (word: string) => ({ [reason]: word })

const ofSegments: readonly Counter[] = [
  counter('Tcp.InSegs', segments, receive),
  counter('Tcp.OutSegs', segments, transmit),
  counter('Tcp.RetransSegs', basic('segment.retransmitted', '{segment}', 'segments sent again')),
  counter('Tcp.InErrs', basic('segment.errors', '{segment}', 'segments received in error')),
  counter('Tcp.OutRsts', basic('reset.sent', '{segment}', 'segments sent with RST')),
  counter('TcpExt.TCPOFOQueue', tcp('out_of_order', '{segment}', 'segments received out of order')),
  counter('TcpExt.TCPOrigDataSent', tcp('segment.original', '{segment}', 'segments with data sent for the first time')),
]

const ofConnections: readonly Counter[] = [
  counter(
    'Tcp.CurrEstab',
    declared('tcp.established', '{connection}', [], origins.snmp, 'ESTABLISHED or CLOSE-WAIT', 'gauge'),
  ),
  counter('Tcp.ActiveOpens', opened, { 'network.tcp.open': 'active' }),
  counter('Tcp.PassiveOpens', opened, { 'network.tcp.open': 'passive' }),
  counter('Tcp.AttemptFails', basic('connection.failed', '{connection}', 'attempts to connect that failed')),
  counter('Tcp.EstabResets', basic('connection.reset', '{connection}', 'established connections that were reset')),
  counter(
    'TcpExt.ListenOverflows',
    tcp('listen.overflows', '{connection}', 'connections that found the accept queue full'),
  ),
  counter('TcpExt.ListenDrops', tcp('listen.drops', '{connection}', 'requests to connect dropped for any reason')),
  counter('TcpExt.TCPReqQFullDrop', refused, why('request_queue_full')),
  counter('TcpExt.TCPDeferAcceptDrop', refused, why('defer_accept')),
  counter('TcpExt.EmbryonicRsts', refused, why('reset')),
  counter('TcpExt.SyncookiesSent', cookies, { 'network.tcp.syncookie.state': 'sent' }),
  counter('TcpExt.SyncookiesRecv', cookies, { 'network.tcp.syncookie.state': 'received' }),
  counter('TcpExt.SyncookiesFailed', cookies, { 'network.tcp.syncookie.state': 'failed' }),
  counter('TcpExt.TCPTimeWaitOverflow', tcp('time_wait.overflowed', '{connection}', 'too many in TIME-WAIT')),
  counter('TcpExt.TCPAbortOnData', aborted, why('data')),
  counter('TcpExt.TCPAbortOnClose', aborted, why('close')),
  counter('TcpExt.TCPAbortOnMemory', aborted, why('memory')),
  counter('TcpExt.TCPAbortOnTimeout', aborted, why('timeout')),
  counter('TcpExt.TCPAbortOnLinger', aborted, why('linger')),
  counter('TcpExt.TCPAbortFailed', tcp('abort.failed', '{connection}', 'RST not sent for want of memory')),
]

const ofLoss: readonly Counter[] = [
  counter('TcpExt.TCPTimeouts', tcp('timeout.count', '{timeout}', 'retransmission timeouts')),
  counter('TcpExt.TCPSpuriousRTOs', tcp('timeout.spurious', '{timeout}', 'timeouts that were too early')),
  counter('TcpExt.TCPFastRetrans', retransmits, why('fast')),
  counter('TcpExt.TCPSlowStartRetrans', retransmits, why('slow_start')),
  counter('TcpExt.TCPLostRetransmit', retransmits, why('lost_again')),
  counter('TcpExt.TCPSynRetrans', retransmits, why('syn')),
  counter('TcpExt.TCPRetransFail', tcp('retransmit.failed', '{segment}', 'retransmissions that failed on this host')),
  counter('TcpExt.TCPBacklogDrop', dropped, why('backlog')),
  counter('TcpExt.TCPRcvQDrop', dropped, why('receive_queue')),
  counter('TcpExt.TCPOFODrop', dropped, why('out_of_order_queue')),
  counter('TcpExt.TCPZeroWindowDrop', dropped, why('zero_window')),
  counter('TcpExt.TCPMinTTLDrop', dropped, why('ttl')),
  counter('TcpExt.PFMemallocDrop', dropped, why('memory')),
  counter('TcpExt.PAWSEstab', dropped, why('timestamp')),
]

const ofMemory: readonly Counter[] = [
  counter('TcpExt.TCPMemoryPressures', tcp('memory_pressure.count', '{event}', 'times TCP came under memory pressure')),
  counter(
    'TcpExt.TCPMemoryPressuresChrono',
    tcp('memory_pressure.time', 's', 'time under memory pressure'),
    {},
    1 / 1000,
  ),
  counter('TcpExt.PruneCalled', pruned, why('collapsed')),
  counter('TcpExt.RcvPruned', pruned, why('receive_queue')),
  counter('TcpExt.OfoPruned', pruned, why('out_of_order_queue')),
  counter('TcpExt.TCPWqueueTooBig', tcp('send_queue.too_big', '{event}', 'send queues over their limit')),
  counter('TcpExt.TCPToZeroWindowAdv', windows),
]

const mptcp = (column: string, name: string, unit: string, brief: string, kind: 'counter' | 'gauge' = 'counter') =>
  counter(
    `MPTcpExt.${column}`,
    declared(`mptcp.${name}`, unit, [], origins.netstat, `${brief}; absent while 0`, kind),
    {},
    1,
    true,
  )

const ofMptcp: readonly Counter[] = [
  mptcp('MPCurrEstab', 'established', '{connection}', 'established MPTCP connections', 'gauge'),
  mptcp('MPCapableSYNRX', 'connection.passive', '{connection}', 'requests with MP_CAPABLE received'),
  mptcp('MPCapableSYNTX', 'connection.active', '{connection}', 'requests with MP_CAPABLE sent'),
  mptcp('MPCapableFallbackACK', 'fallback.passive', '{connection}', 'fell back to TCP as the server'),
  mptcp('MPCapableFallbackSYNACK', 'fallback.active', '{connection}', 'fell back to TCP as the client'),
  mptcp('MPTCPRetrans', 'segment.retransmitted', '{segment}', 'segments sent again by MPTCP'),
  mptcp('DataCsumErr', 'checksum.errors', '{segment}', 'data checksums that were wrong'),
  mptcp('MPJoinSynRx', 'join.received', '{subflow}', 'requests for a further subflow'),
  mptcp('RmSubflow', 'subflow.removed', '{subflow}', 'subflows removed'),
  mptcp('SubflowStale', 'subflow.stale', '{subflow}', 'subflows that no longer got through'),
  mptcp('MPFailRx', 'fail.received', '{event}', 'MP_FAIL received'),
  mptcp('MPRstRx', 'reset.received', '{event}', 'MPTCP resets received'),
]

export const tcpCounters = [...ofSegments, ...ofConnections, ...ofLoss, ...ofMemory, ...ofMptcp]
