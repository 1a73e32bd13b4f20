// Which of the configured nodes the server has. What it does not know is told by name, once, and looked for again and
// again; the others go on.

import type { NodeId } from 'node-opcua-client'
import { reason } from '../../core/errors.ts'
import type { Say } from '../../core/log.ts'
import type { Event } from '../../core/model.ts'
import { Enumerations } from './enumerations.ts'
import type { Tracked } from './nodes.ts'
import type { Session } from './session.ts'

export interface Candidate {
  readonly node: Tracked
  readonly nodeId: NodeId
}

/** Tries candidates: for each the status in words where the server does not have it, else undefined. */
export type Attempt = (candidates: readonly Candidate[]) => Promise<readonly (string | undefined)[]>

const namesALine = 5

export class Finder {
  readonly #nodes: readonly Tracked[]
  readonly #source: string
  readonly #say: Say
  /** Told as absent, with the status. */
  readonly #absent = new Map<Tracked, string>()

  constructor(nodes: readonly Tracked[], source: string, say: Say) {
    this.#nodes = nodes
    this.#source = source
    this.#say = say
  }

  get absent(): number {
    return this.#absent.size
  }

  /** Tries all nodes that are not known to be there; the events that tell what changed. */
  async look(session: Session, timeout: number, now: number, attempt: Attempt): Promise<readonly Event[]> {
    const missing = this.#nodes.filter(({ nodeId }) => nodeId === undefined)
    if (missing.length === 0) return []
    const outcome = new Map<Tracked, string>()
    const candidates: Candidate[] = []
    for (const node of missing) {
      try {
        candidates.push({ node, nodeId: session.nodeId(node.options.node) })
      } catch (error) {
        outcome.set(node, reason(error))
      }
    }
    await new Enumerations(session, timeout).name(candidates)
    const statuses = await attempt(candidates)
    for (const [n, { node, nodeId }] of candidates.entries()) {
      const status = statuses[n]
      if (status === undefined) node.nodeId = nodeId
      else outcome.set(node, status)
    }
    return [...this.#lost(outcome, now), ...this.#found(missing, outcome, now)]
  }

  #lost(outcome: ReadonlyMap<Tracked, string>, now: number): readonly Event[] {
    const fresh = [...outcome].filter(([node, status]) => this.#absent.get(node) !== status)
    for (const [node, status] of fresh) this.#absent.set(node, status)
    if (fresh.length > 0) this.#tell('warning', 'has no', fresh)
    return fresh.map(([node, status]) => this.#event(node, 'opcua.node.unknown', status, now))
  }

  #found(missing: readonly Tracked[], outcome: ReadonlyMap<Tracked, string>, now: number): readonly Event[] {
    const found = missing.filter(node => !outcome.has(node) && this.#absent.delete(node))
    if (found.length > 0)
      this.#tell(
        'info',
        'has now',
        found.map(node => [node, 'Good']),
      )
    return found.map(node => this.#event(node, 'opcua.node.found', 'Good', now))
  }

  #tell(level: 'info' | 'warning', verb: string, nodes: readonly (readonly [Tracked, string])[]): void {
    const some = nodes
      .slice(0, namesALine)
      .map(([{ options }, status]) => `${options.name} (${options.node}: ${status})`)
    const more = nodes.length > namesALine ? ` and ${nodes.length - namesALine} more` : ''
    this.#say(level, `source ${this.#source}: the server ${verb} ${some.join(', ')}${more}`, { source: this.#source })
  }

  #event({ options }: Tracked, name: string, status: string, time: number): Event {
    const attributes = { source: this.#source, node: options.name, ...options.attributes }
    const severity = name === 'opcua.node.unknown' ? 'warning' : 'info'
    return { name, time, severity, body: { node: options.node, status }, attributes }
  }
}
