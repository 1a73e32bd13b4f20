// All that an edge node tells of: which metric a series is, and which device it belongs to. Aliases and names hold until the
// process ends; every birth tells them anew.

import type { Attributes, Event, Series } from '../../core/model.ts'
import { distinguishing, type Template } from '../uplinks/template.ts'
import { metricName, safeId } from './names.ts'
import { type Life, newOwner, type Owner, propertiesOf, type Tag, typeFor } from './tag.ts'

/** What was not heard for so long, ms, makes room for others. */
const forgotten = 3_600_000
/** What the daemon tells of itself and its sources is the node's own: a CPU is no device for having a source. */
const ownPrefix = 'fieldline.'
const pulse = 'fieldline.source.success'

export interface CatalogueOptions {
  /** Which device something belongs to; the node itself where an attribute is missing. */
  readonly device: Template
  /** Attributes that names do not show. */
  readonly omit: readonly string[]
  readonly max_metrics: number
}

type New = Pick<Tag, 'isEvent' | 'isPulse' | 'properties' | 'type' | 'value' | 'time' | 'heard' | 'target' | 'life'>

export class Catalogue {
  readonly node = newOwner()
  readonly #options: CatalogueOptions
  readonly #devices = new Map<string, Owner>()
  readonly #deviceIds = new Set<string>()
  readonly #bySeries = new WeakMap<Series, Tag>()
  readonly #byKey = new Map<string, Tag>()
  readonly #names = new Map<Owner, Map<string, Tag>>()
  readonly #byAlias = new Map<number, Tag>()
  readonly #lives = new Map<string, Life>()
  #lastAlias = 0
  #resource: Attributes = {}

  constructor(options: CatalogueOptions) {
    this.#options = options
  }

  get devices(): Iterable<Owner> {
    return this.#devices.values()
  }

  get isEmpty(): boolean {
    return this.#byKey.size === 0
  }

  /** All sources count as heard now: nothing could be sent before. */
  resume(now: number): void {
    for (const life of this.#lives.values()) life.heard = now
  }

  /** What the node is: resource attributes become its properties, which are metrics too (Sparkplug 3.0.0, 4.2.1.1.2). */
  describe(resource: Attributes, now: number): void {
    if (resource === this.#resource) return
    this.#resource = resource
    for (const [key, value] of Object.entries(resource)) {
      const text = String(value)
      const tag = this.#take(
        `property ${key}`,
        this.node,
        `Properties/${key}`,
        { ...plain, value: text, time: now, type: 'String' },
        now,
      )
      if (tag === undefined || tag.value === text) continue
      Object.assign(tag, { value: text, time: now })
      this.node.isChanged = true
    }
  }

  /** The metric of a series; undefined where there would be too many. `value` decides a new one's type. */
  ofSeries(series: Series, value: number, now: number): Tag | undefined {
    const known = this.#bySeries.get(series)
    if (known !== undefined && !known.isGone) return known
    const { name, unit, kind, attributes } = series
    const key = JSON.stringify([name, unit, kind, distinguishing(attributes, [])])
    const owner = this.#owner(name, attributes)
    const source = attributes.source === undefined ? undefined : String(attributes.source)
    const life = this.#life(source, owner, now)
    const tag = this.#take(
      key,
      owner,
      this.#nameIn(owner, name, attributes),
      {
        ...plain,
        properties: propertiesOf(series),
        type: typeFor(series, value),
        isPulse: name === pulse,
        target: source === undefined || name.startsWith(ownPrefix) ? undefined : { source, name },
        life,
      },
      now,
    )
    if (tag !== undefined) this.#bySeries.set(series, tag)
    return tag
  }

