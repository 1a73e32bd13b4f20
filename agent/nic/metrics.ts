// What is told of a network interface. The hardware conventions (hw.*) ask for `hw.id`.

import type { SeriesKind } from '../../core/model.ts'
import { type Metric, metric } from '../metric.ts'

const dev = '/proc/net/dev'
const name = 'network.interface.name'
const direction = 'network.io.direction'

const traffic = (what: string, unit: string, brief: string): Metric =>
  metric(`system.network.${what}`, unit, 'counter', [name, direction], dev, brief)
const link = (what: string, unit: string, kind: SeriesKind, file: string, brief: string): Metric =>
  metric(`hw.network.${what}`, unit, kind, ['hw.id', name], `/sys/class/net/*/${file}`, brief)

const kinds = ['hw.id', name, 'error.type', direction]

export const metrics = {
  io: traffic('io', 'By', 'bytes'),
  packets: traffic('packet.count', '{packet}', 'packets'),
  errors: traffic('errors', '{error}', 'packets in error'),
  dropped: traffic('packet.dropped', '{packet}', 'packets dropped without an error'),
  kinds: metric(
    'hw.errors',
    '{error}',
    'counter',
    [...kinds, 'hw.type'],
    dev,
    'errors by kind; when one grew, else once a minute',
  ),
  details: metric(
    'hw.network.error.count',
    '{error}',
    'counter',
    kinds,
    '/sys/class/net/*/statistics/*',
    'what the kinds consist of, once a minute; without hardware absent while 0',
  ),
  up: link('up', '1', 'gauge', 'operstate', '1 where the link works; absent where it cannot be known'),
  changes: link('carrier_changes', '{change}', 'counter', 'carrier_changes', 'times the carrier came or went'),
  carrierUp: link('carrier.up', '{change}', 'counter', 'carrier_up_count', 'times the carrier came'),
  carrierDown: link('carrier.down', '{change}', 'counter', 'carrier_down_count', 'times the carrier went'),
  limit: link('bandwidth.limit', 'By/s', 'gauge', 'speed', 'speed of the link'),
  fullDuplex: link('full_duplex', '1', 'gauge', 'duplex', '1 full, 0 half'),
  mtu: link('mtu', 'By', 'gauge', 'mtu', 'largest packet'),
  enabled: link('enabled', '1', 'gauge', 'flags', '1 where an administrator set it up'),
  promiscuous: link('promiscuous', '1', 'gauge', 'flags', '1 where it takes packets for others, too'),
} as const

const receive = 'receive' as const
const transmit = 'transmit' as const

/** Of the 16 numbers of a line of /proc/net/dev, those that are told at each reading. */
export const columns = [
  { at: 0, metric: metrics.io, direction: receive },
  { at: 1, metric: metrics.packets, direction: receive },
  { at: 2, metric: metrics.errors, direction: receive },
  { at: 3, metric: metrics.dropped, direction: receive },
  { at: 8, metric: metrics.io, direction: transmit },
  { at: 9, metric: metrics.packets, direction: transmit },
  { at: 10, metric: metrics.errors, direction: transmit },
  { at: 11, metric: metrics.dropped, direction: transmit },
] as const

/** Those that hardly ever grow. `frame` are errors of length, checksum and alignment; `carrier` those of the link. */
export const errorColumns = [
  { at: 4, kind: 'fifo', direction: receive },
  { at: 5, kind: 'frame', direction: receive },
  { at: 12, kind: 'fifo', direction: transmit },
  { at: 13, kind: 'collision', direction: transmit },
  { at: 14, kind: 'carrier', direction: transmit },
] as const

/** Documentation/ABI/testing/sysfs-class-net-statistics. */
export const details = [
  { file: 'rx_crc_errors', kind: 'crc', direction: receive },
  { file: 'rx_length_errors', kind: 'length', direction: receive },
  { file: 'rx_over_errors', kind: 'over', direction: receive },
  { file: 'rx_frame_errors', kind: 'alignment', direction: receive },
  { file: 'rx_missed_errors', kind: 'missed', direction: receive },
  { file: 'rx_nohandler', kind: 'nohandler', direction: receive },
  { file: 'tx_aborted_errors', kind: 'aborted', direction: transmit },
  { file: 'tx_carrier_errors', kind: 'carrier', direction: transmit },
  { file: 'tx_window_errors', kind: 'window', direction: transmit },
  { file: 'tx_heartbeat_errors', kind: 'heartbeat', direction: transmit },
] as const
