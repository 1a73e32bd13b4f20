// Incidents, which finding belongs to which, and what somebody called "not a problem". Written in the transaction of the
// findings, so that the two are always of one moment. Open incidents are in memory; what changed lies over what the file says.

import type { Database, Statement } from 'better-sqlite3'
import type { RuleState } from '../../judge/incidents/common.ts'
import type { Pattern } from '../../judge/incidents/feedback.ts'
import type { Incident } from '../../judge/incidents/incident.ts'
import type { History } from './history.ts'
import { readJson } from './read-json.ts'

/** What became of a finding. */
export interface Mark {
  /** None where it opened none: it is muted, or was called "not a problem". */
  readonly incident: string | null
  /** The mute that it fell under. */
  readonly muted: string | null
  /** The feedback that it fell under. */
  readonly lowered: string | null
  readonly until: number | null
}

/** "Not a problem": said of an incident or of a finding, whose id it has. */
export interface Feedback {
  readonly id: string
  readonly about: 'incident' | 'finding'
  readonly at: number
  readonly note: string
  readonly patterns: readonly Pattern[]
}

export interface IncidentSelector {
  /** Only open ones, only those that are over, or both. */
  readonly open?: boolean
  readonly limit: number
}

interface StoredMark extends Mark {
  readonly key: string
}

interface StoredIncident {
  readonly id: string
  readonly first: number
  readonly ended: number | null
  readonly part: number
  readonly data: string
}

export const incidentSchema = `
  CREATE TABLE IF NOT EXISTS incident (
    id TEXT PRIMARY KEY, first REAL NOT NULL, ended REAL, part INTEGER NOT NULL, data TEXT NOT NULL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS incident_first ON incident (first);
  CREATE TABLE IF NOT EXISTS incident_finding (
    key TEXT PRIMARY KEY, incident TEXT, muted TEXT, lowered TEXT, until REAL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS incident_finding_incident ON incident_finding (incident);
  CREATE INDEX IF NOT EXISTS incident_finding_until ON incident_finding (until);
  CREATE TABLE IF NOT EXISTS incident_rule (rule TEXT PRIMARY KEY, at REAL NOT NULL, data TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS feedback (id TEXT PRIMARY KEY, at REAL NOT NULL, data TEXT NOT NULL) WITHOUT ROWID;
`

type Change<T> = Map<string, T | undefined>

export class IncidentTables {
  readonly #db: Database
  readonly #file: Pick<History, 'guard' | 'spare'>
  readonly #open = new Map<string, Incident>()
  readonly #feedback = new Map<string, Feedback>()
  // Since the last write; undefined is gone.
  #incidents = new Map<string, Incident>()
  #marks = new Map<string, Mark>()
  #moves: { readonly part: string; readonly whole: string }[] = []
  #rules = new Map<string, { readonly at: number; readonly state: RuleState }>()
  #told: Change<Feedback> = new Map()
  /** Whose marks go with the next fold. */
  #going = new Set<string>()
  readonly #getMark: Statement<[string], StoredMark>
  readonly #getIncident: Statement<[string], StoredIncident>

  constructor(db: Database, file: Pick<History, 'guard' | 'spare'>) {
    db.exec(incidentSchema)
    this.#db = db
    this.#file = file
    this.#getMark = db.prepare('SELECT * FROM incident_finding WHERE key = ?')
    this.#getIncident = db.prepare('SELECT * FROM incident WHERE id = ?')
    for (const one of db.prepare<[], StoredIncident>('SELECT * FROM incident WHERE ended IS NULL').iterate())
      for (const incident of toIncident(one)) this.#open.set(one.id, incident)
    for (const { data } of db.prepare<[], { data: string }>('SELECT data FROM feedback').iterate()) {
      const feedback = readJson(data) as Feedback | undefined
      if (feedback !== undefined) this.#feedback.set(feedback.id, feedback)
    }
  }

