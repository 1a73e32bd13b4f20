// Topics of Fieldline on an MQTT broker: `fieldline/v1/<tenant>/<shard>/<node>/<channel>`. docs/wire.md tells what each carries.

import { crc32 } from 'node:zlib'
import { isName } from './envelope.ts'

export const channels = ['up', 'receipt', 'order', 'status'] as const
export type Channel = (typeof channels)[number]

/** Collectors divide the fleet by shard: 0 to 63. */
export const shards = 64

export interface Place {
  readonly tenant: string
  readonly node: string
  readonly channel: Channel
}

/** CRC-32 (IEEE 802.3, as zlib) of the UTF-8 text `<tenant>/<node>`, modulo 64. */
export function shardOf(tenant: string, node: string): number {
  return crc32(`${tenant}/${node}`) % shards
}

export function topic({ tenant, node, channel }: Place): string {
  return `fieldline/v1/${tenant}/${shardOf(tenant, node)}/${node}/${channel}`
}

/** A subscription to one channel of every node of a tenant. */
export function everyNode(tenant: string, channel: Channel): string {
  return `fieldline/v1/${tenant}/+/+/${channel}`
}

/** Where a collector says that it listens (anew): what was sent and not answered was not heard. */
export function listening(tenant: string): string {
  return `fieldline/v1/${tenant}/listening`
}

/** Undefined for anything that `topic` would not have built, a node in another's shard included. */
export function parseTopic(text: string): Place | undefined {
  const [root, version, tenant = '', shard, node = '', channel, ...more] = text.split('/')
  if (root !== 'fieldline' || version !== 'v1' || more.length > 0 || !isName(tenant) || !isName(node)) return undefined
  if (shard !== String(shardOf(tenant, node))) return undefined
  const known = channels.find(c => c === channel)
  return known && { tenant, node, channel: known }
}
