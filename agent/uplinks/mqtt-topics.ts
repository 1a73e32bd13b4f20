// Plain JSON on a tree of topics, for whatever reads MQTT: Node-RED, dashboards, scripts. docs/topics.md has topics and payloads.
// `send` resolves when the broker has acknowledged every message; whether anybody listens, nobody knows. A delivery
// that broke off is sent again: those who listen may hear it twice, with the same time.

import { crc32 } from 'node:zlib'
import type { Envelope } from '../../core/envelope.ts'
import { reason } from '../../core/errors.ts'
import { Link } from '../../core/mqtt.ts'
import type { Session, Timing } from '../../core/mqtt-session.ts'
import { type MqttTopicsOptions, mqttTopicsOptions } from '../mqtt-topics/options.ts'
import { type Message, Tree } from '../mqtt-topics/tree.ts'
import type { Delivery, Identity, Refusal, Uplink, UplinkType } from '../uplink.ts'
import { type Opened, Opener } from './opened.ts'

/** Messages that await the broker's acknowledgement. */
const mostOutstanding = 512

export interface MqttTopicsTiming {
  /** For a connection, ms. */
  readonly patience: number
  readonly link?: Timing
}

export const mqttTopicsUplink: UplinkType<MqttTopicsOptions> = {
  name: 'mqtt-topics',
  options: mqttTopicsOptions,
  publishes: true,
  open: (options, identity) => openMqttTopicsUplink(options, identity),
}

export function openMqttTopicsUplink(
  options: MqttTopicsOptions,
  identity: Identity,
  timing: MqttTopicsTiming = { patience: 5000 },
): Uplink {
  return new MqttTopicsUplink(options, identity, timing)
}

class MqttTopicsUplink implements Uplink {
  readonly #timing: MqttTopicsTiming
  readonly #link: Link
  readonly #opener: Opener
  readonly #tree: Tree

  constructor(options: MqttTopicsOptions, identity: Identity, timing: MqttTopicsTiming) {
    this.#timing = timing
    this.#opener = new Opener(identity)
    this.#tree = new Tree(options)
    const { topic, events_topic, omit } = options
    this.#link = new Link({
      options,
      clientId: `${identity.node}-${identity.spool}-${crc32(JSON.stringify([topic, events_topic, omit])).toString(16)}`,
      subscribe: [],
      deliver: () => {},
      ...(timing.link && { timing: timing.link }),
    })
  }

  async send(batch: readonly Envelope[], signal: AbortSignal): Promise<Delivery> {
    const session = await this.#link.ready(this.#timing.patience, signal)
    const opened: Opened[] = []
    const refused: Refusal[] = []
    for (const e of batch) {
      try {
        opened.push(this.#opener.open(e))
      } catch (error) {
        refused.push({ stream: e.stream, seq: e.seq, reason: `cannot be read: ${reason(error)}` })
      }
    }
    await publish(session, this.#tree.tell(opened), signal)
    return { committed: new Map(batch.map(({ stream, seq }) => [stream, seq])), refused }
  }

  /** Hands on what another part wants told on a topic of its own. */
  async publish(topic: string, payload: Buffer, retain: boolean): Promise<void> {
    const session = await this.#link.ready(this.#timing.patience, new AbortController().signal)
    await session.publish(topic, payload, retain)
  }

  async close(): Promise<void> {
    await this.#link.close()
  }
}

/** Resolves when all are acknowledged, in order. @throws on the first that is not; others may have gone out. */
async function publish(session: Session, messages: readonly Message[], signal: AbortSignal): Promise<void> {
  for (let n = 0; n < messages.length; n += mostOutstanding) {
    signal.throwIfAborted()
    const some = messages.slice(n, n + mostOutstanding)
    await Promise.all(some.map(({ topic, payload, retain }) => session.publish(topic, payload, retain)))
  }
}
