// Envelopes over MQTT to a Fieldline collector. Only the collector's receipts count: what the broker acknowledges is
// routing, nothing more. docs/wire.md describes the topics, the bytes and the rules.

import { setTimeout as delay } from 'node:timers/promises'
import { type Envelope, encodeEnvelope, maxEnvelope } from '../../core/envelope.ts'
import { Link } from '../../core/mqtt.ts'
import { type MqttOptions, mqttOptions } from '../../core/mqtt-options.ts'
import type { Session, Timing } from '../../core/mqtt-session.ts'
import { readReceipt } from '../../core/receipt.ts'
import { type Channel, listening, topic } from '../../core/topics.ts'
import type { Delivery, Identity, Uplink, UplinkType } from '../uplink.ts'
import { Bases } from './bases.ts'
import { Skips } from './skips.ts'
import { Window } from './window.ts'

const limits = { envelopes: 64, bytes: 1024 ** 2 }
/** The longest a collector may ask to be left alone at a time, ms. */
const longestPause = 30_000
/** Room for the topic and the fixed header beside the envelope in a packet, bytes. */
const frame = 256
/** After so many sends in a row without any receipt the next broker may know the collector. */
const silentSends = 2

/** Why a send is given up early: it speaks for this broker. */
const unheard = new Error('a collector has begun to listen only now')

export interface MqttTiming {
  /** For a connection, and for each next receipt, ms. */
  readonly patience: number
  readonly link?: Timing
}

export const mqttUplink: UplinkType<MqttOptions> = {
  name: 'mqtt',
  options: mqttOptions,
  publishes: true,
  open: (options, identity) => openMqttUplink(options, identity),
}

export function openMqttUplink(
  options: MqttOptions,
  identity: Identity,
  timing: MqttTiming = { patience: 5000 },
): Uplink {
  return new MqttUplink(options, identity, timing)
}

class MqttUplink implements Uplink {
  readonly #link: Link
  readonly #timing: MqttTiming
  readonly #identity: Identity
  readonly #topics: Readonly<Record<Channel, string>>
  readonly #skips = new Skips()
  readonly #bases: Bases
  #window: Window | undefined
  #wake: (news: boolean) => void = () => {}
  #trouble: unknown
  #silent = 0
  readonly #closed = new AbortController()

  constructor(options: MqttOptions, identity: Identity, timing: MqttTiming) {
    const at = (channel: Channel): string => topic({ tenant: options.tenant, node: identity.node, channel })
    this.#topics = { up: at('up'), receipt: at('receipt'), order: at('order'), status: at('status') }
    this.#identity = identity
    this.#bases = new Bases(identity.opened)
    this.#timing = timing
    this.#link = new Link({
      options,
      clientId: `${identity.node}-${identity.spool}`,
      subscribe: [
        this.#topics.receipt,
        this.#topics.status,
        listening(options.tenant),
        ...(identity.orders === undefined ? [] : [this.#topics.order]),
      ],
      will: { topic: this.#topics.status, payload: this.#status(false) },
      deliver: (at, payload) => this.#deliver(at, payload),
      up: session => this.#announce(session, true),
      down: error => this.#lost(error),
      ...(timing.link && { timing: timing.link }),
    })
  }

  async send(batch: readonly Envelope[], signal: AbortSignal): Promise<Delivery> {
    this.#trouble = undefined
    const session = await this.#link.ready(this.#timing.patience, signal)
    const window = new Window(batch, limits)
    this.#window = window
    try {
      while (!window.done) {
        this.#publish(session, window)
        if (!window.done && !(await this.#receipt(signal))) break
      }
    } finally {
      this.#window = undefined
    }
    if (window.pause > 0)
      await delay(Math.min(window.pause, longestPause), undefined, { signal }).catch(() => undefined)
    return this.#conclude(session, window, batch)
  }

  async publish(topic: string, payload: Buffer, retain: boolean): Promise<void> {
    const session = await this.#link.ready(this.#timing.patience, this.#closed.signal)
    await session.publish(topic, payload, retain)
  }

  async close(): Promise<void> {
    this.#closed.abort()
    if (this.#link.session) this.#announce(this.#link.session, false)
    await this.#link.close()
  }

  #publish(session: Session, window: Window): void {
    const largest = Math.min(maxEnvelope, session.maxPacket - frame)
    for (let e = window.next(); e !== undefined; e = window.next()) {
      const bytes = encodeEnvelope(this.#bases.shorten(this.#skips.mend(e)))
      if (bytes.length <= largest) this.#put(session, this.#topics.up, bytes)
      else {
        window.refuse(e, `${bytes.length} bytes, where broker and collector take ${largest}`)
        this.#skips.add(e)
      }
    }
  }

  /** Waits for a receipt that says something of this window; false when none came in time. */
  async #receipt(signal: AbortSignal): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    this.#wake = resolve
    const giveUp = (): void => resolve(false)
    const timer = setTimeout(giveUp, this.#timing.patience)
    signal.addEventListener('abort', giveUp)
    try {
      return !signal.aborted && (await promise)
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', giveUp)
    }
  }

  #conclude(session: Session, window: Window, batch: readonly Envelope[]): Delivery {
    if (!window.news) {
      if (this.#trouble === unheard) return window.delivery()
      this.#leaveIfSilent()
      throw new Error(`no receipt from a collector over ${session.broker}`, { cause: this.#trouble })
    }
    this.#silent = 0
    const delivery = window.delivery()
    for (const { stream, seq } of delivery.refused)
      this.#skips.add(batch.find(e => e.stream === stream && e.seq === seq)!)
    return delivery
  }

  #leaveIfSilent(): void {
    this.#silent++
    if (this.#silent < silentSends) return
    this.#silent = 0
    this.#link.leave()
  }

  #deliver(at: string, payload: Buffer): void {
    if (at === this.#topics.receipt) this.#heard(payload)
    else if (at === this.#topics.status) this.#seen(payload)
    else if (at === this.#topics.order) this.#identity.orders?.signed(at, payload)
    else this.#lost(unheard)
  }

  #heard(payload: Buffer): void {
    try {
      const receipt = readReceipt(payload.toString('utf8'))
      this.#bases.heard(receipt)
      if (this.#window?.receipt(receipt)) this.#wake(true)
    } catch (error) {
      this.#trouble = error
    }
  }

  /** Our status as others read it: a will that a broker published late, or a namesake's goodbye, is corrected. */
  #seen(payload: Buffer): void {
    if (this.#closed.signal.aborted || this.#link.session === undefined || !payload.includes('"online":false')) return
    this.#announce(this.#link.session, true)
  }

  #lost(error: Error): void {
    this.#trouble = error
    this.#wake(false)
  }

  #announce(session: Session, online: boolean): void {
    this.#put(session, this.#topics.status, this.#status(online), true)
  }

  #put(session: Session, topic: string, payload: Buffer, retain = false): void {
    session.publish(topic, payload, retain).catch(error => {
      this.#trouble = error
    })
  }

  #status(online: boolean): Buffer {
    const { spool, about } = this.#identity
    return Buffer.from(JSON.stringify({ online, spool, ...about }))
  }
}
