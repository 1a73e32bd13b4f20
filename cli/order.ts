// `fieldline order`: signs an order, sends it to an edge over MQTT, and waits for the outcome that the edge sends home. Until
// then, and while it is valid, it is sent again and again: the edge does it once.

import { createPrivateKey, type KeyObject, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { zstdDecompressSync } from 'node:zlib'
import { outcomeEvent } from '../agent/act.ts'
import { signOrder } from '../agent/orders/signed.ts'
import { dotted } from '../core/config-text.ts'
import { decodeEnvelope } from '../core/envelope.ts'
import type { Event, Json, Order } from '../core/model.ts'
import { Link } from '../core/mqtt.ts'
import { type MqttOptions, mqttOptions } from '../core/mqtt-options.ts'
import { decodeLogs } from '../core/otlp/decode.ts'
import { isMap, Place, parseDuration } from '../core/shape.ts'
import { topic } from '../core/topics.ts'
import { readArguments, Usage } from './arguments.ts'
import { type Command, print, status } from './command.ts'
import { texts } from './texts.ts'

const options = {
  key: { type: 'string' },
  broker: { type: 'string' },
  tenant: { type: 'string' },
  username: { type: 'string' },
  'password-file': { type: 'string' },
  ca: { type: 'string' },
  cert: { type: 'string' },
  'cert-key': { type: 'string' },
  valid: { type: 'string' },
  as: { type: 'string' },
  json: { type: 'boolean' },
} as const

/** How long the broker may take, how often the order is sent, and how much longer than it is valid is waited, ms. */
const patience = 10_000
const again = 3000
const grace = 15_000
/** Bytes of a payload that is opened in search of the outcome. */
const longest = 64 * 1024 ** 2

export const order: Command = {
  async run(args) {
    const { values, positionals } = readArguments(args, options, ['NODE', 'SOURCE', 'ACTION'], true)
    const [node = '', to = '', action = '', ...words] = positionals
    if (values.key === undefined) throw new Usage('--key is missing')
    const valid = parseDuration(values.valid ?? '30s')
    if (valid === undefined) throw new Usage(`--valid ${values.valid}: expected a duration such as 30s`)
    const key = privateKey(values.key)
    const mqtt = brokerOptions(values)
    const issued = Date.now()
    const from = values.as ?? userInfo().username
    const given = { id: randomUUID(), to, action, args: argumentsOf(words), from, issued, expires: issued + valid }
    const outcome = await carry(node, given, key, mqtt)
    return say(node, outcome, values.json === true)
  },
}

function argumentsOf(words: readonly string[]): Readonly<Record<string, Json>> {
  return Object.fromEntries(
    words.map(word => {
      const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(word) ?? []
      if (name === undefined || value === undefined) throw new Usage(texts(process.env).said.orderArgument(word))
      return [name, json(value)]
    }),
  )
}

/** `1`, `true` and `[1, 2]` are JSON; everything else is a text. */
function json(value: string): Json {
  try {
    return JSON.parse(value) as Json
  } catch {
    return value
  }
}

function privateKey(file: string): KeyObject {
  try {
    const key = createPrivateKey(readFileSync(file))
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch (cause) {
    throw new Error(texts(process.env).said.orderKey(file), { cause })
  }
  throw new Error(texts(process.env).said.orderKey(file))
}

function brokerOptions(values: Readonly<Record<string, string | boolean | undefined>>): MqttOptions {
  const { broker = 'mqtt://127.0.0.1:1883', tenant, username, ca, cert } = values
  const secrets = { password_file: values['password-file'], key: values['cert-key'] }
  const place = new Place()
  const read = mqttOptions.read({ brokers: [broker], tenant, username, ca, cert, ...secrets }, place)
  const [problem] = place.problems
  if (problem !== undefined) throw new Usage(`${dotted(problem.path)}: ${problem.message}`)
  return read
}

/** The outcome's event; undefined where none came in time. */
async function carry(node: string, given: Order, key: KeyObject, mqtt: MqttOptions): Promise<Event | undefined> {
  const at = (channel: 'up' | 'order'): string => topic({ tenant: mqtt.tenant, node, channel })
  const heard = Promise.withResolvers<Event>()
  const link = new Link({
    options: mqtt,
    clientId: `order-${given.id}`,
    subscribe: [at('up')],
    deliver(_, payload) {
      const event = outcomeIn(payload, given.id)
      if (event !== undefined) heard.resolve(event)
    },
  })
  const stop = new AbortController()
  try {
    await link.ready(patience, stop.signal)
    const message = signOrder(at('order'), given, key)
    return await Promise.race([heard.promise, sentAgain(link, at('order'), message, given.expires, stop.signal)])
  } finally {
    stop.abort()
    await link.close()
  }
}

/** Resolves when there is no hope of an outcome any more. */
async function sentAgain(
  link: Link,
  at: string,
  message: Buffer,
  expires: number,
  signal: AbortSignal,
): Promise<undefined> {
  const pause = (ms: number): Promise<void> => delay(ms, undefined, { signal }).catch(() => undefined)
  while (Date.now() < expires && !signal.aborted) {
    // A connection that has just ended comes back, or it does not: then no outcome comes.
    await link.session?.publish(at, message).catch(() => undefined)
    await pause(Math.min(again, expires - Date.now()))
  }
  await pause(grace)
}

/** What cannot be read is somebody else's trouble. */
function outcomeIn(payload: Buffer, id: string): Event | undefined {
  try {
    const { encoding, payload: packed } = decodeEnvelope(payload)
    if (encoding !== 'otlp-logs-zstd') return undefined
    const events = decodeLogs(zstdDecompressSync(packed, { maxOutputLength: longest })).map(({ event }) => event)
    return events.find(({ name, attributes }) => name === outcomeEvent && attributes.order === id)
  } catch {
    return undefined
  }
}

function say(node: string, event: Event | undefined, asJson: boolean): number {
  const { said } = texts(process.env)
  const body = isMap(event?.body) ? event.body : {}
  const { state, reason, result } = body
  if (asJson) print(JSON.stringify(event?.body ?? { state: 'unknown', reason: said.orderUnheard(node) }))
  else if (state === 'done') print(said.orderDone(JSON.stringify(result ?? null)))
  else if (event === undefined) print(said.orderUnheard(node))
  else print(state === 'refused' ? said.orderRefused(String(reason)) : said.orderUnknown(String(reason)))
  return state === 'done' ? status.ok : status.failed
}
