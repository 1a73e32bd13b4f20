// What is told of IP, ICMP, UDP and UDP-Lite, for IPv4 and IPv6. RFC 4293, RFC 4113.

import { both, type Counter, counter, declared, direction, family, origins, receive, transmit } from './counter.ts'

const errorType = 'error.type'
const as = (word: string, way = {}) => ({ ...way, [errorType]: word })

const checksums = declared(
  'checksum.errors',
  '{packet}',
  [family, 'network.protocol.name'],
  `${origins.snmp}, ${origins.extended}`,
  'wrong checksums of headers and messages; those of TCP for both families together',
)
const protocol = (name: string) => ({ 'network.protocol.name': name })

const packets = declared(
  'ip.packet.count',
  '{packet}',
  [family, direction],
  origins.both,
  'packets received, and packets this host asked to be sent; forwarded ones not among the latter',
)
const octets = declared('ip.io', 'By', [family, direction], origins.extended, 'bytes of packets, with their headers')
const delivered = declared('ip.packet.delivered', '{packet}', [family], origins.both, 'packets for this host')
const forwarded = declared('ip.packet.forwarded', '{packet}', [family], origins.both, 'packets for others')
const errors = declared(
  'ip.errors',
  '{packet}',
  [family, direction, errorType],
  `${origins.both}, /proc/net/netstat`,
  'packets thrown away, and why',
)
const reassembly = declared('ip.reassembly.failed', '{packet}', [family], origins.both, 'fragments that made no packet')
const fragmentation = declared('ip.fragmentation.failed', '{packet}', [family], origins.both, 'could not be fragmented')
const congested = declared('ip.congestion', '{packet}', [family], origins.extended, 'received with ECN mark CE')

const ofIp: readonly Counter[] = [
  ...both('Ip.InReceives', 'Ip6InReceives', packets, receive),
  ...both('Ip.OutRequests', 'Ip6OutRequests', packets, transmit),
  ...both('IpExt.InOctets', 'Ip6InOctets', octets, receive),
  ...both('IpExt.OutOctets', 'Ip6OutOctets', octets, transmit),
  ...both('Ip.InDelivers', 'Ip6InDelivers', delivered),
  ...both('Ip.ForwDatagrams', 'Ip6OutForwDatagrams', forwarded),
  ...both('Ip.InHdrErrors', 'Ip6InHdrErrors', errors, as('header', receive)),
  ...both('Ip.InAddrErrors', 'Ip6InAddrErrors', errors, as('address', receive)),
  ...both('Ip.InUnknownProtos', 'Ip6InUnknownProtos', errors, as('protocol', receive)),
  ...both('Ip.InDiscards', 'Ip6InDiscards', errors, as('discarded', receive)),
  ...both('IpExt.InTruncatedPkts', 'Ip6InTruncatedPkts', errors, as('truncated', receive)),
  ...both('IpExt.InNoRoutes', 'Ip6InNoRoutes', errors, as('no_route', receive)),
  ...both('Ip.OutDiscards', 'Ip6OutDiscards', errors, as('discarded', transmit)),
  ...both('Ip.OutNoRoutes', 'Ip6OutNoRoutes', errors, as('no_route', transmit)),
  ...both('Ip.ReasmFails', 'Ip6ReasmFails', reassembly),
  ...both('Ip.FragFails', 'Ip6FragFails', fragmentation),
  ...both('IpExt.InCEPkts', 'Ip6InCEPkts', congested),
  counter('IpExt.InCsumErrors', checksums, { [family]: 'ipv4', ...protocol('ip') }),
  counter('Tcp.InCsumErrors', checksums, protocol('tcp')),
]

const messages = declared('icmp.message.count', '{message}', [family, direction], origins.both, 'ICMP messages')
const icmpErrors = declared('icmp.errors', '{message}', [family, direction], origins.both, 'ICMP messages in error')
const unreachable = declared(
  'icmp.unreachable',
  '{message}',
  [family, direction],
  origins.both,
  'ICMP messages that a destination is unreachable',
)

const ofIcmp: readonly Counter[] = [
  ...both('Icmp.InMsgs', 'Icmp6InMsgs', messages, receive),
  ...both('Icmp.OutMsgs', 'Icmp6OutMsgs', messages, transmit),
  ...both('Icmp.InErrors', 'Icmp6InErrors', icmpErrors, receive),
  ...both('Icmp.OutErrors', 'Icmp6OutErrors', icmpErrors, transmit),
  ...both('Icmp.InDestUnreachs', 'Icmp6InDestUnreachs', unreachable, receive),
  ...both('Icmp.OutDestUnreachs', 'Icmp6OutDestUnreachs', unreachable, transmit),
  ...both('Icmp.InCsumErrors', 'Icmp6InCsumErrors', checksums, protocol('icmp')),
]

/** UDP-Lite counts as UDP does; hardly anybody uses it. */
function ofUdp(table: 'Udp' | 'UdpLite', name: 'udp' | 'udplite', quiet: boolean): readonly Counter[] {
  const note = quiet ? '; absent while 0' : ''
  const udp = (what: string, attributes: readonly string[], brief: string) =>
    declared(`${name}.${what}`, '{datagram}', [family, ...attributes], origins.both, `${brief}${note}`)
  const datagrams = udp('datagram.count', [direction], 'datagrams delivered and sent')
  const failed = udp('datagram.errors', [], 'datagrams not delivered, for any reason but a missing port')
  const closed = udp('no_port', [], 'datagrams for a port where nobody listens')
  const buffers = udp('buffer.errors', [direction], 'datagrams lost to a full buffer of a socket')
  const memory = udp('memory.errors', [], "datagrams lost to the protocol's limit of memory")
  const found = [
    ...both(`${table}.InDatagrams`, `${table}6InDatagrams`, datagrams, receive),
    ...both(`${table}.OutDatagrams`, `${table}6OutDatagrams`, datagrams, transmit),
    ...both(`${table}.InErrors`, `${table}6InErrors`, failed),
    ...both(`${table}.NoPorts`, `${table}6NoPorts`, closed),
    ...both(`${table}.RcvbufErrors`, `${table}6RcvbufErrors`, buffers, receive),
    ...both(`${table}.SndbufErrors`, `${table}6SndbufErrors`, buffers, transmit),
    ...both(`${table}.MemErrors`, `${table}6MemErrors`, memory),
    ...both(`${table}.InCsumErrors`, `${table}6InCsumErrors`, checksums, protocol(name)),
  ]
  return found.map(one => ({ ...one, quiet }))
}

export const ipCounters = [...ofIp, ...ofIcmp, ...ofUdp('Udp', 'udp', false), ...ofUdp('UdpLite', 'udplite', true)]
