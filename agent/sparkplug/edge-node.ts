// The edge node as hosts see it (Sparkplug 3.0.0, 5.4 to 5.7): births, data and deaths in one sequence of 0 to 255. It says
// each message at once and in order; whether they arrive is the connection's business.

import type { Catalogue } from './catalogue.ts'
import { type Node, topicOf, type Verb } from './names.ts'
import { PayloadWriter } from './payload.ts'
import { behindBirth, inOrder, type Row } from './plan.ts'
import { definition, type Owner } from './tag.ts'

/** Bytes after which a data message ends and the next one begins. */
const fullMessage = 200 * 1024

export interface EdgeNodeOptions {
  readonly node: Node
  readonly catalogue: Catalogue
  /** A device of which nothing came for so long, ms, is dead. */
  readonly silent_after: number
  now(): number
  /** Bytes that a message may have. */
  room(): number
  /** QoS 0, not retained. */
  send(topic: string, payload: Buffer): void
}

export class EdgeNode {
  readonly #options: EdgeNodeOptions
  readonly #writer = new PayloadWriter()
  #bdSeq = 0
  #seq = 0
  #isBorn = false
  #isAnnounced = false
  #bornAt = Number.NEGATIVE_INFINITY

  constructor(options: EdgeNodeOptions) {
    this.#options = options
  }

  get isBorn(): boolean {
    return this.#isBorn
  }

  /** Whether hosts know it from this connection, if only by a birth that no longer counts. */
  get isAnnounced(): boolean {
    return this.#isAnnounced
  }

  /** When the last NBIRTH was told, ms. */
  get bornAt(): number {
    return this.#bornAt
  }

  /** A new connection with the number of its will (clause topics-nbirth-bdseq-matching). */
  begin(bdSeq: number): void {
    this.#bdSeq = bdSeq
    this.#isAnnounced = false
    this.forget()
  }

  /** What was told so far counts no more: a birth comes next. */
  forget(): void {
    this.#isBorn = false
    for (const device of this.#options.catalogue.devices) device.isBorn = false
  }

  /** NBIRTH, and a DBIRTH of each device that is alive or that `rows` are of. */
  birth(rows: ReadonlyMap<Owner, unknown> = new Map()): void {
    const { catalogue } = this.#options
    this.forget()
    this.#nodeBirth(catalogue.node)
    for (const device of catalogue.devices) if (this.#isAlive(device) || rows.has(device)) this.#deviceBirth(device)
  }

  /** Births that are due, the rows, and deaths that are due. */
  tell(rows: ReadonlyMap<Owner, readonly Row[]>): void {
    const { catalogue } = this.#options
    const born = new Set<Owner>()
    if (!this.#isBorn || catalogue.node.isChanged) {
      this.birth(rows)
      for (const owner of rows.keys()) born.add(owner)
    }
    for (const device of catalogue.devices) {
      if (device.isBorn && !device.isChanged) continue
      if (!rows.has(device) && !this.#isAlive(device)) continue
      this.#deviceBirth(device)
      born.add(device)
    }
    for (const [owner, some] of rows) this.#data(owner, inOrder(born.has(owner) ? behindBirth(some) : some))
    for (const device of catalogue.devices) if (device.isBorn && !this.#isAlive(device)) this.#deviceDeath(device)
  }

  /** NDEATH: nothing but the bdSeq (clauses topics-ndeath-payload, topics-ndeath-seq). */
  death(): { readonly topic: string; readonly payload: Buffer } {
    const time = this.#options.now()
    this.#writer.begin(time)
    this.#writer.define({ name: 'bdSeq', type: 'Int64', time, value: this.#bdSeq })
    return { topic: topicOf(this.#options.node, 'NDEATH'), payload: this.#writer.finish() }
  }

  #nodeBirth(owner: Owner): void {
    const time = this.#options.now()
    this.#seq = 0
    this.#writer.begin(time)
    this.#writer.define({ name: 'bdSeq', type: 'Int64', time, value: this.#bdSeq })
    this.#writer.define({ name: 'Node Control/Rebirth', type: 'Boolean', time, value: false })
    this.#defineAll(owner)
    this.#isAnnounced = true
    this.#say('NBIRTH', owner)
    this.#isBorn = true
    this.#bornAt = time
  }

  #deviceBirth(owner: Owner): void {
    this.#writer.begin(this.#options.now())
    this.#defineAll(owner)
    this.#say('DBIRTH', owner)
  }

  #defineAll(owner: Owner): void {
    for (const tag of owner.tags) this.#writer.define(definition(tag))
    owner.isBorn = true
    owner.isChanged = false
  }

  #data(owner: Owner, rows: readonly Row[]): void {
    const { now, room } = this.#options
    const verb = owner.device === undefined ? 'NDATA' : 'DDATA'
    const full = Math.min(fullMessage, room())
    for (let n = 0; n < rows.length; ) {
      this.#writer.begin(now())
      for (const first = n; n < rows.length; n++) {
        const { tag, time, value, isHistorical } = rows[n]!
        if (n > first && this.#writer.length + mostBytes(value) > full) break
        this.#writer.update(tag.alias, tag.type, time, value, isHistorical)
      }
      this.#say(verb, owner)
    }
  }

  #deviceDeath(owner: Owner): void {
    const now = this.#options.now()
    this.#writer.begin(now)
    this.#say('DDEATH', owner)
    owner.isBorn = false
    owner.died = now
  }

  #say(verb: Verb, { device }: Owner): void {
    const { node, send } = this.#options
    const payload = this.#writer.finish(this.#seq)
    this.#seq = (this.#seq + 1) % 256
    send(topicOf(node, verb, device), payload)
  }

  #isAlive({ lives, tags }: Owner): boolean {
    const { silent_after, now } = this.#options
    if (tags.size === 0) return false
    const oldest = now() - silent_after
    for (const { works, heard } of lives) if (works && heard >= oldest) return true
    return false
  }
}

/** Of a metric with such a value; a character takes three bytes at most. */
function mostBytes(value: Row['value']): number {
  return 40 + (typeof value === 'string' ? 3 * value.length : 0)
}
