// What is missing of each node, and in which order it is asked for: pure.

import type { Event, Json } from '../../core/model.ts'
import type { Gap } from './extra.ts'

/** Values of a node after `from` and before `until` may be missing; source times, ms. */
export interface Hole {
  /** The configured name and node id: together they outlive a restart. */
  readonly name: string
  readonly node: string
  readonly from: number
  readonly until: number
}

export interface Unfilled extends Hole {
  readonly reason: string
}

/** A request has one start for all its nodes: a hole may ride on a longer one while no more than this is read in vain, ms. */
const slack = 10_000
const namedInAnEvent = 500

export function keyOf({ name, node }: Pick<Hole, 'name' | 'node'>): string {
  return JSON.stringify([name, node])
}

export function isHole(one: unknown): one is Hole {
  const hole = one as Partial<Hole> | null
  return typeof hole?.name === 'string' && typeof hole.node === 'string' && hole.from! < hole.until!
}

/** A node without a value before the gap has none to miss. */
export function holesOf({ nodes, to }: Gap, maxAge: number): { holes: readonly Hole[]; unfilled: readonly Unfilled[] } {
  const all = nodes.map(({ node: { options }, from, until }) => ({
    name: options.name,
    node: options.node,
    from,
    until,
  }))
  const missing = all.filter(({ from, until }) => from > 0 && from < until)
  const oldest = to - maxAge
  const reason = 'it is older than max_age'
  return {
    holes: missing.map(hole => ({ ...hole, from: Math.max(hole.from, oldest) })).filter(isHole),
    unfilled: missing
      .filter(({ from }) => from < oldest)
      .map(hole => ({ ...hole, until: Math.min(hole.until, oldest), reason })),
  }
}

/**
 * Holes that are asked for together, at most `most`; of none is more than twice of what it lacks read.
 * One node's holes lie in different heaps, oldest first.
 */
export function heaps(holes: readonly Hole[], most: number): readonly (readonly Hole[])[] {
  const heaps: Hole[][] = []
  for (const hole of holes.toSorted((a, b) => a.from - b.from)) {
    const heap = heaps.at(-1)
    if (heap !== undefined && heap.length < most && fits(hole, heap)) heap.push(hole)
    else heaps.push([hole])
  }
  return heaps
}

function fits(hole: Hole, heap: readonly Hole[]): boolean {
  const inVain = hole.from - heap[0]!.from
  const isThere = heap.some(other => other.node === hole.node && other.name === hole.name)
  return !isThere && inVain <= Math.max(slack, hole.until - hole.from)
}

/** One event for each reason; of thousands of nodes several. */
export function unfilledEvents(unfilled: readonly Unfilled[], source: string, time: number): readonly Event[] {
  const byReason = Map.groupBy(unfilled, one => one.reason)
  const events: Event[] = []
  for (const [reason, all] of byReason) {
    for (let n = 0; n < all.length; n += namedInAnEvent) {
      const nodes = all.slice(n, n + namedInAnEvent).map(inWords)
      events.push({
        name: 'opcua.history.gap',
        time,
        severity: 'warning',
        body: { message: `values are missing that the server's history does not give: ${reason}`, reason, nodes },
        attributes: { source },
      })
    }
  }
  return events
}

function inWords({ name, from, until }: Unfilled): Json {
  return { name, from: new Date(from).toISOString(), to: new Date(until).toISOString() }
}
