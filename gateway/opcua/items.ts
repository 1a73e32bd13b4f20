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
  readonly #items = new Map<Tracked, Item>()

  constructor(nodes: readonly Tracked[], options: ItemOptions) {
    this.#handles = new Map(nodes.map((node, n) => [node, n + 1]))
    this.#options = options
  }

  /** Adds candidates to the subscription. A server that cannot filter is asked for all values. */
  adding(session: Session, subscription: Subscription): Attempt {
    return async candidates => {
      const items = candidates.map(candidate => this.#item(session, candidate, true))
      const statuses = [...(await subscription.monitor(session, items))]
      const again = statuses.flatMap((status, n) => (items[n]!.filter && noFilter.test(status.name) ? [n] : []))
      const plain = again.map(n => this.#item(session, candidates[n]!, false))
      const answers = plain.length > 0 ? await subscription.monitor(session, plain) : []
      for (const [k, n] of again.entries()) statuses[n] = answers[k]!
      return statuses.map(textOf)
    }
  }

  async remove(session: Session, subscription: Subscription, nodes: readonly Tracked[]): Promise<void> {
    await subscription.forget(session, new Set(nodes.flatMap(node => this.#items.get(node) ?? [])))
  }

  #item(session: Session, { node, nodeId }: Candidate, isFiltered: boolean): Item {
    const { sampling, queue, deadband } = node.options
    const item: Item = {
      handle: this.#handles.get(node)!,
      nodeId,
      attributeId: session.library.AttributeIds.Value,
      sampling: sampling ?? this.#options.sampling ?? -1,
      queue: queue ?? this.#options.queue,
      ...(isFiltered && deadband && { filter: filterOf(session, deadband) }),
      value: (value, draft) => node.take(value, draft),
    }
    this.#items.set(node, item)
    return item
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
