// An edge node of Sparkplug B 3.0 (docs/sparkplug.md has its clauses one by one). The protocol has no word with which a host
// says that it has kept something. `send` therefore resolves when the broker has read everything while the primary host
// application was online; what was on its way when either went is sent again, as history.

import { setTimeout as delay } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import type { Envelope } from '../../core/envelope.ts'
import { reason } from '../../core/errors.ts'
import { Link } from '../../core/mqtt.ts'
import type { Session, Timing, Will } from '../../core/mqtt-session.ts'
import { memoryKeep } from '../keep.ts'
import { Backlog } from '../sparkplug/backlog.ts'
import { BdSeq } from '../sparkplug/bd-seq.ts'
import { Catalogue } from '../sparkplug/catalogue.ts'
import { Commands } from '../sparkplug/commands.ts'
import { EdgeNode } from '../sparkplug/edge-node.ts'
import { type Node, topicOf } from '../sparkplug/names.ts'
import { type SparkplugOptions, sparkplugOptions } from '../sparkplug/options.ts'
import { Plan } from '../sparkplug/plan.ts'
import { type News, PrimaryHost } from '../sparkplug/primary-host.ts'
import type { Delivery, Identity, Refusal, Uplink, UplinkType } from '../uplink.ts'
import { Opener } from './opened.ts'

/** For the topic and the fixed header of a packet, bytes. */
const frame = 1024

export interface SparkplugTiming {
  /** For a connection, for the primary host to come online, and for the broker to answer, ms. */
  readonly patience: number
  readonly link?: Timing
  now(): number
}

export const sparkplugUplink: UplinkType<SparkplugOptions> = {
  name: 'sparkplug',
  options: sparkplugOptions,
  open: (options, identity) => openSparkplugUplink(options, identity),
}

export function openSparkplugUplink(
  options: SparkplugOptions,
  identity: Identity,
  timing: SparkplugTiming = { patience: 5000, now: Date.now },
): Uplink {
  return new SparkplugUplink(options, identity, timing)
}

class SparkplugUplink implements Uplink {
  readonly #options: SparkplugOptions
  readonly #timing: SparkplugTiming
  readonly #link: Link
  readonly #host: PrimaryHost
  readonly #bdSeq: BdSeq
  readonly #catalogue: Catalogue
  readonly #edge: EdgeNode
  readonly #commands: Commands
  readonly #opener: Opener
  readonly #backlog = new Backlog()
  readonly #stop = new AbortController()
  /** Nothing was delivered since the start, or since a delivery failed. */
  #isResuming = true
  /** A rebirth that was asked for too soon. */
  #due: Promise<void> | undefined

