// What the fold keeps of each node while it runs: its record, its senders, and its series up to the limit.

import type { Series } from '../../core/model.ts'
import type { Disks } from '../disks/disks.ts'
import type { Judging } from '../judging.ts'
import type { History, Ref } from '../store/history.ts'
import type { NodeRecord, Records } from '../store/records.ts'
import { identity } from '../store/series.ts'
import { Senders } from './senders.ts'

export interface FoldNode {
  readonly record: NodeRecord
  readonly senders: Senders
  /** Series it has. */
  count: number
  /** The identities of all of them, once they are as many as there may be. */
  known: Set<string> | undefined
  /** For series whose description, resource included, another node gave first: what they are here. */
  readonly same: Map<Slot, Slot>
}

/** What the decoder remembers of a series: which node it was first described for. */
export interface Slot {
  readonly node: FoldNode
  readonly series: Series
  /** Undefined beyond the node's limit. */
  readonly ref: Ref | undefined
}

export interface NodesOptions {
  readonly history: Pick<History, 'ref' | 'find'>
  readonly records: Pick<Records, 'touch' | 'marks' | 'node'>
  readonly judging: Pick<Judging, 'attach'>
  readonly disks: Pick<Disks, 'attach'>
  readonly max_series: number
}

export class Nodes {
  readonly #options: NodesOptions
  readonly #nodes = new Map<string, FoldNode>()
  readonly #senders = new Map<string, Senders>()

  constructor(options: NodesOptions) {
    this.#options = options
    // Which streams are fresh is known again before the first row.
    for (const { node, stream } of options.records.marks()) this.#sendersOf(node).isBacklog(stream)
  }

  get(name: string, received: number): FoldNode {
    const record = this.#options.records.touch(name, received)
    const known = this.#nodes.get(name)
    if (known?.record === record) return known
    const count = this.#options.history.find({ node: name }).length
    const node = { record, senders: this.#sendersOf(name), count, known: undefined, same: new Map() }
    this.#nodes.set(name, node)
    return node
  }

  #sendersOf(name: string): Senders {
    const known = this.#senders.get(name)
    if (known !== undefined) return known
    const senders = new Senders()
    this.#senders.set(name, senders)
    return senders
  }

  slot(node: FoldNode, series: Series): Slot {
    const taken = this.#isTaken(node, series)
    const ref = taken ? this.#options.history.ref(node.record.name, series) : undefined
    if (ref !== undefined) {
      if (ref.count === 0) node.count++
      this.#options.judging.attach(ref)
      this.#options.disks.attach(ref)
    }
    return { node, series, ref }
  }

  /** The same series of another node. */
  ofNode(node: FoldNode, slot: Slot): Slot {
    const known = node.same.get(slot)
    if (known !== undefined) return known
    const own = this.slot(node, slot.series)
    node.same.set(slot, own)
    return own
  }

  /** Counts the series anew, and forgets nodes that the records have forgotten. */
  recount(): void {
    for (const [name, node] of this.#nodes) {
      if (this.#options.records.node(name) !== node.record) this.#drop(name)
      node.count = this.#options.history.find({ node: name }).length
      node.known = undefined
      node.same.clear()
    }
  }

  #drop(name: string): void {
    this.#nodes.delete(name)
    this.#senders.delete(name)
  }

  #isTaken(node: FoldNode, series: Series): boolean {
    const { history, max_series } = this.#options
    const { name } = node.record
    if (node.count < max_series) return true
    node.known ??= new Set(history.find({ node: name }).map(ref => identity(name, ref.series)))
    return node.known.has(identity(name, series))
  }
}
