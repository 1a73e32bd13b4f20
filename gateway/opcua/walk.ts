// Walks a server's address space by its hierarchical references (OPC 10000-3, 7.3; OPC 10000-4, 5.9), breadth first, each
// node once however it is reached, and within bounds: a server may have millions of nodes, and references that lead in circles.

import type { BrowseResult, NodeId, ReferenceDescription } from 'node-opcua-client'
import { within } from './patience.ts'
import type { Session } from './session.ts'

export interface Bounds {
  /** Nodes looked at. */
  readonly nodes: number
  /** Steps from where it begins. */
  readonly depth: number
  /** Of each answer, ms. */
  readonly timeout: number
}

export interface Found {
  readonly nodeId: NodeId
  /** Browse names from the beginning on. */
  readonly path: readonly string[]
  readonly isVariable: boolean
  /** Its property EngineeringUnits (OPC 10000-8, 5.6.3). */
  units?: NodeId
}

export interface Walked {
  readonly variables: readonly Found[]
  readonly visited: number
  /** Why not all was looked at. */
  readonly left: 'depth' | 'nodes' | 'time' | undefined
  /** Nodes whose references the server did not give. */
  readonly refused: number
  /** Of conditions and alarms, which are told of as events and not looked into. */
  readonly conditions: number
}

export type Progress = (visited: number, variables: number) => void

/** OPC 10000-6, Annex A. The Server object tells of itself and not of the plant. */
const ids = { hierarchical: 33, hasProperty: 46, server: 2253 } as const
const atOnce = 100
/** References of one node: what is more is left out. */
const mostReferences = 100_000

/** Ends with what it has when the signal aborts. @throws where the session is lost. */
export function walk(
  session: Session,
  from: NodeId,
  bounds: Bounds,
  signal: AbortSignal,
  progress: Progress,
): Promise<Walked> {
  return new Walker(session, bounds, signal, progress).walk(from)
}

class Walker {
  readonly #session: Session
  readonly #bounds: Bounds
  readonly #signal: AbortSignal
  readonly #progress: Progress
  readonly #seen = new Set<string>()
  readonly #variables: Found[] = []
  #refused = 0
  #conditions = 0
  #isFull = false

  constructor(session: Session, bounds: Bounds, signal: AbortSignal, progress: Progress) {
    this.#session = session
    this.#bounds = bounds
    this.#signal = signal
    this.#progress = progress
  }

  async walk(from: NodeId): Promise<Walked> {
    this.#seen.add(from.toString())
    let level: readonly Found[] = [{ nodeId: from, path: [], isVariable: false }]
    for (let depth = 0; depth < this.#bounds.depth && this.#goesOn(level); depth++) level = await this.#below(level)
    const [variables, visited, left] = [this.#variables, this.#seen.size, this.#left(level)]
    return { variables, visited, left, refused: this.#refused, conditions: this.#conditions }
  }

  #goesOn(level: readonly Found[]): boolean {
    return level.length > 0 && !this.#isFull && !this.#signal.aborted
  }

  #left(level: readonly Found[]): Walked['left'] {
    if (this.#isFull) return 'nodes'
    if (this.#signal.aborted) return 'time'
    return level.some(({ isVariable }) => !isVariable) ? 'depth' : undefined
  }

  async #below(level: readonly Found[]): Promise<readonly Found[]> {
    const next: Found[] = []
    for (let n = 0; n < level.length && this.#goesOn(level); n += atOnce) {
      const parents = level.slice(n, n + atOnce)
      const all = await this.#browse(parents)
      for (const [n, references] of all.entries()) next.push(...this.#take(parents[n]!, references))
      this.#progress(this.#seen.size, this.#variables.length)
    }
    return next
  }

  #take(parent: Found, references: readonly ReferenceDescription[]): readonly Found[] {
    const fresh: Found[] = []
    for (const { nodeId, referenceTypeId, browseName, nodeClass, typeDefinition } of references) {
      if (isStandard(referenceTypeId, ids.hasProperty)) {
        if (browseName.name === 'EngineeringUnits') parent.units = nodeId
        continue
      }
      const key = nodeId.toString()
      if (this.#seen.has(key) || isStandard(nodeId, ids.server)) continue
      this.#isFull ||= this.#seen.size >= this.#bounds.nodes
      if (this.#isFull) break
      this.#seen.add(key)
      if (isCondition(typeDefinition)) {
        this.#conditions++
        continue
      }
      const isVariable = nodeClass === this.#session.library.NodeClass.Variable
      const found = { nodeId, path: [...parent.path, browseName.name ?? ''], isVariable }
      if (isVariable) this.#variables.push(found)
      fresh.push(found)
    }
    return fresh
  }

  async #browse(parents: readonly Found[]): Promise<readonly (readonly ReferenceDescription[])[]> {
    const { library, client } = this.#session
    const asked = parents.map(({ nodeId }) => ({
      nodeId,
      browseDirection: library.BrowseDirection.Forward,
      referenceTypeId: library.coerceNodeId(ids.hierarchical, 0),
      includeSubtypes: true,
      nodeClassMask: library.NodeClass.Object | library.NodeClass.Variable,
      resultMask: resultMask,
    }))
    const results = await this.#answer(client.browse(asked))
    this.#refused += results.filter(({ statusCode }) => statusCode.isBad()).length
    return Promise.all(results.map(result => this.#whole(result)))
  }

  /** All references of a node, over its continuation points. */
  async #whole(first: BrowseResult): Promise<readonly ReferenceDescription[]> {
    const { client } = this.#session
    const references = [...(first.references ?? [])]
    let point = first.continuationPoint
    while (point?.length > 0) {
      const isLast = references.length >= mostReferences || this.#signal.aborted
      const more = await this.#answer(client.browseNext(point, isLast))
      if (isLast) break
      references.push(...(more.references ?? []))
      point = more.continuationPoint
    }
    return references
  }

  #answer<T>(asked: Promise<T>): Promise<T> {
    return within(this.#bounds.timeout, 'browsing', asked, this.#session.lost)
  }
}

/** Reference type, node class, browse name and type definition (OPC 10000-4, 5.9.2). */
const resultMask = 0b10_1101
/** The standard's types of conditions, OPC 10000-6, Annex A. */
const conditionTypes: ReadonlySet<unknown> = new Set([
  2782, 2830, 2881, 2915, 2955, 9341, 9482, 9623, 9764, 9906, 10_060, 10_214, 10_368, 10_523, 10_637, 10_751, 11_753,
  13_225, 17_080, 18_347, 18_496, 19_297,
])

function isCondition(type: NodeId | null | undefined): boolean {
  return type?.namespace === 0 && conditionTypes.has(type.value)
}

function isStandard({ namespace, value }: NodeId, id: number): boolean {
  return namespace === 0 && value === id
}
