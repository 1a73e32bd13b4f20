// One connection to one broker, from CONNECT to its end. It never comes back by itself: core/mqtt.ts opens the next.
// - `mqtt` is loaded on first use: a daemon without MQTT does not pay for it (18 MB of RSS).
// - Nothing is queued: what cannot be written now is rejected, and at most `maxOutstanding` publishes await the broker.
// - The broker's health is judged by bytes that arrive, not by mqtt.js, which answers for its own timers only.

import type { Socket } from 'node:net'
import type { IClientOptions, MqttClient } from 'mqtt'
import { type BrokerOptions, credentials, openSocket } from './mqtt-options.ts'
import { packetMeter } from './packet-meter.ts'

/** Bytes of a packet that may arrive; a broker of MQTT 5 is told, an older one loses the connection. */
export const maxPacket = 8 * 1024 ** 2
const maxOutstanding = 4096
/** Seconds after which the broker calls this client dead, times 1.5. */
const keepalive = 10
/** Closing waits this long for the broker to take what was published, ms. */
const farewell = 1000
/** MQTT 5, 3.14.2.1. */
const disconnectWithWill = 0x04

/**
 * Resolve (or return) to have the next message delivered: a pending promise is back-pressure. `retained`: the broker had kept
 * it from before the subscription.
 */
export type Deliver = (topic: string, payload: Buffer, retained: boolean) => void | Promise<void>

export interface Will {
  readonly topic: string
  readonly payload: Buffer
  /** Whether the broker keeps it for those who subscribe later; unless told otherwise it does. */
  readonly retain?: boolean
  /** Also after a goodbye, which MQTT 5 alone can ask for. */
  readonly always?: boolean
}

export interface Timing {
  /** To the broker's CONNACK, ms. */
  readonly connect: number
  /** Between looks at the connection, ms: a ping after two silent looks, the end after five. */
  readonly look: number
}

export interface SessionPlan {
  readonly broker: string
  readonly version: 4 | 5
  readonly options: BrokerOptions
  readonly clientId: string
  readonly subscribe: readonly string[]
  readonly will?: Will
  readonly deliver: Deliver
  /** The broker was reached: from now on it may have read our CONNECT. */
  reached?(): void
  readonly timing: Timing
  /** Ends the connection at once. */
  readonly signal: AbortSignal
}

/** The broker was reached but did not take us in: speaking the other version may help. */
export class NotTaken extends Error {
  override readonly name = 'NotTaken'
}

export class Session {
  readonly broker: string
  /** Resolves with the reason when the connection is over. */
  readonly ended: Promise<Error>
  /** Ends the connection without a goodbye. */
  readonly drop: (why: Error) => void
  readonly #client: MqttClient
  readonly #pings: Pings
  readonly #goodbye: { readonly reasonCode: number } | undefined
  #outstanding = 0

  constructor({ broker, version, will }: SessionPlan, client: MqttClient, pings: Pings, { ended, fail }: Ending) {
    this.broker = broker
    this.ended = ended
    this.drop = fail
    this.#client = client
    this.#pings = pings
    ended.then(error => pings.end(error))
    this.#goodbye = version === 5 && will?.always ? { reasonCode: disconnectWithWill } : undefined
  }

  /** The largest packet the broker takes, bytes. */
  get maxPacket(): number {
    return this.#client.serverProperties?.maximumPacketSize ?? Number.POSITIVE_INFINITY
  }

  /** QoS 1. Resolves on the broker's PUBACK, which promises nothing; rejects when it is refused or the connection ends. */
  publish(topic: string, payload: Buffer, retain = false): Promise<void> {
    if (!this.#client.connected) return Promise.reject(new Error(`${this.broker}: not connected`))
    if (this.#outstanding >= maxOutstanding) return Promise.reject(new Error(`${this.broker}: does not acknowledge`))
    this.#outstanding++
    return new Promise((resolve, reject) => {
      this.#client.publish(topic, payload, { qos: 1, retain }, error => {
        this.#outstanding--
        if (error) reject(new Error(`${this.broker} did not take a message on ${topic}`, { cause: error }))
        else resolve()
      })
    })
  }

  /** QoS 0, in order. Where it got to is known when `answered` resolves. */
  send(topic: string, payload: Buffer): void {
    this.#client.publish(topic, payload, { qos: 0 })
  }

