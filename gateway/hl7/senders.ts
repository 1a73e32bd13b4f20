// Who may send: by address, by certificate, and by what a message says of its sender.

import { BlockList, isIPv6 } from 'node:net'
import { list, object, optional, refined, type Shape, shape, text } from '../../core/shape.ts'
import type { Message } from './message.ts'

/** One that may; what it leaves out may be anything. */
export interface Sender {
  /** `10.1.2.3` or `10.1.0.0/16`. */
  readonly address: string | undefined
  /** The common name or a DNS name of the client's certificate. */
  readonly certificate: string | undefined
  /** MSH-3.1 and MSH-4.1. */
  readonly application: string | undefined
  readonly facility: string | undefined
}

/** Who is at the other end of a connection. */
export interface Peer {
  readonly address: string
  /** Names in its certificate, none where it showed none. */
  readonly names: readonly string[]
}

const address = shape('an address or a network such as 10.1.2.3 or 10.1.0.0/16', raw =>
  typeof raw === 'string' && listOf(raw) !== undefined ? raw : undefined,
)

const sender: Shape<Sender> = object(
  {
    address: optional(address),
    certificate: optional(text),
    application: optional(text),
    facility: optional(text),
  },
  'a sender',
)

export const senders: Shape<readonly Sender[]> = list(
  refined(sender, (value, place) => {
    if (Object.values(value).every(one => one === undefined)) place.wrong('this sender may be anybody; say who it is')
  }),
)

export interface Gate {
  /** Whether some sender may be at the other end. */
  admits(peer: Peer): boolean
  /** Whether one of them may have sent this. */
  takes(message: Message, peer: Peer): boolean
}

/** Without a list everybody may. */
export function gate(allowed: readonly Sender[]): Gate {
  if (allowed.length === 0) return { admits: () => true, takes: () => true }
  const entries = allowed.map(one => ({ ...one, network: one.address === undefined ? undefined : listOf(one.address) }))
  const fits = ({ network, certificate }: (typeof entries)[number], peer: Peer): boolean =>
    (network === undefined || network.check(peer.address, isIPv6(peer.address) ? 'ipv6' : 'ipv4')) &&
    (certificate === undefined || peer.names.includes(certificate))
  return {
    admits: peer => entries.some(one => fits(one, peer)),
    takes: ({ header }, peer) => {
      const [application, facility] = [header.field(3).component(), header.field(4).component()]
      return entries.some(
        one =>
          (one.application ?? application) === application &&
          (one.facility ?? facility) === facility &&
          fits(one, peer),
      )
    },
  }
}

/** Undefined where the text is neither an address nor a network. */
function listOf(written: string): BlockList | undefined {
  const [, at = '', bits] = /^([0-9A-Fa-f.:]+)(?:\/(\d{1,3}))?$/.exec(written) ?? []
  const made = new BlockList()
  const family = isIPv6(at) ? 'ipv6' : 'ipv4'
  try {
    if (bits === undefined) made.addAddress(at, family)
    else made.addSubnet(at, Number(bits), family)
    return made
  } catch {
    return undefined
  }
}
