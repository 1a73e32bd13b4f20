// Envelopes in over MQTT, receipts out. Every message that is not a whole envelope of the node whose topic it came on is
// refused and counted; where it can be read which envelope it was meant to be, its sender is told.
// At most `inFlight` envelopes wait for their commit: then the broker is read no further (back-pressure).

import { randomUUID } from 'node:crypto'
import { decodeEnvelope, type Envelope, maxEnvelope, readPlace } from '../../core/envelope.ts'
import { Refused, reason } from '../../core/errors.ts'
import { type Say, troubles } from '../../core/log.ts'
import { Link } from '../../core/mqtt.ts'
import type { MqttOptions } from '../../core/mqtt-options.ts'
import type { Session, Timing } from '../../core/mqtt-session.ts'
import type { Accept, Receipt } from '../../core/receipt.ts'
import { everyNode, listening, type Place, parseTopic, topic } from '../../core/topics.ts'
import { Bases } from './bases.ts'
import { gatherReceipts } from './receipts.ts'

export interface MqttIngestOptions {
  readonly mqtt: MqttOptions
  /** Says its own troubles; whatever it throws but Refused makes the edge wait. */
  readonly accept: Accept
  /** A message was refused, for one of `refusals`. */
  count(why: Refusal, node?: string): void
  /** A node said that it is there, or its broker that it is gone. */
  onStatus(node: string, online: boolean, info: Readonly<Record<string, unknown>>): void
  readonly say: Say
  readonly timing?: Timing
}

export const refusals = [
  'topic',
  'node',
  'too-large',
  'damaged',
  'no-base',
  'refused',
  'not-committed',
  'status',
] as const
export type Refusal = (typeof refusals)[number]

export interface MqttIngest {
  /** Whether a broker has taken us in: without one nobody can be heard. */
  readonly connected: boolean
  close(): Promise<void>
}

const inFlight = 256
const maxStatus = 4096
/** What an edge is told to wait when the inbox cannot commit, ms. */
const whenBroken = 2000

export function openMqttIngest(options: MqttIngestOptions): MqttIngest {
  return new Ingest(options)
}

class Ingest implements MqttIngest {
  readonly #options: MqttIngestOptions
  readonly #link: Link
  readonly #trouble: ReturnType<typeof troubles>
  readonly #receipts = gatherReceipts((node, receipt) => this.#tell(node, receipt))
  readonly #bases = new Bases()
  #pending = 0
  #room: (() => void) | undefined

  constructor(options: MqttIngestOptions) {
    this.#options = options
    this.#trouble = troubles(options.say)
    const { tenant } = options.mqtt
    this.#link = new Link({
      options: options.mqtt,
      clientId: `collector-${randomUUID()}`,
      subscribe: [everyNode(tenant, 'up'), everyNode(tenant, 'status')],
      deliver: (at, payload) => this.#deliver(at, payload),
      up: session => this.#listen(session),
      down: error => this.#trouble('MQTT', `no broker: ${reason(error)}`),
      ...(options.timing && { timing: options.timing }),
    })
  }

  get connected(): boolean {
    return this.#link.session !== undefined
  }

  close(): Promise<void> {
    return this.#link.close()
  }

  /** What edges sent while nobody listened is sent again at once, instead of after their patience. */
  #listen(session: Session): void {
    this.#trouble('MQTT', undefined)
    const { tenant } = this.#options.mqtt
    session.publish(listening(tenant), Buffer.from('{}')).catch(error => this.#trouble('MQTT', reason(error)))
  }

  #deliver(at: string, payload: Buffer): void | Promise<void> {
    const place = parseTopic(at)
    if (place === undefined) this.#options.count('topic')
    else if (place.channel === 'status') this.#status(place.node, payload)
    else return this.#up(place, payload)
  }

  #up(place: Place, payload: Buffer): void | Promise<void> {
    const envelope = this.#read(place, payload)
    if (envelope === undefined) return
    const whole = this.#bases.open(envelope)
    if (whole === undefined) return this.#askWhole(envelope)
    this.#pending++
    this.#accept(whole).finally(() => {
      this.#pending--
      this.#room?.()
      this.#room = undefined
    })
    if (this.#pending < inFlight) return
    return new Promise(resolve => {
      this.#room = resolve
    })
  }

  /** An envelope of the topic's node, or undefined after it was refused. */
  #read({ node }: Place, payload: Buffer): Envelope | undefined {
    if (payload.length > maxEnvelope) return this.#refuse('too-large', node, payload, `more than ${maxEnvelope} bytes`)
    try {
      const envelope = decodeEnvelope(payload)
      if (envelope.node === node) return envelope
      return this.#refuse('node', node, payload, `an envelope of ${envelope.node} on a topic of ${node}`)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      return this.#refuse('damaged', node, payload, reason(error))
    }
  }

  #refuse(why: Refusal, node: string, payload: Buffer, text: string): undefined {
    this.#options.count(why, node)
    const place = readPlace(payload)
    if (place !== undefined) this.#answerRefused({ ...place, node }, text)
  }

  /** Its base is not here: a collector begins without any. */
  #askWhole(envelope: Envelope): void {
    this.#options.count('no-base', envelope.node)
    this.#answer(envelope, { base: 0 })
  }

  async #accept(envelope: Envelope): Promise<void> {
    try {
      const receipt = await this.#options.accept(envelope)
      const base = this.#bases.holds(envelope) ? { base: envelope.seq } : {}
      this.#receipts.answer(envelope.node, envelope.seq, { ...receipt, ...base })
    } catch (error) {
      if (error instanceof Refused) {
        this.#options.count('refused', envelope.node)
        this.#answerRefused(envelope, reason(error))
      } else {
        this.#options.count('not-committed', envelope.node)
        this.#answer(envelope, { retry_after: whenBroken })
      }
    }
  }

  #answerRefused(place: Pick<Envelope, 'node' | 'stream' | 'seq'>, text: string): void {
    this.#answer(place, { refused: [{ seq: place.seq, reason: text.slice(0, 500) }] })
  }

  /** A receipt that knows no watermark: 0 moves nobody. */
  #answer({ node, stream, seq }: Pick<Envelope, 'node' | 'stream' | 'seq'>, rest: Partial<Receipt>): void {
    this.#receipts.answer(node, seq, { stream, watermark: 0, ...rest })
  }

  /** A receipt that is lost costs time only: the edge sends again and is answered again. */
  #tell(node: string, receipt: Receipt): void {
    const at = topic({ tenant: this.#options.mqtt.tenant, node, channel: 'receipt' })
    this.#link.session
      ?.publish(at, Buffer.from(JSON.stringify(receipt)))
      .catch(error => this.#link.session?.drop(error))
  }

  #status(node: string, payload: Buffer): void {
    if (payload.length === 0) return
    const info = payload.length > maxStatus ? undefined : readStatus(payload.toString('utf8'))
    if (info === undefined) this.#options.count('status', node)
    else this.#options.onStatus(node, info.online, info)
  }
}

function readStatus(json: string): { online: boolean; [key: string]: unknown } | undefined {
  try {
    const info: unknown = JSON.parse(json)
    return isStatus(info) ? info : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function isStatus(info: unknown): info is { online: boolean } {
  return typeof info === 'object' && info !== null && 'online' in info && typeof info.online === 'boolean'
}
