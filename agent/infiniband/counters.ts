// What the counters of an InfiniBand or RoCE port become: those of the InfiniBand Architecture (PortCounters, in the folder
// `counters`) and the drivers' own (in `hw_counters`), which have several names for the same thing.
// Documentation/ABI/stable/sysfs-class-infiniband of the kernel; names of mlx5, bnxt_re and irdma.

import type { Attributes } from '../../core/model.ts'
import { type Metric, metric } from '../metric.ts'

export interface Meaning {
  readonly metric: Metric
  readonly attributes: Attributes
  readonly scale: number
}

/** Of each port: `mlx5_0/1` of the device `mlx5_0`. */
export const identity = ['hw.id', 'hw.parent'] as const

const folder = '/sys/class/infiniband/*/ports/*'
const standard = `${folder}/counters/*`
const own = `${folder}/hw_counters/*`
const direction = 'network.io.direction'
const receive = { [direction]: 'receive' }
const transmit = { [direction]: 'transmit' }

const declare = (name: string, unit: string, keys: readonly string[], origin: string, brief: string): Metric =>
  metric(`hw.${name}`, unit, 'counter', [...identity, ...keys], origin, brief)
const hardware = (name: string, unit: string, brief: string, keys: readonly string[] = []): Metric =>
  declare(`infiniband.${name}`, unit, keys, own, brief)

const io = declare('network.io', 'By', [direction], standard, 'bytes, counted by the port in units of 4')
const packets = declare('network.packets', '{packet}', [direction], standard, 'packets')
const errors = declare('errors', '{error}', ['hw.type', 'error.type'], standard, 'errors of the port, by kind')
const wait = declare('infiniband.transmit_wait', '{tick}', [], standard, 'ticks in which data waited for credits')
const casts = declare(
  'infiniband.packets.cast',
  '{packet}',
  [direction, 'infiniband.cast'],
  standard,
  'packets, unicast and multicast apart',
)
const notified = hardware('congestion.notification', '{packet}', 'CNP packets: congestion on the way', [direction])
const marked = hardware('congestion.marked', '{packet}', 'RoCE packets received with an ECN mark')
const ignored = hardware('congestion.ignored', '{packet}', 'CNP packets received and ignored')
const disordered = hardware('out_of_sequence', '{packet}', 'packets received out of sequence')
const nak = hardware('sequence_error', '{packet}', 'NAKs received for a sequence error')
const impliedNak = hardware('implied_nak', '{event}', 'times an ACK skipped an expected response')
const timeout = hardware('ack_timeout', '{timeout}', 'times the timer for an acknowledgement ran out')
const notReady = hardware('receiver_not_ready', '{packet}', 'NAKs received for a receiver that was not ready')
const noBuffer = hardware('out_of_buffer', '{packet}', 'packets dropped for want of a receive request')
const duplicate = hardware('duplicate_request', '{packet}', 'requests received twice')
const retransmitted = hardware('retransmission', '{event}', 'adaptive retransmissions')
const retransmitTimeout = hardware('retransmission.timeout', '{timeout}', 'timeouts of adaptive retransmission')
const slowRestart = hardware('slow_restart', '{event}', 'restarts at a low rate after a pause')
/** Whatever else a driver counts. */
export const other = hardware('hardware_counter', '1', "the driver's other counters, by their own names", [
  'infiniband.counter',
])

const plain = (metric: Metric, attributes: Attributes = {}, scale = 1): Meaning => ({ metric, attributes, scale })
const error = (kind: string): Meaning => plain(errors, { 'hw.type': 'network', 'error.type': kind })
const cast = (kind: string, way: Attributes): Meaning => plain(casts, { 'infiniband.cast': kind, ...way })

export const counters: Readonly<Record<string, Meaning>> = {
  port_rcv_data: plain(io, receive, 4),
  port_xmit_data: plain(io, transmit, 4),
  port_rcv_packets: plain(packets, receive),
  port_xmit_packets: plain(packets, transmit),
  unicast_rcv_packets: cast('unicast', receive),
  unicast_xmit_packets: cast('unicast', transmit),
  multicast_rcv_packets: cast('multicast', receive),
  multicast_xmit_packets: cast('multicast', transmit),
  port_xmit_wait: plain(wait),
  symbol_error: error('symbol'),
  link_error_recovery: error('link_recovery'),
  link_downed: error('link_downed'),
  port_rcv_errors: error('receive'),
  port_rcv_remote_physical_errors: error('remote_physical'),
  port_rcv_switch_relay_errors: error('switch_relay'),
  port_rcv_constraint_errors: error('receive_constraint'),
  port_xmit_discards: error('transmit_discard'),
  port_xmit_constraint_errors: error('transmit_constraint'),
  local_link_integrity_errors: error('local_link_integrity'),
  excessive_buffer_overrun_errors: error('buffer_overrun'),
  VL15_dropped: error('vl15_dropped'),
}

export const hardwareCounters: Readonly<Record<string, Meaning>> = {
  np_cnp_sent: plain(notified, transmit),
  tx_cnp_pkts: plain(notified, transmit),
  cnpSent: plain(notified, transmit),
  rp_cnp_handled: plain(notified, receive),
  rx_cnp_pkts: plain(notified, receive),
  cnpHandled: plain(notified, receive),
  rp_cnp_ignored: plain(ignored),
  cnpIgnored: plain(ignored),
  np_ecn_marked_roce_packets: plain(marked),
  rx_ecn_marked_pkts: plain(marked),
  RxECNMrkd: plain(marked),
  out_of_sequence: plain(disordered),
  packet_seq_err: plain(nak),
  implied_nak_seq_err: plain(impliedNak),
  local_ack_timeout_err: plain(timeout),
  rnr_nak_retry_err: plain(notReady),
  out_of_buffer: plain(noBuffer),
  duplicate_request: plain(duplicate),
  roce_adp_retrans: plain(retransmitted),
  roce_adp_retrans_to: plain(retransmitTimeout),
  roce_slow_restart: plain(slowRestart),
}

export const counterMetrics: readonly Metric[] = [
  ...new Set([...Object.values(counters), ...Object.values(hardwareCounters)].map(one => one.metric)),
  other,
]
