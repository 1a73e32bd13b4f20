// What the page knows of the fleet: read once when the feed opens, kept current by its messages.

import { useEffect, useReducer } from 'preact/hooks'
import type { EventAnswer, FindingAnswer, IncidentAnswer, NodeAnswer, Tick, VitalsAnswer } from '../api/answers.ts'
import { read } from './client.ts'
import { keptOf } from './kept.ts'
import { follow } from './live.ts'

export type Link = 'connecting' | 'open' | 'lost'

/** Something to read out: the latest only. */
export type Said =
  | { readonly kind: 'link'; readonly link: Link }
  | { readonly kind: 'node'; readonly node: NodeAnswer }
  | { readonly kind: 'finding'; readonly finding: FindingAnswer }

export interface State {
  readonly link: Link
  /** The collector's time at the last message. */
  readonly time: number
  readonly vitals: VitalsAnswer | undefined
  /** Undefined until read for the first time. */
  readonly nodes: ReadonlyMap<string, NodeAnswer> | undefined
  /** Open ones and those that ended lately, by id. */
  readonly findings: ReadonlyMap<string, FindingAnswer>
  /** Open ones and those that began last, by id; parts of others are not among them. */
  readonly incidents: ReadonlyMap<string, IncidentAnswer>
  /** Those that came since the page opened, the newest first. */
  readonly events: readonly EventAnswer[]
  readonly said: Said | undefined
}

const keptEvents = 200
const keptFindings = 1000
const keptIncidents = 1000

const empty: State = {
  link: 'connecting',
  time: Date.now(),
  vitals: undefined,
  nodes: undefined,
  findings: new Map(),
  incidents: new Map(),
  events: [],
  said: undefined,
}

export class Store {
  #state = empty
  #meanwhile: Tick[] | undefined
  readonly #listeners = new Set<() => void>()

  get state(): State {
    return this.#state
  }

  start(): void {
    follow({
      opened: () => this.#load(),
      tick: tick => this.#tick(tick),
      lost: () => this.#lost(),
    })
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** What comes over the feed meanwhile is newer than what is read: it is applied again afterwards. */
  async #load(): Promise<void> {
    const meanwhile: Tick[] = []
    this.#meanwhile = meanwhile
    const [{ nodes }, { findings }, { incidents }] = await Promise.all([
      read<{ nodes: NodeAnswer[] }>('/api/nodes'),
      read<{ findings: FindingAnswer[] }>('/api/findings'),
      read<{ incidents: IncidentAnswer[] }>('/api/incidents'),
    ])
    const again = this.#state.link === 'lost'
    this.#set({
      link: 'open',
      nodes: new Map(nodes.map(node => [node.name, node])),
      findings: new Map(findings.map(finding => [finding.id, finding])),
      incidents: new Map(incidents.map(incident => [incident.id, incident])),
      ...(again && { said: { kind: 'link', link: 'open' } }),
    })
    for (const tick of meanwhile) this.#set(applied(this.#state, tick))
    this.#meanwhile = undefined
  }

  #tick(tick: Tick): void {
    this.#meanwhile?.push(tick)
    this.#set(applied(this.#state, tick))
  }

  #lost(): void {
    if (this.#state.link !== 'lost') this.#set({ link: 'lost', said: { kind: 'link', link: 'lost' } })
  }

  #set(change: Partial<State>): void {
    this.#state = { ...this.#state, ...change }
    for (const listener of this.#listeners) listener()
  }
}

function applied(state: State, { vitals, nodes, findings, incidents, events }: Tick): Partial<State> {
  const said = saidBy(state, nodes, findings)
  return {
    vitals,
    time: vitals.time,
    ...(nodes.length > 0 && state.nodes && { nodes: byName([...state.nodes.values(), ...nodes]) }),
    ...(findings.length > 0 && { findings: keptOf(state.findings, findings, keptFindings) }),
    ...(incidents.length > 0 && { incidents: toldIncidents(state.incidents, incidents) }),
    ...(events.length > 0 && { events: [...events.toReversed(), ...state.events].slice(0, keptEvents) }),
    ...(said && { said }),
  }
}

function toldIncidents(known: State['incidents'], told: readonly IncidentAnswer[]): State['incidents'] {
  const all = keptOf(known, told, keptIncidents)
  for (const { id, into } of told) if (into !== null) all.delete(id)
  return all
}

function byName(nodes: readonly NodeAnswer[]): ReadonlyMap<string, NodeAnswer> {
  return new Map(
    [...new Map(nodes.map(n => [n.name, n]))].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })),
  )
}

function saidBy(state: State, nodes: readonly NodeAnswer[], findings: readonly FindingAnswer[]): Said | undefined {
  const finding = findings.findLast(f => state.findings.get(f.id)?.until !== f.until)
  if (finding) return { kind: 'finding', finding }
  const node = nodes.findLast(n => n.state !== (state.nodes?.get(n.name)?.state ?? n.state))
  return node && { kind: 'node', node }
}

/** The store's state now and whenever it changes. */
export function useStore(store: Store): State {
  const [, refresh] = useReducer((n: number) => n + 1, 0)
  useEffect(() => store.listen(() => refresh(undefined)), [store])
  return store.state
}
