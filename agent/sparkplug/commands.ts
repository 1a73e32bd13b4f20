// What hosts ask for: a rebirth, or a value written to a metric (Sparkplug 3.0.0, 5.17). A write becomes an order to the source
// of that metric; what may be written, and within which limits, is the source's word and the order desk's. Sparkplug has no
// answer to a command: the host sees the value change, and the outcome goes home as an event.

import { randomUUID } from 'node:crypto'
import { Refused, reason } from '../../core/errors.ts'
import type { Say } from '../../core/log.ts'
import type { OrderDesk } from '../uplink.ts'
import type { Catalogue } from './catalogue.ts'
import { type CommandMetric, readCommand } from './command.ts'
import { deviceIn } from './names.ts'
import type { Tag } from './tag.ts'

/** Orders that are being carried out; more are refused. */
const mostPending = 64
/** A write that could not begin in this time, ms, is not wanted any more. */
const patience = 10_000

export interface CommandOptions {
  readonly catalogue: Catalogue
  readonly max_command: number
  /** Who orders, for the record: the edge node's name in Sparkplug. */
  readonly from: string
  readonly desk: OrderDesk | undefined
  readonly say: Say
  now(): number
  rebirth(): void
}

interface Write {
  readonly source: string
  readonly name: string
  readonly value: number | string
}

export class Commands {
  readonly #options: CommandOptions
  #pending = 0

  constructor(options: CommandOptions) {
    this.#options = options
  }

  heard(topic: string, payload: Buffer, retained: boolean): void {
    const { max_command } = this.#options
    const device = deviceIn(topic)
    try {
      // Clauses topics-ncmd-mqtt, topics-dcmd-mqtt: it would be carried out again with every connection.
      if (retained) throw new Refused('it is retained')
      if (payload.length > max_command) throw new Refused(`${payload.length} bytes, at most ${max_command} are taken`)
      for (const metric of readCommand(payload)) this.#one(device, metric)
    } catch (error) {
      this.#refused(topic, reason(error))
    }
  }

  #one(device: string | undefined, metric: CommandMetric): void {
    const { name, alias, value } = metric
    if (device === undefined && name === 'Node Control/Rebirth') {
      if (value === true) this.#options.rebirth()
      return
    }
    const what = `${device === undefined ? '' : `${device}: `}${name ?? `alias ${alias}`}`
    try {
      this.#order(what, this.#writable(device, metric))
    } catch (error) {
      this.#refused(what, reason(error))
    }
  }

  /** @throws Refused for what cannot be written. */
  #writable(device: string | undefined, { name, alias, value }: CommandMetric): Write {
    const tag = this.#options.catalogue.find(device, name, alias)
    if (tag === undefined) throw new Refused('there is no such metric')
    const wanted = compatible(tag, value)
    if (wanted === undefined) throw new Refused(`${JSON.stringify(value) ?? 'no value'} is not of its type`)
    if (tag.target === undefined) throw new Refused('it was not read from a device')
    return { ...tag.target, value: wanted }
  }

  #order(what: string, { source, name, value }: Write): void {
    const { desk, from, now } = this.#options
    if (desk === undefined) throw new Refused('the configuration allows no orders')
    if (this.#pending >= mostPending) throw new Refused(`${mostPending} orders are on their way`)
    this.#pending++
    const issued = now()
    const order = { id: randomUUID(), to: source, action: 'write', args: { to: name, value }, from, issued }
    desk.order({ ...order, expires: issued + patience }).then(({ state, reason: why }) => {
      this.#pending--
      if (state !== 'done') this.#refused(what, `${state}: ${why ?? 'no reason was given'}`)
    })
  }

  #refused(what: string, why: string): void {
    this.#options.say('warning', `sparkplug command ${what}: ${why}`)
  }
}

/** A number for what is told as one, a text for a text (clauses operational-behavior-data-commands-*-metric-value). */
function compatible({ type }: Tag, value: number | boolean | string | undefined): number | string | undefined {
  if (type === 'String') return typeof value === 'string' ? value : undefined
  return typeof value === 'string' || value === undefined ? undefined : Number(value)
}
