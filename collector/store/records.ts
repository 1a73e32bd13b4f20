// What the collector knows beside samples: nodes, events, findings and incidents, how far each stream is folded, and what
// could not be read. Tables in history.db, so that they are written in the transaction that folds history.
//
// Behaviour: what changes is kept in memory at once, for whoever looks, and in the file with the next `write`. A crash
// in between forgets it here, and the replay of the inbox brings it again: findings and nodes are therefore upserted
// under stable keys. `written` is called only after the commit; a write that failed is simply repeated.

import type { Database } from 'better-sqlite3'
import type { Attributes, Event, Finding } from '../../core/model.ts'
import type { History } from './history.ts'
import { type EventRecord, type EventSelector, Events, eventSchema } from './records-events.ts'
import { type FindingSelector, Findings, findingSchema } from './records-findings.ts'
import { IncidentTables, incidentSchema } from './records-incidents.ts'
import { type Mark, Marks, markSchema } from './records-marks.ts'
import { type NodeRecord, Nodes, nodeSchema } from './records-nodes.ts'
import { Poison, type PoisonRecord, poisonSchema } from './records-poison.ts'

export { type EventRecord, type EventSelector, mostEventBytes } from './records-events.ts'
export { type FindingSelector, findingKey } from './records-findings.ts'
export type { Mark } from './records-marks.ts'
export type { NodeRecord } from './records-nodes.ts'
export type { PoisonRecord } from './records-poison.ts'

/** The statements that make the tables. */
export const recordSchemas = [nodeSchema, eventSchema, findingSchema, markSchema, poisonSchema, incidentSchema]

export type RecordChange =
  | { readonly kind: 'finding'; readonly finding: Finding }
  | { readonly kind: 'event'; readonly event: EventRecord }

export interface RecordsOptions {
  /** history.db, opened by the history. */
  readonly db: Database
  /** What is asked of the file outside of a fold goes through these, so that damage is noticed. */
  readonly file?: Pick<History, 'guard' | 'spare'>
  /** Told of each finding that is opened, changed or closed, and of each event. */
  readonly changed?: (change: RecordChange) => void
}

export class Records {
  readonly #db: Database
  readonly #nodes: Nodes
  readonly #events: Events
  readonly #findings: Findings
  readonly #marks: Marks
  readonly #poison: Poison
  readonly incidents: IncidentTables
  readonly #file: Pick<History, 'guard' | 'spare'>
  readonly #changed: (change: RecordChange) => void

  constructor({ db, file = { guard: work => work(), spare: work => work() }, changed = () => {} }: RecordsOptions) {
    this.#db = db
    this.#file = file
    this.#nodes = new Nodes(db)
    this.#events = new Events(db)
    this.#findings = new Findings(db)
    this.#marks = new Marks(db)
    this.#poison = new Poison(db)
    this.incidents = new IncidentTables(db, file)
    this.#changed = changed
  }

  /** By name. */
  nodes(): readonly NodeRecord[] {
    return this.#nodes.all()
  }

  node(name: string): NodeRecord | undefined {
    return this.#nodes.get(name)
  }

  /** The record of a node that something came from, to be changed in place. */
  touch(name: string, received: number): NodeRecord {
    return this.#nodes.touch(name, received)
  }

  describe(node: NodeRecord, attributes: Attributes): void {
    this.#nodes.describe(node, attributes)
  }

  /** False if it is too large to be kept. */
  event(node: string, event: Event): boolean {
    const record = { ...event, node }
    if (!this.#events.add(record)) return false
    this.#changed({ kind: 'event', event: record })
    return true
  }

  /** The newest first. */
  events(selector: EventSelector): readonly EventRecord[] {
    return this.#file.guard(() => this.#events.find(selector))
  }

  /** Opens, changes or closes: the same (rule, subject, since) is the same finding. */
  finding(finding: Finding): void {
    if (this.#file.spare(() => this.#findings.put(finding)) !== false) this.#changed({ kind: 'finding', finding })
  }

  /** Open ones first, then the newest `since` first. */
  findings(selector: FindingSelector): readonly Finding[] {
    return this.#file.guard(() => this.#findings.find(selector))
  }

  /** The finding of a key, open or not. */
  known(key: string): Finding | undefined {
    return this.#file.spare(() => this.#findings.known(key))
  }

  openFindings(): readonly Finding[] {
    return this.#findings.open()
  }

  /** How many are open, of a node or of all. */
  openCount(node?: string): number {
    return this.#findings.openCount(node)
  }

  /** How far the streams are folded, in case the inbox loses its own watermarks. */
  marks(): readonly Mark[] {
    return this.#file.guard(() => this.#marks.all())
  }

  mark(mark: Mark): void {
    this.#marks.put(mark)
  }

  /** Sets aside what could not be read. */
  poison(record: PoisonRecord): void {
    this.#poison.add(record)
  }

  poisoned(limit: number): readonly PoisonRecord[] {
    return this.#file.guard(() => this.#poison.newest(limit))
  }

  /** Things that the next write will put into the file. */
  get unwritten(): number {
    return this.#events.unwritten + this.#poison.unwritten
  }

  /** Or incidents. */
  get hasNewFindings(): boolean {
    return this.#findings.isChanged || this.incidents.isChanged
  }

  /** Within the transaction that folds. */
  write(): void {
    for (const part of this.#parts()) part.write()
    this.incidents.unmark()
  }

  /** After its commit. */
  written(): void {
    for (const part of this.#parts()) part.written()
    this.incidents.unmarked()
  }

  /**
   * Writes changed findings and incidents alone, in their own transaction: nobody should wait for the next fold to have
   * them on disk.
   * A crash before the next fold replays the samples they came from, and upserts the same ones.
   */
  writeFindings(): void {
    const parts = [this.#findings, this.incidents]
    const write = (): void => {
      for (const part of parts) part.write()
    }
    this.#file.guard(() => this.#db.transaction(write).immediate())
    for (const part of parts) part.written()
  }

  /** Forgets what is older than `before`; open findings stay, except those of a node that is forgotten. */
  retain(before: number): void {
    for (const name of this.#nodes.silentSince(before)) {
      for (const finding of this.#findings.open()) {
        if (finding.subject.node === name) this.finding({ ...finding, until: before })
      }
    }
    const work = this.#db.transaction(() => {
      this.#nodes.retain(before)
      this.#events.retain(before)
      this.#findings.retain(before)
      this.incidents.retain(before)
      this.#marks.retain(before)
    })
    this.#file.guard(() => work.immediate())
    this.#nodes.forget(before)
  }

  #parts(): readonly { write(): void; written(): void }[] {
    return [this.#nodes, this.#events, this.#findings, this.incidents, this.#marks, this.#poison]
  }
}
