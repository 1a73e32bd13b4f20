// The nodes the collector has heard of, all in memory: a fleet is at most some ten thousand.

import type { Database, Statement } from 'better-sqlite3'
import type { Attributes } from '../../core/model.ts'
import { readJson } from './read-json.ts'

export interface NodeRecord {
  readonly name: string
  readonly firstSeen: number
  /** When something last came, by the collector's clock. */
  lastSeen: number
  /** Time of the newest sample or event of what last came, by the node's own clock. */
  lastTime: number
  /** The resource attributes as last told. */
  attributes: Attributes
  /** Samples stored. */
  samples: number
  events: number
  /** Samples stored that were older than one of their series already there. */
  late: number
  /** Samples left out: dated unbelievably, or of a series beyond the node's limit. */
  rejected: number
  /** Envelopes refused for ever, or not readable. */
  refused: number
  /** Envelopes the edge gave up. */
  gaps: number
}

type Stored = Omit<NodeRecord, 'attributes'> & { attributes: string }

export const nodeSchema = `CREATE TABLE IF NOT EXISTS node (
  name TEXT PRIMARY KEY, firstSeen REAL NOT NULL, lastSeen REAL NOT NULL, lastTime REAL NOT NULL,
  attributes TEXT NOT NULL, samples INTEGER NOT NULL, events INTEGER NOT NULL, late INTEGER NOT NULL,
  rejected INTEGER NOT NULL, refused INTEGER NOT NULL, gaps INTEGER NOT NULL) WITHOUT ROWID`

export class Nodes {
  readonly #known = new Map<string, NodeRecord>()
  readonly #changed = new Set<NodeRecord>()
  readonly #put: Statement<[Stored]>
  readonly #drop: Statement<[number]>

  constructor(db: Database) {
    db.exec(nodeSchema)
    this.#put = db.prepare(`INSERT OR REPLACE INTO node VALUES (@name, @firstSeen, @lastSeen, @lastTime, @attributes,
      @samples, @events, @late, @rejected, @refused, @gaps)`)
    this.#drop = db.prepare('DELETE FROM node WHERE lastSeen < ?')
    for (const { attributes, ...rest } of db.prepare<[], Stored>('SELECT * FROM node').iterate()) {
      this.#known.set(rest.name, { ...rest, attributes: attributesOf(attributes) })
    }
  }

  all(): readonly NodeRecord[] {
    return [...this.#known.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  get(name: string): NodeRecord | undefined {
    return this.#known.get(name)
  }

  touch(name: string, received: number): NodeRecord {
    const known = this.#known.get(name)
    const node = known ?? blank(name, received)
    if (known === undefined) this.#known.set(name, node)
    node.lastSeen = received
    this.#changed.add(node)
    return node
  }

  describe(node: NodeRecord, attributes: Attributes): void {
    node.attributes = attributes
    this.#changed.add(node)
  }

  write(): void {
    for (const node of this.#changed) this.#put.run({ ...node, attributes: JSON.stringify(node.attributes) })
  }

  written(): void {
    this.#changed.clear()
  }

  silentSince(before: number): readonly string[] {
    return [...this.#known.values()].filter(node => node.lastSeen < before).map(node => node.name)
  }

  retain(before: number): void {
    this.#drop.run(before)
  }

  /** After the commit of `retain`. */
  forget(before: number): void {
    for (const [name, node] of this.#known) {
      if (node.lastSeen >= before) continue
      this.#known.delete(name)
      this.#changed.delete(node)
    }
  }
}

/** Damaged ones are told again by the node. */
function attributesOf(text: string): Attributes {
  return (readJson(text) ?? {}) as Attributes
}

function blank(name: string, received: number): NodeRecord {
  const counts = { samples: 0, events: 0, late: 0, rejected: 0, refused: 0, gaps: 0 }
  return { name, firstSeen: received, lastSeen: received, lastTime: 0, attributes: {}, ...counts }
}
