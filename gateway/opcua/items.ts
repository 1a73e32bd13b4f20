// The monitored items of the configured nodes.

import type { StatusCode } from 'node-opcua-client'
import type { Attempt, Candidate } from './finder.ts'
import type { Tracked } from './nodes.ts'
import type { Deadband, OpcUaOptions } from './options.ts'
import type { Session } from './session.ts'
import type { Item, Subscription } from './subscription.ts'

type ItemOptions = Pick<OpcUaOptions, 'sampling' | 'queue'>

/** Bad_MonitoredItemFilterUnsupported and its like: the server could watch it, without the deadband. */
const noFilter = /Filter|Deadband/

export class Items {
  readonly #handles: ReadonlyMap<Tracked, number>
  readonly #options: ItemOptions

  constructor(nodes: readonly Tracked[], options: ItemOptions) {
    this.#handles = new Map(nodes.map((node, n) => [node, n + 1]))
    this.#options = options
  }

  /** Adds candidates to the subscription. A server that cannot filter is asked for all values. */
  adding(session: Session, subscription: Subscription): Attempt {
    return async all => {
      const candidates = all.filter(({ node }) => !subscription.has(this.#handles.get(node)!))
      const items = candidates.map(candidate => this.#item(session, candidate, true))
      const statuses = [...(await subscription.monitor(session, items))]
      const again = statuses.flatMap((status, n) => (items[n]!.filter && noFilter.test(status.name) ? [n] : []))
      const plain = again.map(n => this.#item(session, candidates[n]!, false))
      const answers = plain.length > 0 ? await subscription.monitor(session, plain) : []
      for (const [k, n] of again.entries()) statuses[n] = answers[k]!
      const outcome = new Map(candidates.map(({ node }, n) => [node, textOf(statuses[n]!)]))
      return all.map(({ node }) => outcome.get(node))
    }
  }

  /** Takes over what an earlier gateway had put into the subscription; gives the server's numbers of what is not ours. */
  attach(subscription: Subscription, pairs: readonly (readonly [handle: number, id: number])[]): readonly number[] {
    const nodes = new Map([...this.#handles].map(([node, handle]) => [handle, node]))
    return pairs.flatMap(([handle, id]) => {
      const node = nodes.get(handle)
      if (node === undefined) return [id]
      subscription.attach(handle, node, id)
      return []
    })
  }

  #item(session: Session, { node, nodeId }: Candidate, isFiltered: boolean): Item {
    const { sampling, queue, deadband } = node.options
    return {
      taker: node,
      handle: this.#handles.get(node)!,
      nodeId,
      attributeId: session.library.AttributeIds.Value,
      sampling: sampling ?? this.#options.sampling ?? -1,
      queue: queue ?? this.#options.queue,
      ...(isFiltered && deadband && { filter: filterOf(session, deadband) }),
    }
  }
}

function textOf(status: StatusCode): string | undefined {
  return status.isGood() ? undefined : status.name
}

/** OPC 10000-4, 7.22.2. */
function filterOf({ library }: Session, { type, value }: Deadband): object {
  const { DataChangeFilter, DataChangeTrigger, DeadbandType } = library
  const deadbandType = type === 'absolute' ? DeadbandType.Absolute : DeadbandType.Percent
  return new DataChangeFilter({ trigger: DataChangeTrigger.StatusValue, deadbandType, deadbandValue: value })
}
