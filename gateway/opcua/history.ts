// Fills a gap from the server's history, oldest first, each page durable in the spool before the next is asked for. What is
// still to be filled is remembered over lost links and restarts; what cannot be filled is told as an event with from and to
// of each node, and is then done with.

import { type Keep, savedJson } from '../../agent/keep.ts'
import type { Emit, Surroundings } from '../../agent/source.ts'
import { backoff } from '../../core/backoff.ts'
import { Refused } from '../../core/errors.ts'
import type { Observation } from '../../core/model.ts'
import { duration, integer, object, optional, Place } from '../../core/shape.ts'
import { Draft } from './draft.ts'
import type { Extra } from './extra.ts'
import { readRaw } from './history-read.ts'
import { type Hole, heaps, holesOf, isHole, keyOf, type Unfilled, unfilledEvents } from './holes.ts'
import type { Tracked } from './nodes.ts'
import type { OpcUaOptions } from './options.ts'
import type { Session } from './session.ts'
import { correction } from './time.ts'

const shape = object({
  /** How far back values are asked for. */
  max_age: optional(duration(0, 366 * 86_400_000), 7 * 86_400_000),
  /** Values of one node for one gap. */
  max_values: optional(integer(1, 10_000_000), 100_000),
})

export const historyOptions = optional(shape, shape.read({}, new Place()))

/** Holes that are few, and how often many are written, ms: after a crash what was filled meanwhile is filled again. */
const few = 1000
const pace = 1000

export type HistoryOptions = Pick<OpcUaOptions, 'history' | 'timeout' | 'max_skew'>

export function history(options: HistoryOptions, { name, host, keep }: Surroundings): Extra {
  const kept = keep.part('history')
  let holes = load(kept)
  let savedAt = Number.NEGATIVE_INFINITY
  let nodes: readonly Tracked[] = []
  let filling: Promise<void> = Promise.resolve()

  const remember = (next: readonly Hole[]): void => {
    holes = next
    if (holes.length > few && host.monotonic() - savedAt < pace) return
    kept.save(JSON.stringify(holes))
    savedAt = host.monotonic()
  }

  /** Until it is in the spool. @throws where it is refused, or the session ends before. */
  const give = async (observation: Observation, emit: Emit, lost: AbortSignal): Promise<void> => {
    for (const pause = backoff({ min: 100, max: 10_000 }); ; ) {
      try {
        return await emit(observation)
      } catch (error) {
        if (error instanceof Refused || lost.aborted) throw error
        await host.sleep(pause.next(), lost)
      }
    }
  }

  const tell = async (unfilled: readonly Unfilled[], emit: Emit, lost: AbortSignal): Promise<void> => {
    if (unfilled.length > 0) await give({ samples: [], events: unfilledEvents(unfilled, name, host.now()) }, emit, lost)
  }

  const fill = async (session: Session, emit: Emit): Promise<void> => {
    const wanted = new Set(holes.map(keyOf))
    const byKey = new Map(nodes.map(node => [keyOf(node.options), node] as const).filter(([key]) => wanted.has(key)))
    for (const heap of heaps(holes, session.limits.historyRead)) {
      await tell(await fillHeap(session, heap, byKey, emit), emit, session.lost)
      const done = new Set(heap)
      remember(holes.filter(hole => !done.has(hole)))
    }
  }

  const fillHeap = async (
    session: Session,
    heap: readonly Hole[],
    byKey: ReadonlyMap<string, Tracked>,
    emit: Emit,
  ): Promise<readonly Unfilled[]> => {
    const clocks = { now: host.now(), skew: session.skew(), maxSkew: options.max_skew }
    // Times of holes are those that were told; a server whose clock is wrong has others.
    const shift = correction(clocks)
    const known = heap.flatMap(hole => {
      const node = byKey.get(keyOf(hole))
      if (node?.nodeId === undefined) return []
      return [{ hole, node, nodeId: node.nodeId, from: hole.from + shift, until: hole.until + shift }]
    })
    const bounds = { most: options.history.max_values, timeout: options.timeout }
    const outcomes = await readRaw(session, known, bounds, async page => {
      const draft = new Draft(clocks)
      for (const [n, values] of page.entries()) for (const value of values) known[n]!.node.take(value, draft)
      await give(draft.observation(name), emit, session.lost)
    })
    const found = new Set(known.map(({ hole }) => hole))
    return [
      ...heap.filter(hole => !found.has(hole)).map(hole => ({ ...hole, reason: 'the server does not have the node' })),
      ...outcomes.flatMap(({ upTo, reason }, n) =>
        reason === undefined ? [] : [{ ...known[n]!.hole, from: upTo - shift, reason }],
      ),
    ]
  }

  return {
    starting: all => {
      nodes = all
    },
    missed: async (session, gap, emit) => {
      const fresh = holesOf(gap, options.history.max_age)
      remember([...holes, ...fresh.holes])
      await tell(fresh.unfilled, emit, session.lost)
      // One after the other: the same hole is not filled twice.
      filling = filling.catch(() => {}).then(() => fill(session, emit))
      await filling
    },
  }
}

function load(keep: Keep): readonly Hole[] {
  const kept = savedJson(keep)
  return Array.isArray(kept) ? kept.filter(isHole) : []
}