  /** The metric of all events of one name. */
  ofEvent({ name, attributes, time }: Event, now: number): Tag | undefined {
    const owner = this.#owner(name, attributes)
    const path = `Events/${name.toWellFormed().replaceAll('.', '/')}`
    return this.#take(
      `event ${owner.device ?? ''} ${name}`,
      owner,
      path,
      { ...plain, isEvent: true, type: 'String', time },
      now,
    )
  }

  /** By alias or by name, as a command has it. */
  find(device: string | undefined, name: string | undefined, alias: number | undefined): Tag | undefined {
    const owner = device === undefined ? this.node : [...this.devices].find(d => d.device === device)
    if (owner === undefined) return undefined
    const tag = alias === undefined ? this.#names.get(owner)?.get((name ?? '').toLowerCase()) : this.#byAlias.get(alias)
    return tag?.owner === owner && (alias !== undefined || tag.name === name) ? tag : undefined
  }

  #owner(name: string, attributes: Attributes): Owner {
    const look = (key: string): string | undefined => {
      const value = attributes[key] ?? this.#resource[key]
      return value === undefined ? undefined : String(value)
    }
    const wanted = name.startsWith(ownPrefix) ? undefined : this.#options.device.fill(look, value => value)
    if (wanted === undefined) return this.node
    const known = this.#devices.get(wanted)
    if (known !== undefined) return known
    const owner = newOwner(unique(safeId(wanted), '_', id => this.#deviceIds.has(id)))
    this.#deviceIds.add(owner.device!.toLowerCase())
    this.#devices.set(wanted, owner)
    return owner
  }

  #nameIn(owner: Owner, name: string, attributes: Attributes): string {
    const { device, omit } = this.#options
    return metricName(name, attributes, owner === this.node ? omit : [...device.keys, ...omit])
  }

  #life(source: string | undefined, owner: Owner, now: number): Life | undefined {
    const key = source ?? (owner.device === undefined ? undefined : `device ${owner.device}`)
    if (key === undefined) return undefined
    const life = this.#lives.get(key) ?? { works: true, heard: now }
    this.#lives.set(key, life)
    if (owner.device !== undefined) owner.lives.add(life)
    return life
  }

  #take(key: string, owner: Owner, path: string, made: New, now: number): Tag | undefined {
    const known = this.#byKey.get(key)
    if (known !== undefined) return known
    if (this.#byKey.size >= this.#options.max_metrics) this.#forget(now)
    if (this.#byKey.size >= this.#options.max_metrics) return undefined
    const names = this.#names.get(owner) ?? new Map<string, Tag>()
    const name = unique(path, '/', id => names.has(id))
    const tag: Tag = { ...made, owner, name, alias: ++this.#lastAlias, isGone: false }
    this.#names.set(owner, names.set(name.toLowerCase(), tag))
    this.#byKey.set(key, tag)
    this.#byAlias.set(tag.alias, tag)
    owner.tags.add(tag)
    owner.isChanged = true
    return tag
  }

  #forget(now: number): void {
    for (const [key, tag] of this.#byKey) {
      if (now - tag.heard <= forgotten || tag.name.startsWith('Properties/')) continue
      tag.isGone = true
      this.#byKey.delete(key)
      this.#byAlias.delete(tag.alias)
      this.#names.get(tag.owner)!.delete(tag.name.toLowerCase())
      tag.owner.tags.delete(tag)
      tag.owner.isChanged = true
    }
    for (const [key, owner] of this.#devices) {
      if (owner.tags.size > 0 || owner.isBorn) continue
      this.#devices.delete(key)
      this.#deviceIds.delete(owner.device!.toLowerCase())
      this.#names.delete(owner)
    }
  }
}

const plain = {
  isEvent: false,
  isPulse: false,
  properties: [],
  value: null,
  time: 0,
  heard: 0,
  target: undefined,
  life: undefined,
} as const

/** Hosts may not tell upper from lower case (clauses case-sensitivity-*): a name that is taken that way gets a number. */
function unique(wanted: string, separator: string, isTaken: (lowered: string) => boolean): string {
  let name = wanted
  for (let n = 2; isTaken(name.toLowerCase()); n++) name = `${wanted}${separator}${n}`
  return name
}
