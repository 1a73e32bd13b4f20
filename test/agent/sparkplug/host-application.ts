// A Sparkplug host application, made of `mqtt` and protobufjs and nothing of ours: it keeps what it is told, and notes every
// message that breaks a clause of Sparkplug 3.0.0.

import { connectAsync, type IPublishPacket, type MqttClient } from 'mqtt'
import type { Test } from 'tap'
import { decode, encode, type Metric, type Payload, valueIn } from './official.ts'

export interface Message {
  readonly verb: string
  readonly device: string | undefined
  readonly payload: Payload
}

export interface Told {
  readonly time: number
  readonly value: number | boolean | string | undefined
  readonly isHistorical: boolean
}

interface Known {
  readonly name: string
  readonly datatype: number
  latest: number
}

export class HostApplication {
  readonly messages: Message[] = []
  readonly faults: string[] = []
  /** By `metric` or `device/metric`: all values of births and data, in the order they came. */
  readonly told = new Map<string, Told[]>()
  /** What was said last of each host. */
  readonly states = new Map<string, string>()
  readonly #url: string
  readonly #id: string
  #client: MqttClient | undefined
  #seq: number | undefined
  /** Aliases of what was born, by device; '' is the node. */
  readonly #born = new Map<string, Map<number, Known>>()
  #lastState = 0

  constructor(url: string, id = 'scada') {
    this.#url = url
    this.#id = id
  }

  /** The verbs and devices in the order they came: `NBIRTH`, `DDATA press-3`. */
  get verbs(): string[] {
    return this.messages.map(({ verb, device }) => (device === undefined ? verb : `${verb} ${device}`))
  }

  values(name: string): (number | boolean | string | undefined)[] {
    return (this.told.get(name) ?? []).map(({ value }) => value)
  }

  bdSeqs(verb: string): (number | boolean | string | undefined)[] {
    return this.messages
      .filter(m => m.verb === verb)
      .map(({ payload }) => valueIn(payload.metrics!.find(m => m.name === 'bdSeq')!))
  }

