// The counters of the protocols: a chosen set, or all that the kernel has.

import type { Host } from '../../core/host.ts'
import type { Sample } from '../../core/model.ts'
import { metric } from '../metric.ts'
import { ipCounters } from './ip-counters.ts'
import { netFile, type OpenPart, type Part } from './part.ts'
import { type Find, Lines, Tables } from './tables.ts'
import { tcpCounters } from './tcp-counters.ts'

const chosen = new Map([...tcpCounters, ...ipCounters].map(one => [one.at, one]))

const name = 'network.protocol.counter'
const any = metric(
  'system.network.protocol.counter',
  '1',
  'counter',
  [name],
  '/proc/net/snmp, /proc/net/snmp6, /proc/net/netstat',
  'with the option `all`: every other counter, by its name in the kernel',
)

/** Settings, not counters. */
const settings = /^(Ip\.(Forwarding|DefaultTTL)|Tcp\.(RtoAlgorithm|RtoMin|RtoMax|MaxConn))$/

/** Every part has the same files: a `Part` a file, so that a damaged one is alone. */
export function protocols(all: boolean): readonly Part[] {
  const find: Find = (table, column) => {
    const at = table === '' ? column : `${table}.${column}`
    if (chosen.has(at) || !all || settings.test(at)) return chosen.get(at)
    return { series: any.of({ [name]: at }), scale: 1, quiet: false }
  }
  const metrics = [...new Set([...chosen.values()].map(one => one.metric)), any]
  return [
    part('snmp', metrics, new Tables('/proc/net/snmp', find)),
    part('netstat', [], new Tables('/proc/net/netstat', find)),
    part('snmp6', [], new Lines('/proc/net/snmp6', find)),
  ]
}

interface Parser {
  read(bytes: Buffer, time: number, into: Sample[]): void
}

function part(file: string, metrics: Part['metrics'], parser: Parser): Part {
  const open = (host: Host): OpenPart => {
    const kept = netFile(host, file)
    const read = (time: number, into: Sample[]): void => {
      const bytes = kept.read()
      if (bytes !== undefined) parser.read(bytes, time, into)
    }
    return { read, close: () => kept.close() }
  }
  return { subject: file, metrics, open }
}