  constructor(options: SparkplugOptions, identity: Identity, timing: SparkplugTiming) {
    const { group, edge_node = identity.node } = options
    const node: Node = { group, edge: edge_node }
    const { now } = timing
    this.#options = options
    this.#timing = timing
    this.#opener = new Opener(identity)
    this.#host = new PrimaryHost(options.primary_host)
    this.#bdSeq = new BdSeq(identity.keep ?? memoryKeep())
    this.#catalogue = new Catalogue(options)
    const catalogue = this.#catalogue
    const send = (topic: string, payload: Buffer): void => this.#put(topic, payload)
    const room = (): number => this.#room()
    this.#edge = new EdgeNode({ node, catalogue, silent_after: options.silent_after, now, room, send })
    this.#commands = new Commands({
      catalogue,
      max_command: options.max_command,
      from: `sparkplug ${group}/${edge_node}`,
      desk: identity.orders,
      say: identity.say ?? (() => {}),
      now,
      rebirth: () => this.#rebirth(),
    })
    const commands = [topicOf(node, 'NCMD'), topicOf(node, 'DCMD', '+')]
    this.#link = new Link({
      options,
      clientId: `${identity.node}-${identity.spool}-${crc32(`${group}/${edge_node}`).toString(16)}`,
      subscribe: this.#host.topic === undefined ? commands : [...commands, this.#host.topic],
      will: () => this.#will(),
      reached: () => this.#bdSeq.used(),
      deliver: (topic, payload, retained) => this.#deliver(topic, payload, retained),
      up: session => this.#up(session),
      down: () => this.#down(),
      ...(timing.link && { timing: timing.link }),
    })
  }

  async send(batch: readonly Envelope[], signal: AbortSignal): Promise<Delivery> {
    try {
      const session = await this.#ready(signal)
      const { plan, refused } = this.#plan(batch)
      this.#edge.tell(plan.rows)
      await this.#answered(session, signal)
      this.#isResuming = false
      return { committed: new Map(batch.map(({ stream, seq }) => [stream, seq])), refused }
    } catch (error) {
      this.#isResuming = true
      this.#edge.forget()
      throw error
    }
  }

  async close(): Promise<void> {
    this.#stop.abort()
    if (this.#link.session !== undefined) this.#die(this.#link.session)
    await this.#link.close()
  }

  /** @throws while there is no broker, or the primary host is not online there. */
  async #ready(signal: AbortSignal): Promise<Session> {
    const { patience } = this.#timing
    const session = await this.#link.ready(patience, signal)
    await this.#host.ready(patience, signal)
    await this.#due
    if (this.#host.online && this.#link.session === session) return session
    if (this.#link.session === session) this.#link.leave()
    throw new Error(`primary host ${this.#options.primary_host} is not online at ${session.broker}`)
  }

  #plan(batch: readonly Envelope[]): { readonly plan: Plan; readonly refused: readonly Refusal[] } {
    const now = this.#timing.now()
    if (this.#isResuming) {
      this.#backlog.resume(now)
      this.#catalogue.resume(now)
    }
    const { by_exception } = this.#options
    const plan = new Plan({ catalogue: this.#catalogue, by_exception, most_text: this.#room() - frame, now })
    const refused: Refusal[] = []
    for (const e of batch) {
      const { stream, seq } = e
      try {
        const left = plan.add(this.#opener.open(e), this.#backlog.holds(e))
        if (left > 0)
          refused.push({ stream, seq, reason: `${left} values beyond max_metrics, or too large for the broker` })
      } catch (error) {
        refused.push({ stream, seq, reason: `cannot be read: ${reason(error)}` })
      }
    }
    return { plan, refused }
  }

  /** Resolves when the broker has read all of it. @throws when that did not happen while the primary host was online. */
  async #answered(session: Session, signal: AbortSignal): Promise<void> {
    const { promise: late, reject } = Promise.withResolvers<never>()
    const giveUp = (): void => reject(new Error(`${session.broker} does not answer`))
    const timer = setTimeout(giveUp, this.#timing.patience)
    signal.addEventListener('abort', giveUp)
    try {
      await Promise.race([session.answered(), late])
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', giveUp)
    }
    if (this.#link.session !== session || !this.#host.online)
      throw new Error(`primary host ${this.#options.primary_host} went offline at ${session.broker}`)
  }

  #put(topic: string, payload: Buffer): void {
    const session = this.#link.session
    if (session === undefined) throw new Error('the connection was lost')
    const most = this.#room()
    if (payload.length > most) throw new Error(`${topic}: ${payload.length} bytes, where the broker takes ${most}`)
    session.send(topic, payload)
  }

  /** Bytes that a message may have at this broker. */
  #room(): number {
    return (this.#link.session?.maxPacket ?? Number.POSITIVE_INFINITY) - frame
  }

  #will(): Will {
    this.#edge.begin(this.#bdSeq.next())
    return { ...this.#edge.death(), retain: false, always: true }
  }

  #up(session: Session): void {
    this.#act(this.#host.connected(session.broker))
    if (this.#host.topic === undefined) this.#act('online')
  }

  #down(): void {
    this.#edge.forget()
    this.#host.disconnected()
  }

  #deliver(topic: string, payload: Buffer, retained: boolean): void {
    if (topic === this.#host.topic) this.#act(this.#host.heard(payload))
    else this.#commands.heard(topic, payload, retained)
  }

  #act(news: News): void {
    const session = this.#link.session
    if (session === undefined) return
    if (news === 'online' && !this.#edge.isBorn && !this.#catalogue.isEmpty) this.#birth()
    // Clauses operational-behavior-edge-node-termination-host-offline and, with several brokers, ...-multiple-servers-walk.
    if (news === 'offline' && (this.#edge.isAnnounced || this.#options.brokers.length > 1)) {
      this.#die(session)
      session.close()
    }
  }

  /** Of a clean end (clause operational-behavior-edge-node-intentional-disconnect-ndeath); MQTT 5 brokers publish the will besides. */
  #die(session: Session): void {
    if (!this.#edge.isAnnounced) return
    const { topic, payload } = this.#edge.death()
    session.send(topic, payload)
    this.#edge.forget()
  }

  /** Between two deliveries. What is wrong with a birth, such as its size, the next delivery meets and tells. */
  #birth(): void {
    try {
      this.#edge.birth()
    } catch {
      this.#edge.forget()
    }
  }

  /** Clauses operational-behavior-data-commands-rebirth-action-*: no data from here on until the births are out. */
  #rebirth(): void {
    if (!this.#edge.isBorn && this.#due === undefined) return
    this.#edge.forget()
    const wait = this.#edge.bornAt + this.#options.rebirth_pause - this.#timing.now()
    if (wait <= 0) this.#birth()
    else
      this.#due ??= delay(wait, undefined, { signal: this.#stop.signal }).then(
        () => this.#rebirthNow(),
        () => undefined,
      )
  }

  #rebirthNow(): void {
    this.#due = undefined
    if (this.#link.session !== undefined && this.#host.online && !this.#edge.isBorn) this.#birth()
  }
}