  get isChanged(): boolean {
    return this.#incidents.size + this.#marks.size + this.#told.size > 0
  }

  /** It may change further until it is written. */
  put(incident: Incident): void {
    this.#incidents.set(incident.id, incident)
    if (isOpen(incident)) this.#open.set(incident.id, incident)
    else this.#open.delete(incident.id)
  }

  get(id: string): Incident | undefined {
    const known = this.#incidents.get(id) ?? this.#open.get(id)
    if (known !== undefined) return known
    const stored = this.#file.spare(() => this.#getIncident.get(id))
    return stored && toIncident(stored)[0]
  }

  /** Open ones first, then those that began last; parts of others are not among them. */
  find({ open, limit }: IncidentSelector): readonly Incident[] {
    const opened = open === false ? [] : [...this.#open.values()]
    const over = open === true ? [] : this.#over(limit)
    return [...opened.sort(newestFirst), ...over].slice(0, limit)
  }

  openCount(): number {
    return this.#open.size
  }

  #over(limit: number): readonly Incident[] {
    const changed = [...this.#incidents.values()].filter(i => !isOpen(i) && i.into === null)
    const sql = 'SELECT * FROM incident WHERE ended IS NOT NULL AND part = 0 ORDER BY first DESC LIMIT ?'
    const most = limit + this.#incidents.size
    const stored = this.#file.guard(() => this.#db.prepare<[number], StoredIncident>(sql).all(most))
    const others = stored.filter(({ id }) => !this.#incidents.has(id)).flatMap(toIncident)
    return [...changed, ...others].sort(newestFirst)
  }

  mark(key: string, mark: Mark): void {
    this.#marks.set(key, mark)
    this.#going.delete(key)
  }

  /** Its mark goes once what told of it is folded; before that a replay after a crash tells of it again. */
  unmarkFolded(key: string): void {
    this.#going.add(key)
  }

  marked(key: string): Mark | undefined {
    const known = this.#marks.get(key)
    if (known !== undefined) return known
    const stored = this.#file.spare(() => this.#getMark.get(key))
    return stored && this.#moved(stored)
  }

  /** All that belongs to `part` belongs to `whole` from now on. */
  move(part: string, whole: string): void {
    this.#moves.push({ part, whole })
    for (const [key, mark] of this.#marks)
      if (mark.incident === part) this.#marks.set(key, { ...mark, incident: whole })
  }

  /** Findings that belong to an incident, at most so many. */
  findingsOf(incident: string, limit: number): readonly (Mark & { readonly key: string })[] {
    const parts = this.#moves.map(({ part }) => part).filter(part => this.#whole(part) === incident)
    const ids = [...new Set([incident, ...parts])]
    const sql = `SELECT * FROM incident_finding WHERE incident IN (${ids.map(() => '?').join()}) LIMIT ${limit}`
    const stored = this.#file.guard(() => this.#db.prepare<string[], StoredMark>(sql).all(...ids))
    const fresh = [...this.#marks].flatMap(([key, mark]) => (mark.incident === incident ? [{ ...mark, key }] : []))
    const others = stored.filter(({ key }) => !this.#marks.has(key)).map(one => this.#moved(one))
    return [...fresh, ...others].slice(0, limit)
  }

  #moved(stored: StoredMark): StoredMark {
    return { ...stored, incident: stored.incident === null ? null : this.#whole(stored.incident) }
  }

  /** The incident that another became a part of since the last write, in whatever steps. */
  #whole(incident: string): string {
    let whole = incident
    for (const move of this.#moves) if (whole === move.part) whole = move.whole
    return whole
  }

  rule(rule: string, at: number, state: RuleState): void {
    this.#rules.set(rule, { at, state })
  }

  feedback(): readonly Feedback[] {
    return [...this.#feedback.values()].sort((a, b) => b.at - a.at)
  }

  feedbackOn(id: string): Feedback | undefined {
    return this.#feedback.get(id)
  }

  tellFeedback(feedback: Feedback): void {
    this.#feedback.set(feedback.id, feedback)
    this.#told.set(feedback.id, feedback)
  }

  dropFeedback(id: string): void {
    this.#feedback.delete(id)
    this.#told.set(id, undefined)
  }

  /** For whoever goes on after a restart: incidents that are over, findings that ended, the states of rules; the newest. */
  lately(incidents: number, findings: number, rules: number) {
    const ended = 'SELECT * FROM incident_finding WHERE until IS NOT NULL ORDER BY until DESC LIMIT ?'
    const states = 'SELECT rule, data FROM incident_rule ORDER BY at DESC LIMIT ?'
    const found = this.#db.prepare<[number], { rule: string; data: string }>(states).all(rules)
    const read = found.map(({ rule, data }) => [rule, readJson(data) as RuleState | undefined] as const)
    return {
      over: this.#over(incidents),
      ended: this.#db.prepare<[number], StoredMark>(ended).all(findings).toReversed(),
      rules: Object.fromEntries(read.filter(([, state]) => state !== undefined).toReversed()) as Record<
        string,
        RuleState
      >,
    }
  }

  write(): void {
    const db = this.#db
    const move = db.prepare('UPDATE incident_finding SET incident = ? WHERE incident = ?')
    for (const { part, whole } of this.#moves) move.run(whole, part)
    const mark = db.prepare('INSERT OR REPLACE INTO incident_finding VALUES (?, ?, ?, ?, ?)')
    for (const [key, { incident, muted, lowered, until }] of this.#marks) mark.run(key, incident, muted, lowered, until)
    const put = db.prepare('INSERT OR REPLACE INTO incident VALUES (@id, @first, @ended, @part, @data)')
    for (const incident of this.#incidents.values()) put.run(toStored(incident))
    const rule = db.prepare('INSERT OR REPLACE INTO incident_rule VALUES (?, ?, ?)')
    for (const [name, { at, state }] of this.#rules) rule.run(name, at, JSON.stringify(state))
    this.#writeFeedback()
  }

  #writeFeedback(): void {
    const put = this.#db.prepare('INSERT OR REPLACE INTO feedback VALUES (?, ?, ?)')
    const drop = this.#db.prepare('DELETE FROM feedback WHERE id = ?')
    for (const [id, told] of this.#told) {
      if (told === undefined) drop.run(id)
      else put.run(id, told.at, JSON.stringify(told))
    }
  }

  written(): void {
    this.#incidents = new Map()
    this.#marks = new Map()
    this.#moves = []
    this.#rules = new Map()
    this.#told = new Map()
  }

  /** In the transaction that folds, after `write`. */
  unmark(): void {
    const unmark = this.#db.prepare('DELETE FROM incident_finding WHERE key = ?')
    for (const key of this.#going) unmark.run(key)
  }

  /** After its commit. */
  unmarked(): void {
    this.#going = new Set()
  }

  /** Open incidents stay, and so does feedback. */
  retain(before: number): void {
    this.#db.prepare('DELETE FROM incident WHERE ended < ?').run(before)
    this.#db.prepare('DELETE FROM incident_finding WHERE until < ?').run(before)
    this.#db.prepare('DELETE FROM incident_rule WHERE at < ?').run(before)
  }
}

export function isOpen({ open, into }: Incident): boolean {
  return open > 0 && into === null
}

function newestFirst(a: Incident, b: Incident): number {
  return b.first - a.first || (a.id < b.id ? -1 : 1)
}

function toStored(incident: Incident): StoredIncident {
  const { id, first, ended, into } = incident
  const over = isOpen(incident) ? null : ended
  return { id, first, ended: over, part: into === null ? 0 : 1, data: JSON.stringify(incident) }
}

/** None where damage made it something else. */
function toIncident({ data }: StoredIncident): readonly Incident[] {
  const incident = readJson(data) as Incident | undefined
  return incident === undefined ? [] : [incident]
}