  /** Resolves when the broker has read all that was sent before; rejects when the connection ends first. */
  async answered(): Promise<void> {
    if (!this.#client.connected) throw new Error(`${this.broker}: not connected`)
    await this.#pings.next()
  }

  /** Says goodbye: the will is not published, unless it says `always`. */
  async close(): Promise<void> {
    const timer = setTimeout(() => this.drop(new Error('no answer to the goodbye')), farewell)
    if (this.#goodbye === undefined) this.#client.end()
    else this.#client.end(false, this.#goodbye)
    await this.ended
    clearTimeout(timer)
  }
}

/** A broker reads the packets of a connection in order, and answers each ping when it has come to it. */
class Pings {
  readonly #client: MqttClient
  #waiting: { readonly ping: number; resolve(): void; reject(error: Error): void }[] = []
  #sent = 0
  #answered = 0

  constructor(client: MqttClient) {
    this.#client = client
    client.on('packetsend', ({ cmd }) => {
      if (cmd === 'pingreq') this.#sent++
    })
    client.on('packetreceive', ({ cmd }) => {
      if (cmd !== 'pingresp') return
      this.#answered++
      while (this.#waiting.length > 0 && this.#waiting[0]!.ping <= this.#answered) this.#waiting.shift()!.resolve()
    })
  }

  /** Resolves on the answer to a ping that is sent now. */
  next(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#client.sendPing()
    this.#waiting.push({ ping: this.#sent, resolve, reject })
    return promise
  }

  end(error: Error): void {
    for (const { reject } of this.#waiting) reject(error)
    this.#waiting = []
  }
}

/** Resolves when connected and subscribed. @throws NotTaken when the broker was reached and then did not let us in. */
export async function openSession(plan: SessionPlan): Promise<Session> {
  const { MqttClient } = await import('mqtt')
  plan.signal.throwIfAborted()
  const socket = openSocket(plan.broker, plan.options)
  const client = new MqttClient(() => socket, clientOptions(plan))
  const pings = new Pings(client)
  const end = ending(plan, client, socket)
  const held = holdBack(client, plan.deliver, end.fail)
  const stopWatching = watch(socket, client, plan.timing.look, held, end.fail)
  end.ended.then(stopWatching)
  let reached = false
  let late = false
  socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => {
    reached = true
    plan.reached?.()
  })
  const timer = setTimeout(() => {
    late = true
    end.fail(new Error(`no answer within ${plan.timing.connect} ms`))
  }, plan.timing.connect)
  const over = end.ended.then(error => {
    throw reached && !late ? new NotTaken(error.message, { cause: error.cause }) : error
  })
  await Promise.race([entered(client, plan.subscribe, end.fail), over]).finally(() => clearTimeout(timer))
  return new Session(plan, client, pings, end)
}

interface Ending {
  readonly ended: Promise<Error>
  fail(error: Error): void
}

/** The first trouble ends the connection and is what it ended of. */
function ending({ broker, signal }: SessionPlan, client: MqttClient, socket: Socket): Ending {
  let trouble: Error | undefined
  const fail = (error: Error): void => {
    trouble ??= error
    socket.destroy()
  }
  const stop = (): void => fail(new Error('stopped'))
  signal.addEventListener('abort', stop)
  socket.on('error', fail)
  client.on('error', fail)
  client.on('disconnect', packet => fail(new Error(`the broker sent DISCONNECT, reason ${packet.reasonCode ?? 0}`)))
  const ended = new Promise<Error>(resolve =>
    client.once('close', () => {
      signal.removeEventListener('abort', stop)
      client.end(true)
      resolve(new Error(broker, { cause: trouble ?? new Error('the connection was closed') }))
    }),
  )
  return { ended, fail }
}

function entered(client: MqttClient, topics: readonly string[], fail: (error: Error) => void): Promise<void> {
  return new Promise(resolve =>
    client.once('connect', () => {
      if (topics.length === 0) resolve()
      else client.subscribe([...topics], { qos: 1 }, error => (error ? fail(error) : resolve()))
    }),
  )
}

function clientOptions({ version, clientId, options, timing, will }: SessionPlan): IClientOptions {
  return {
    protocolVersion: version,
    clientId,
    ...credentials(options),
    ...(will && { will: { topic: will.topic, payload: will.payload, qos: 1, retain: will.retain ?? true } }),
    ...(version === 5 && { properties: { maximumPacketSize: maxPacket } }),
    clean: true,
    connectTimeout: 2 * timing.connect,
    keepalive,
    timerVariant: { set: () => 0, clear: () => {} },
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    writeCache: false,
    log: () => {},
  }
}

/** Delivers one message at a time; answers whether one is being waited for. */
function holdBack(client: MqttClient, deliver: Deliver, fail: (error: Error) => void): () => boolean {
  let waits = false
  client.handleMessage = (packet, next) => {
    const done = (): void => {
      waits = false
      next()
    }
    const pending = deliver(packet.topic, packet.payload as Buffer, packet.retain)
    if (!(pending instanceof Promise)) return next()
    waits = true
    pending.then(done, fail)
  }
  return () => waits
}

/** Pings when nothing came or went for two looks, ends the connection when nothing came for five; answers how to stop. */
function watch(
  socket: Socket,
  client: MqttClient,
  interval: number,
  held: () => boolean,
  fail: (error: Error) => void,
): () => void {
  const meter = packetMeter(maxPacket)
  socket.on('data', (chunk: Buffer) => {
    const length = meter(chunk)
    if (length > 0) fail(new Error(`a packet of ${length} bytes came, at most ${maxPacket} are taken`))
  })
  const seen = { read: 0, written: 0, silent: 0, idle: 0 }
  const look = (): void => {
    if (!client.connected) return
    seen.silent = held() || socket.bytesRead !== seen.read ? 0 : seen.silent + 1
    seen.idle = socket.bytesWritten !== seen.written ? 0 : seen.idle + 1
    if (seen.silent >= 5) fail(new Error('the broker answers no more'))
    else if (seen.silent >= 2 || seen.idle >= 2) client.sendPing()
    seen.read = socket.bytesRead
    seen.written = socket.bytesWritten
  }
  const timer = setInterval(look, interval)
  return () => clearInterval(timer)
}
