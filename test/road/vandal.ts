// Someone with access to the broker who sends whatever bytes they like, and hears what is answered.

import type { Test } from 'tap'
import { type Envelope, encodeEnvelope } from '../../core/envelope.ts'
import { Link } from '../../core/mqtt.ts'
import { mqttOptions } from '../../core/mqtt-options.ts'
import { type Receipt, readReceipt } from '../../core/receipt.ts'
import { Place } from '../../core/shape.ts'
import { type Channel, topic } from '../../core/topics.ts'

export interface Vandal {
  /** Receipts that came for any node. */
  readonly receipts: readonly Receipt[]
  /** On the topic of a node. */
  publish(node: string, bytes: Uint8Array, channel?: Channel): Promise<void>
  publishAt(topic: string, bytes: Uint8Array): Promise<void>
  /** On the topic of its own node. */
  send(envelope: Envelope): Promise<void>
}

export async function openVandal(t: Test, broker: string): Promise<Vandal> {
  const receipts: Receipt[] = []
  const link = new Link({
    options: mqttOptions.read({ brokers: [broker] }, new Place()),
    clientId: 'vandal',
    subscribe: ['fieldline/v1/default/+/+/receipt'],
    deliver: (_, payload) => void receipts.push(readReceipt(payload.toString())),
  })
  t.teardown(() => link.close())
  const session = await link.ready(5000, new AbortController().signal)
  const publish = (node: string, bytes: Uint8Array, channel: Channel = 'up'): Promise<void> =>
    session.publish(topic({ tenant: 'default', node, channel }), Buffer.from(bytes))
  return {
    receipts,
    publish,
    publishAt: (at, bytes) => session.publish(at, Buffer.from(bytes)),
    send: envelope => publish(envelope.node, encodeEnvelope(envelope)),
  }
}
