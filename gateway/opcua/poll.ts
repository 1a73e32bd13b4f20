// Reads all nodes again and again, for servers that make no subscriptions. What was not sampled anew since is not told
// again.

import type { DataValue } from 'node-opcua-client'
import { inBatches } from './batches.ts'
import type { Draft } from './draft.ts'
import type { Attempt } from './finder.ts'
import type { Tracked } from './nodes.ts'
import { within } from './patience.ts'
import type { Session } from './session.ts'
import { promoted } from './structures.ts'

const unknown = /^BadNodeId(Unknown|Invalid)$/

export class Poll {
  readonly #timeout: number
  /** ms that a value in the server's own memory may be old. */
  readonly #maxAge: number
  readonly #seen = new Map<Tracked, number>()

  constructor(timeout: number, maxAge: number) {
    this.#timeout = timeout
    this.#maxAge = maxAge
  }

  /** Whether the server has them, by reading them once. */
  trying(session: Session): Attempt {
    return async candidates => {
      const values = await this.#read(session, candidates)
      return values.map(({ statusCode: { name } }) => (unknown.test(name) ? name : undefined))
    }
  }

  /** One reading of all nodes that the server has. */
  async into(draft: Draft, session: Session, nodes: readonly Tracked[]): Promise<void> {
    const present = nodes.flatMap(node => (node.nodeId === undefined ? [] : [{ node, nodeId: node.nodeId }]))
    const values = await this.#read(session, present)
    const fresh = values.flatMap((value, n) =>
      this.#isFresh(present[n]!.node, value) ? [{ node: present[n]!.node, value }] : [],
    )
    await promoted(session, fresh, this.#timeout)
    for (const { node, value } of fresh) node.take(value, draft)
  }

  /** A value has the same source time as the one before if it is the one before. */
  #isFresh(node: Tracked, { sourceTimestamp, statusCode }: DataValue): boolean {
    if (!sourceTimestamp) return true
    // Two codes at the same time differ by far less than a moment.
    const key = sourceTimestamp.getTime() + statusCode.value / 2 ** 32
    if (this.#seen.get(node) === key) return false
    this.#seen.set(node, key)
    return true
  }

  async #read(
    session: Session,
    nodes: readonly { nodeId: NonNullable<Tracked['nodeId']> }[],
  ): Promise<readonly DataValue[]> {
    const { client, limits, library, lost } = session
    const attributeId = library.AttributeIds.Value
    return await inBatches(nodes, limits.read, some => {
      const asked = some.map(({ nodeId }) => ({ nodeId, attributeId }))
      return within(this.#timeout, 'reading', client.read(asked, this.#maxAge), lost)
    })
  }
}
