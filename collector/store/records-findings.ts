// Findings: open ones in memory, all of them in the file. Those changed since the last write lie over what the file says.

import type { Database, Statement } from 'better-sqlite3'
import type { Finding, Series, Severity, Subject } from '../../core/model.ts'
import { readJson } from './read-json.ts'

export interface FindingSelector {
  /** Only open ones, only closed ones, or both. */
  readonly open?: boolean
  readonly node?: string
  /** Those that lasted into [from, to). */
  readonly from?: number
  readonly to?: number
  readonly limit: number
}

interface Stored {
  readonly key: string
  readonly rule: string
  readonly kind: string
  readonly node: string
  readonly series: string | null
  readonly severity: string
  readonly since: number
  readonly until: number | null
  readonly message: string
  readonly evidence: string
}

export const findingSchema = `
  CREATE TABLE IF NOT EXISTS finding (
    key TEXT PRIMARY KEY, rule TEXT NOT NULL, kind TEXT NOT NULL, node TEXT NOT NULL, series TEXT,
    severity TEXT NOT NULL, since REAL NOT NULL, until REAL, message TEXT NOT NULL, evidence TEXT NOT NULL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS finding_since ON finding (since);
  CREATE INDEX IF NOT EXISTS finding_node ON finding (node, since);
  CREATE INDEX IF NOT EXISTS finding_open ON finding (key) WHERE until IS NULL;
`

/** What makes two tellings the same finding. */
export function findingKey({ rule, subject, since }: Pick<Finding, 'rule' | 'subject' | 'since'>): string {
  const { node, series } = subject
  return JSON.stringify([rule, node, series === undefined ? null : seriesKey(series), since])
}

function seriesKey({ name, unit, kind, attributes }: Series): readonly unknown[] {
  const sorted = Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1))
  return [name, unit, kind, sorted]
}

export class Findings {
  readonly #db: Database
  readonly #put: Statement<[Stored]>
  readonly #get: Statement<[string], Stored>
  readonly #drop: Statement<[number]>
  readonly #open = new Map<string, Finding>()
  #changed = new Map<string, Finding>()

  constructor(db: Database) {
    db.exec(findingSchema)
    this.#db = db
    this.#put = db.prepare(`INSERT OR REPLACE INTO finding
      VALUES (@key, @rule, @kind, @node, @series, @severity, @since, @until, @message, @evidence)`)
    this.#get = db.prepare('SELECT * FROM finding WHERE key = ?')
    this.#drop = db.prepare('DELETE FROM finding WHERE until < ?')
    const open = db.prepare<[], Stored>('SELECT * FROM finding WHERE until IS NULL')
    for (const stored of open.iterate()) for (const finding of toFinding(stored)) this.#open.set(stored.key, finding)
  }

  get isChanged(): boolean {
    return this.#changed.size > 0
  }

  /** False if it is known just so. */
  put(finding: Finding): boolean {
    const key = findingKey(finding)
    const known = this.known(key)
    if (known !== undefined && isSame(known, finding)) return false
    this.#changed.set(key, finding)
    if (finding.until === undefined) this.#open.set(key, finding)
    else this.#open.delete(key)
    return true
  }

  known(key: string): Finding | undefined {
    const known = this.#changed.get(key) ?? this.#open.get(key)
    if (known !== undefined) return known
    const stored = this.#get.get(key)
    return stored && toFinding(stored)[0]
  }

  open(): readonly Finding[] {
    return [...this.#open.values()]
  }

  openCount(node?: string): number {
    if (node === undefined) return this.#open.size
    let count = 0
    for (const { subject } of this.#open.values()) if (subject.node === node) count++
    return count
  }

  find(selector: FindingSelector): readonly Finding[] {
    const { open, limit } = selector
    const opened = open === false ? [] : this.open().filter(f => fits(f, selector))
    const closed = open === true ? [] : this.#closed(selector)
    return [...opened.sort(newestFirst), ...closed].slice(0, limit)
  }

  #closed(selector: FindingSelector): readonly Finding[] {
    const changed = [...this.#changed.values()].filter(f => f.until !== undefined && fits(f, selector))
    const stored = this.#findStored(selector).filter(({ key }) => !this.#changed.has(key) && !this.#open.has(key))
    return [...changed, ...stored.flatMap(toFinding)].sort(newestFirst)
  }

  #findStored({ node, from = 0, to = Number.MAX_SAFE_INTEGER, limit }: FindingSelector): readonly Stored[] {
    const where = node === undefined ? '' : 'node = @node AND'
    const sql = `SELECT * FROM finding WHERE ${where} until >= @from AND since < @to ORDER BY since DESC LIMIT @limit`
    // As many more as could turn out to be changed since.
    const most = limit + this.#changed.size
    const named = node === undefined ? {} : { node }
    return this.#db.prepare<[unknown], Stored>(sql).all({ ...named, from, to, limit: most })
  }

  write(): void {
    for (const [key, finding] of this.#changed) this.#put.run(toStored(key, finding))
  }

  written(): void {
    this.#changed = new Map()
  }

  /** Open ones stay. */
  retain(before: number): void {
    this.#drop.run(before)
  }
}

function fits({ subject, since, until }: Finding, selector: FindingSelector): boolean {
  const { node, from = 0, to = Number.POSITIVE_INFINITY } = selector
  return (node === undefined || subject.node === node) && (until ?? Number.POSITIVE_INFINITY) >= from && since < to
}

function newestFirst(a: Finding, b: Finding): number {
  return b.since - a.since
}

function isSame(a: Finding, b: Finding): boolean {
  return JSON.stringify(toStored('', a)) === JSON.stringify(toStored('', b))
}

function toStored(key: string, { rule, kind, subject, severity, since, until, message, evidence }: Finding): Stored {
  const series = subject.series === undefined ? null : JSON.stringify(subject.series)
  const what = { key, rule, kind, node: subject.node, series, severity }
  return { ...what, since, until: until ?? null, message, evidence: JSON.stringify(evidence) }
}

/** None where damage made it something else. */
function toFinding({ rule, kind, node, series, severity, since, until, message, evidence }: Stored): Finding[] {
  const about = series === null ? null : (readJson(series) as Series | undefined)
  const numbers = readJson(evidence) as Finding['evidence'] | undefined
  if (about === undefined || numbers === undefined) return []
  const subject: Subject = about === null ? { node } : { node, series: about }
  const ended = until === null ? {} : { until }
  return [{ rule, kind, subject, severity: severity as Severity, since, ...ended, message, evidence: numbers }]
}
