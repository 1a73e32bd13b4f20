// The configured nodes, and what is known of each while the gateway runs: its values to samples, its texts and its
// quality to events when they change.

import type { DataValue, NodeId, Variant } from 'node-opcua-client'
import type { Attributes, Json, Series } from '../../core/model.ts'
import type { Draft } from './draft.ts'
import { type Leaf, leavesOf } from './leaves.ts'
import type { NodeOptions, OpcUaOptions } from './options.ts'
import { empty, isOverflow, type Quality, qualityOf, unreadable } from './quality.ts'
import { builtIn } from './scalars.ts'
import { isImpossible, timeOf } from './time.ts'

export interface Tracked {
  readonly options: NodeOptions
  /** Undefined while the server does not know the node. */
  nodeId: NodeId | undefined
  /** Names of the numbers it may have; set when the server tells them. */
  enumeration: ReadonlyMap<number, string> | undefined
  /** Source time of the latest value that is safe in the spool, ms; 0 before the first. */
  latest: number
  /** Source time of the first value after a gap, once it is safe; 0 before. */
  first: number
  /** Turns a value of the node into samples and events. Structures are to be resolved by then. */
  take(value: DataValue, draft: Draft): void
}

/** What all nodes of a source share. */
export interface Common extends Pick<OpcUaOptions, 'attributes' | 'uncertain' | 'limits'> {
  readonly source: string
}

/** Of one source, all its nodes. */
export function trackedNodes(all: readonly NodeOptions[], { source, ...common }: Common): readonly Tracked[] {
  const shared: Shared = { ...common, attributes: { source, ...common.attributes }, series: common.limits.series }
  return all.map(options => new Node(options, shared))
}

interface Shared extends Omit<Common, 'source'> {
  /** How many more the source may have. */
  series: number
}

/** Bad_NodeIdInvalid and Bad_NodeIdUnknown: the node was removed while the server ran. */
const gone: ReadonlySet<string> = new Set(['BadNodeIdInvalid', 'BadNodeIdUnknown'])

class Node implements Tracked {
  readonly options: NodeOptions
  nodeId: NodeId | undefined
  enumeration: ReadonlyMap<number, string> | undefined
  latest = 0
  first = 0
  readonly #shared: Shared
  /** Of the value itself; that of nearly every node. */
  #series: Series | undefined
  /** Of elements and fields, by path and index. */
  #more: Map<string, Series> | undefined
  #texts: Map<string, string> | undefined
  #quality: Quality | undefined

  constructor(options: NodeOptions, shared: Shared) {
    this.options = options
    this.#shared = shared
  }

  take(value: DataValue, draft: Draft): void {
    const { clocks } = draft
    const time = timeOf(value, clocks)
    const { statusCode } = value
    if (isOverflow(statusCode)) draft.oddities.push({ oddity: 'overflow', node: this })
    if (isImpossible(value, clocks)) draft.oddities.push({ oddity: 'impossible', node: this })
    const quality = qualityOf(statusCode)
    if (quality.class === 'bad' && gone.has(quality.text)) draft.gone.push(this)
    draft.took(this, time)
    const isWorth = quality.class === 'good' || (quality.class === 'uncertain' && this.#shared.uncertain === 'keep')
    const lack = isWorth ? this.#values(value.value, time, draft) : undefined
    this.#changed(lack ?? quality, time, draft)
  }

  /** The first good value is no news. */
  #changed(quality: Quality, time: number, draft: Draft): void {
    if (quality === this.#quality) return
    if (this.#quality !== undefined || quality.class !== 'good') draft.changes.push({ node: this, time, quality })
    this.#quality = quality
  }

  /** What is wrong where it has no value. */
  #values(variant: Variant, time: number, draft: Draft): Quality | undefined {
    const { dataType, arrayType, value } = variant
    const isPlain = (arrayType as number) === 0 && dataType !== builtIn.Int64 && dataType !== builtIn.UInt64
    if (isPlain && typeof value === 'number' && this.enumeration === undefined) {
      if (!Number.isFinite(value)) return empty
      this.#sample(value, time, draft, '', undefined)
      return undefined
    }
    const { leaves, cut } = leavesOf(variant, this.#shared.limits)
    if (cut) draft.oddities.push({ oddity: 'cut', node: this })
    for (const leaf of leaves) this.#leaf(leaf, time, draft)
    if (leaves.length > 0) return undefined
    return dataType === builtIn.ExtensionObject && value !== null ? unreadable : empty
  }

  #leaf({ path, index, value }: Leaf, time: number, draft: Draft): void {
    if ('text' in value) {
      this.#text({ value: value.text }, value.text, path, index, time, draft)
      return
    }
    this.#sample(value.number, time, draft, path, index)
    if (value.rounded) draft.oddities.push({ oddity: 'rounded', node: this })
    const name = value.name ?? (path === '' ? this.enumeration?.get(value.number) : undefined)
    if (name !== undefined) this.#text({ value: value.number, name }, name, path, index, time, draft)
  }

  #sample(value: number, time: number, draft: Draft, path: string, index: string | undefined): void {
    const series = path === '' && index === undefined ? this.#own() : this.#other(path, index)
    if (series === undefined) draft.oddities.push({ oddity: 'cut', node: this })
    else draft.samples.push({ series, time, value })
  }

  #own(): Series | undefined {
    this.#series ??= this.#made('', undefined)
    return this.#series
  }

  #other(path: string, index: string | undefined): Series | undefined {
    this.#more ??= new Map()
    const key = `${path}\0${index ?? ''}`
    const before = this.#more.get(key)
    if (before !== undefined) return before
    const series = this.#made(path, index)
    if (series !== undefined) this.#more.set(key, series)
    return series
  }

  #made(path: string, index: string | undefined): Series | undefined {
    if (this.#shared.series <= 0) return undefined
    this.#shared.series--
    const { unit, kind } = this.options
    return { name: this.#name(path), unit, kind, attributes: this.#attributes(index) }
  }

  #name(path: string): string {
    return path === '' ? this.options.name : `${this.options.name}.${path}`
  }

  #attributes(index: string | undefined): Attributes {
    const { attributes } = this.#shared
    const own = this.options.attributes
    // Nearly all have none of their own, and there may be 100,000.
    if (index === undefined && Object.keys(own).length === 0) return attributes
    return { ...attributes, ...own, ...(index !== undefined && { index }) }
  }

  /** The body says what it is now. */
  #text(body: Json, text: string, path: string, index: string | undefined, time: number, draft: Draft): void {
    this.#texts ??= new Map()
    const key = `${path}\0${index ?? ''}`
    if (this.#texts.get(key) === text) return
    this.#texts.set(key, text)
    const attributes = { ...this.#attributes(index), node: this.#name(path) }
    draft.events.push({ name: 'opcua.value.changed', time, severity: 'info', body, attributes })
  }
}
