// Samples and events as a tree of topics with small JSON payloads, for dashboards and flows. docs/topics.md gives them to whoever
// reads them. Of each topic messages come in the order of time, and none that is retained is ever followed by an older
// one that is: what comes late is told to those who listen now, and leaves the last value as it is.

import type { Attributes, Event, Sample, Series } from '../../core/model.ts'
import type { Opened } from '../uplinks/opened.ts'
import { distinguishing, type Template } from '../uplinks/template.ts'
import type { MqttTopicsOptions } from './options.ts'

export interface Message {
  readonly topic: string
  readonly payload: Buffer
  readonly retain: boolean
}

/** Topics remembered; then they are learned anew. */
const mostTopics = 100_000
const pulse = 'fieldline.source.success'
const ownPrefix = 'fieldline.'

interface Leaf {
  readonly topic: string
  readonly unit: string
  /** The source whose failure makes its value bad; undefined for what the daemon tells of itself. */
  readonly source: string | undefined
  /** ms, of the last value that was retained. */
  newest: number
}

interface Told {
  readonly leaf: Leaf
  readonly time: number
  /** Null: the source does not answer. */
  readonly value: number | null
}

export class Tree {
  readonly #options: Pick<MqttTopicsOptions, 'topic' | 'events_topic' | 'omit'>
  readonly #used: readonly string[]
  #leaves = new Map<string, Leaf>()
  #bySeries = new WeakMap<Series, Leaf>()
  #failing = new Map<string, boolean>()

  constructor(options: Pick<MqttTopicsOptions, 'topic' | 'events_topic' | 'omit'>) {
    this.#options = options
    this.#used = [...options.topic.flatMap(({ keys }) => keys), ...options.omit]
  }

  /** All that a batch says, topic by topic in the order of time. */
  tell(batch: readonly Opened[]): readonly Message[] {
    const told = new Map<Leaf, Told[]>()
    const tell = (one: Told): void => {
      const before = told.get(one.leaf)
      if (before === undefined) told.set(one.leaf, [one])
      else before.push(one)
    }
    for (const { samples, resource } of batch) {
      for (const { series, time, value } of samples) tell({ leaf: this.#leaf(series, resource), time, value })
      for (const sample of samples) for (const one of this.#failures(sample)) tell(one)
    }
    const values = [...told.values()].flatMap(some => some.toSorted((a, b) => a.time - b.time).map(valueMessage))
    const events = batch.flatMap(({ events, resource }) => events.map(event => this.#event(event, resource)))
    return [...values, ...events]
  }

  #leaf(series: Series, resource: Attributes): Leaf {
    const known = this.#bySeries.get(series)
    if (known !== undefined && this.#leaves.get(known.topic) === known) return known
    const { name, unit, attributes } = series
    const rest = distinguishing(attributes, this.#used).map(safeLevel)
    const topic = [...fill(this.#options.topic, name, attributes, resource), ...rest].join('/')
    const leaf = this.#leaves.get(topic) ?? this.#newLeaf(topic, unit, name, attributes)
    this.#bySeries.set(series, leaf)
    return leaf
  }

  #newLeaf(topic: string, unit: string, name: string, { source }: Attributes): Leaf {
    if (this.#leaves.size >= mostTopics) this.#leaves = new Map()
    const isOwn = source === undefined || name.startsWith(ownPrefix)
    const leaf: Leaf = { topic, unit, source: isOwn ? undefined : String(source), newest: 0 }
    this.#leaves.set(topic, leaf)
    return leaf
  }

  /** When a source begins to fail, what it told last is no value any more. */
  *#failures({ series, time, value }: Sample): Generator<Told> {
    const { source } = series.attributes
    if (series.name !== pulse || source === undefined) return
    const fails = value === 0
    const before = this.#failing.get(String(source)) ?? false
    this.#failing.set(String(source), fails)
    if (!fails || before) return
    for (const leaf of this.#leaves.values()) if (leaf.source === source) yield { leaf, time, value: null }
  }

  #event({ name, time, severity, body, attributes }: Event, resource: Attributes): Message {
    const topic = fill(this.#options.events_topic, name, attributes, resource).join('/')
    const payload = Buffer.from(JSON.stringify({ time, name, severity, body, attributes }))
    return { topic, payload, retain: false }
  }
}

function valueMessage({ leaf, time, value }: Told): Message {
  const retain = time >= leaf.newest
  if (retain) leaf.newest = time
  const quality = value === null ? 'bad' : 'good'
  return { topic: leaf.topic, payload: Buffer.from(JSON.stringify({ time, value, unit: leaf.unit, quality })), retain }
}

function fill(levels: readonly Template[], name: string, attributes: Attributes, resource: Attributes): string[] {
  const look = (key: string): string | undefined => {
    const value = key === 'name' ? name : (attributes[key] ?? resource[key])
    return value === undefined ? undefined : String(value)
  }
  const filled = levels.map(level => level.fill(look, safeLevel)).filter(level => level !== undefined)
  // What begins with $ is the broker's own (MQTT 5, 4.7.2).
  if (filled[0]?.startsWith('$')) filled[0] = `_${filled[0].slice(1)}`
  return filled
}

/** A value as one level of a topic, or a part of one. */
function safeLevel(value: string): string {
  return value
    .slice(0, 256)
    .toWellFormed()
    .replaceAll(/[+/#\p{Cc}\ufffe\uffff]/gu, '_')
}
