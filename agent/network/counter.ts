// What a curated counter of the kernel is: where it stands, and the series it becomes.

import type { Attributes, SeriesKind } from '../../core/model.ts'
import { type Metric, metric } from '../metric.ts'
import type { Target } from './tables.ts'

export interface Counter extends Target {
  /** `Tcp.RetransSegs`, or `Ip6InReceives` of /proc/net/snmp6. */
  readonly at: string
  readonly metric: Metric
}

export const direction = 'network.io.direction'
export const family = 'network.type'
export const receive = { [direction]: 'receive' } as const
export const transmit = { [direction]: 'transmit' } as const

const [snmp, netstat, snmp6] = ['/proc/net/snmp', '/proc/net/netstat', '/proc/net/snmp6']

export const origins = { snmp, netstat, both: `${snmp}, ${snmp6}`, extended: `${netstat}, ${snmp6}` } as const

/** A metric of this folder's; `name` without `system.network.` */
export function declared(
  name: string,
  unit: string,
  attributes: readonly string[],
  origin: string,
  brief: string,
  kind: SeriesKind = 'counter',
): Metric {
  return metric(`system.network.${name}`, unit, kind, attributes, origin, brief)
}

export function counter(at: string, of: Metric, attributes: Attributes = {}, scale = 1, quiet = false): Counter {
  return { at, metric: of, series: of.of(attributes), scale, quiet }
}

/** The same counter of IPv4 and of IPv6. */
export function both(four: string, six: string, of: Metric, attributes: Attributes = {}): readonly Counter[] {
  return [counter(four, of, { [family]: 'ipv4', ...attributes }), counter(six, of, { [family]: 'ipv6', ...attributes })]
}
