// What comes of one notification or one reading: filled by whoever takes values, then emitted as a whole.

import type { Attributes, Event, Observation, Sample } from '../../core/model.ts'
import type { Tracked } from './nodes.ts'
import type { Quality } from './quality.ts'
import type { Clocks } from './time.ts'

/** So many nodes may tell of themselves at once; of more it is told how many, and which. */
const mostAlone = 100
const namesAnEvent = 100

export interface QualityChange {
  readonly node: Tracked
  readonly time: number
  readonly quality: Quality
}

/** What is told at most once a minute, with the nodes it happened to. */
export type Oddity = 'overflow' | 'impossible' | 'rounded' | 'cut'

export class Draft {
  readonly samples: Sample[] = []
  readonly events: Event[] = []
  /** What is told along with it and did not come with it: no part of what the draft is known by. */
  readonly beside: Event[] = []
  readonly clocks: Clocks
  readonly once: string | undefined
  readonly changes: QualityChange[] = []
  readonly oddities: { readonly oddity: Oddity; readonly node: Tracked }[] = []
  /** Nodes that the server says it does not know any more. */
  readonly gone: Tracked[] = []
  readonly #whenSafe: (() => void)[] = []
  readonly #taken = new Map<Tracked, { first: number; latest: number }>()

  /** `once` is what the observation is known by, where it may come again. */
  constructor(clocks: Clocks, once?: string) {
    this.clocks = clocks
    this.once = once
  }

  /** A value of the node is in this draft. */
  took(node: Tracked, time: number): void {
    const before = this.#taken.get(node)
    if (before === undefined) this.#taken.set(node, { first: time, latest: time })
    else if (before.latest < time) before.latest = time
  }

  /** Called once the observation is in the spool; not where it was refused. */
  whenSafe(then: () => void): void {
    this.#whenSafe.push(then)
  }

  observation(source: string): Observation {
    const { samples, once } = this
    const events = [...this.events, ...told(this.changes, source)]
    return { samples, events, ...(once !== undefined && { once }) }
  }

  /** To be called when the observation is in the spool. */
  committed(): void {
    for (const [node, { first, latest }] of this.#taken) {
      node.latest = Math.max(node.latest, latest)
      if (node.first === 0) node.first = first
    }
    for (const then of this.#whenSafe) then()
  }
}

function told(changes: readonly QualityChange[], source: string): readonly Event[] {
  if (changes.length <= mostAlone) return changes.map(change => alone(change, source))
  const alike = Map.groupBy(changes, ({ quality }) => quality.text)
  return [...alike.values()].flatMap(same => together(same, source))
}

function alone({ node, time, quality }: QualityChange, source: string): Event {
  const attributes: Attributes = { source, node: node.options.name, ...node.options.attributes }
  return {
    name: `opcua.quality.${quality.class}`,
    time,
    severity: quality.severity,
    body: { status: quality.text },
    attributes,
  }
}

function together(same: readonly QualityChange[], source: string): readonly Event[] {
  const heaps = Array.from({ length: Math.ceil(same.length / namesAnEvent) }, (_, n) =>
    same.slice(n * namesAnEvent, (n + 1) * namesAnEvent),
  )
  return heaps.map(heap => {
    const { time, quality } = heap[0]!
    const nodes = heap.map(({ node }) => node.options.name)
    const body = { status: quality.text, nodes }
    return { name: `opcua.quality.${quality.class}`, time, severity: quality.severity, body, attributes: { source } }
  })
}