  /** Connects and subscribes; whether it says that it is online is another matter. */
  async connect(t: Test, protocolVersion: 4 | 5 = 5): Promise<void> {
    const will = { topic: this.#topic, payload: this.#state(false), qos: 1 as const, retain: true }
    const client = await connectAsync(this.#url, { will, reconnectPeriod: 0, protocolVersion })
    this.#client = client
    t.teardown(() => client.endAsync(true))
    client.on('error', () => {})
    client.on('message', (topic, payload, packet) => this.#heard(topic, payload, packet))
    await client.subscribeAsync(['spBv1.0/+/+/+/#', 'spBv1.0/STATE/+'], { qos: 1 })
  }

  /** `timestamp` as far from now as told, ms. */
  async say(online: boolean, offset = 0): Promise<void> {
    await this.#client!.publishAsync(this.#topic, this.#state(online, offset), { qos: 1, retain: true })
  }

  /** The cable is pulled: the broker publishes the will. */
  pull(): void {
    this.#client!.stream.destroy()
  }

  async command(topic: string, metrics: readonly Metric[]): Promise<void> {
    await this.raw(topic, encode({ timestamp: Date.now(), metrics }))
  }

  async raw(topic: string, payload: Buffer, retain = false): Promise<void> {
    await this.#client!.publishAsync(topic, payload, { retain })
  }

  get #topic(): string {
    return `spBv1.0/STATE/${this.#id}`
  }

  #state(online: boolean, offset = 0): string {
    // A host that says two things within a millisecond still says them in order.
    this.#lastState = Math.max(Date.now() + offset, offset === 0 ? this.#lastState + 1 : 0)
    return JSON.stringify({ online, timestamp: this.#lastState })
  }

  #heard(topic: string, bytes: Buffer, packet: IPublishPacket): void {
    const [namespace, group, verb = '', , device] = topic.split('/')
    if (verb.endsWith('CMD')) return
    if (group === 'STATE') {
      this.states.set(verb, String(bytes))
      return
    }
    const payload = decode(bytes)
    this.messages.push({ verb, device, payload })
    const fault = (what: string): void => void this.faults.push(`${verb} ${device ?? ''}: ${what}`)
    if (namespace !== 'spBv1.0') fault('topic-structure-namespace-a')
    if (verb.startsWith('D') !== (device !== undefined)) fault('topic-structure-namespace-device-id-*')
    if (packet.retain) fault('retained')
    if (packet.qos !== 0 && verb !== 'NDEATH') fault('QoS')
    this.#sequence(verb, payload, fault)
    if (verb === 'NBIRTH') this.#nodeBirth(payload, fault)
    if (verb === 'NDEATH') this.#death(payload, fault)
    if (verb.endsWith('BIRTH')) this.#birth(device ?? '', payload, fault)
    if (verb.endsWith('DATA')) this.#data(device ?? '', payload, fault)
    if (verb === 'DDEATH' && !this.#born.delete(device!)) fault('the death of one that was not born')
  }

  #sequence(verb: string, { seq, timestamp }: Payload, fault: (what: string) => void): void {
    if (verb === 'NDEATH') {
      if (seq !== undefined) fault('topics-ndeath-seq')
      return
    }
    if (!(timestamp !== undefined && Math.abs(timestamp - Date.now()) < 60_000)) fault('payloads-*-timestamp')
    if (verb === 'NBIRTH' ? seq !== 0 : this.#seq === undefined || seq !== (this.#seq + 1) % 256) fault(`seq ${seq}`)
    this.#seq = seq
  }

  #nodeBirth({ metrics = [] }: Payload, fault: (what: string) => void): void {
    this.#born.clear()
    const [bdSeq, rebirth] = ['bdSeq', 'Node Control/Rebirth'].map(name => metrics.find(m => m.name === name))
    if (bdSeq?.datatype !== 4 || !(bdSeq.long_value! >= 0 && bdSeq.long_value! <= 255))
      fault('topics-nbirth-bdseq-included')
    if (rebirth?.datatype !== 11 || rebirth.boolean_value !== false) fault('topics-nbirth-rebirth-metric')
    if (rebirth?.alias !== undefined) fault('operational-behavior-data-commands-rebirth-name-aliases')
  }

  #death({ metrics = [] }: Payload, fault: (what: string) => void): void {
    this.#seq = undefined
    this.#born.clear()
    if (metrics.length !== 1 || metrics[0]!.name !== 'bdSeq' || metrics[0]!.datatype !== 4)
      fault('topics-ndeath-payload')
  }

  #birth(device: string, { metrics = [] }: Payload, fault: (what: string) => void): void {
    if (device !== '' && !this.#born.has('')) fault('message-flow-device-birth-publish-nbirth-wait')
    const before = this.#born.get(device)
    const known = new Map<number, Known>()
    this.#born.delete(device)
    const names = new Set(metrics.map(m => m.name?.toLowerCase()))
    if (names.size !== metrics.length) fault('case-sensitivity-metric-names')
    for (const metric of metrics) {
      const { name, alias, datatype, timestamp, is_null } = metric
      if (name === undefined || datatype === undefined || timestamp === undefined) fault('payloads-metric-datatype-req')
      if ((is_null === true) !== (valueIn(metric) === undefined)) fault(`${name}: data-publish-*birth-values`)
      checkProperties(metric, fault)
      if (name === 'bdSeq' || name === 'Node Control/Rebirth') continue
      if (alias === undefined) fault(`${name}: payloads-alias-birth-requirement`)
      else if (known.has(alias) || this.#owners(alias).length > 0) fault(`${name}: payloads-alias-uniqueness`)
      else {
        if (timestamp! < (before?.get(alias)?.latest ?? 0)) fault(`${name}: the birth goes back in time`)
        known.set(alias, { name: name!, datatype: datatype!, latest: timestamp! })
      }
      if (is_null !== true) this.#tell(device, name!, metric)
    }
    this.#born.set(device, known)
  }

  #owners(alias: number): string[] {
    return [...this.#born].filter(([, known]) => known.has(alias)).map(([owner]) => owner)
  }

  #data(device: string, { metrics = [] }: Payload, fault: (what: string) => void): void {
    let last = 0
    for (const metric of metrics) {
      const { name, alias, datatype, timestamp = 0, is_historical = false } = metric
      if (name !== undefined) fault(`${name}: payloads-alias-data-cmd-requirement`)
      if (datatype !== undefined) fault('payloads-metric-datatype-not-req')
      if (timestamp === 0) fault('payloads-name-birth-data-requirement')
      const known = this.#born.get(device)?.get(alias ?? -1)
      if (known === undefined) {
        fault(`alias ${alias} was not born`)
        continue
      }
      if (valueIn(metric) === undefined) fault(`${known.name}: no value`)
      if (!is_historical) {
        if (timestamp < last || timestamp < known.latest) fault(`${known.name}: data-publish-*-order`)
        last = timestamp
        known.latest = timestamp
      }
      this.#tell(device, known.name, metric)
    }
  }

  #tell(device: string, name: string, metric: Metric): void {
    const key = device === '' ? name : `${device}/${name}`
    const told = { time: metric.timestamp!, value: valueIn(metric), isHistorical: metric.is_historical === true }
    this.told.set(key, [...(this.told.get(key) ?? []), told])
  }
}

function checkProperties({ name, properties }: Metric, fault: (what: string) => void): void {
  if (properties === undefined) return
  const { keys, values } = properties
  if (keys.length !== values.length) fault(`${name}: payloads-propertyset-*-array-size`)
  for (const [n, value] of values.entries()) {
    if (value.type === undefined) fault(`${name}: payloads-metric-propertyvalue-type-req`)
    const isQuality = keys[n] === 'Quality'
    if (isQuality && (value.type !== 3 || ![0, 192, 500].includes(value.int_value!))) fault(`${name}: Quality`)
  }
}
