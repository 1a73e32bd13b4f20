// Makes incidents of findings: hands each to the grouping once, keeps what comes out beside it in the records, and knows
// what is muted and what was called "not a problem".
//
// Constraints
// - Called for each finding that is opened, changed or closed, before it is written: both go into the same transaction. A
//   replay after a crash tells the same findings again; what is marked is not taken twice.
// - What comes out follows from the findings and their order. The clock decides only when a mute is over.

import { Refused } from '../core/errors.ts'
import type { Finding } from '../core/model.ts'
import { fits, type Pattern, patternsOf } from '../judge/incidents/feedback.ts'
import type { Report } from '../judge/incidents/incident.ts'
import { type Mute, type Muting, muting } from '../judge/incidents/mutes.ts'
import { type Where, whereOf } from '../judge/incidents/place.ts'
import { Grouping } from '../judge/incidents.ts'
import { findingId, fromKey, incidentId, sameOf } from './finding-ids.ts'
import { findingKey, type Records } from './store/records.ts'
import type { Feedback, Mark } from './store/records-incidents.ts'

export interface IncidentsOptions {
  readonly records: Records
  readonly mutes: readonly Mute[]
  /** Told of a finding that is marked otherwise than before, though it is the same. */
  readonly marked?: (finding: Finding) => void
}

/** What of an earlier run may go on. */
const restored = { incidents: 2000, findings: 10_000, rules: 2000 } as const
/** Findings of one incident whose belonging is kept once they are over. */
export const mostKept = 1000
const mostFeedback = 1000
const mostPatterns = 200

export class Incidents {
  readonly #records: Records
  readonly #muting: Muting
  readonly #marked: (finding: Finding) => void
  readonly #grouping = new Grouping()
  /** Open findings that are muted, by key. */
  readonly #muted = new Map<string, Finding>()
  /** By rule. */
  #patterns = new Map<string, { readonly feedback: string; readonly pattern: Pattern }[]>()
  #changed = new Set<string>()

  constructor({ records, mutes, marked = () => {} }: IncidentsOptions) {
    this.#records = records
    this.#muting = muting(mutes)
    this.#marked = marked
    this.#readFeedback()
    this.#restore()
  }

  /** A finding that was opened, changed or closed. */
  take(finding: Finding): void {
    const key = findingKey(finding)
    const mark = this.#records.incidents.marked(key)
    if (mark === undefined) this.#takeNew(key, finding)
    else this.#takeKnown(key, finding, mark)
  }

  /** About once a second: what a mute covers no longer is an incident if it goes on. */
  tick(now: number): void {
    for (const [key, finding] of this.#muted) {
      if (this.#muting(this.#reportOf(key, finding), now) !== undefined) continue
      this.#muted.delete(key)
      this.#group(key, finding)
      this.#marked(finding)
    }
  }

  /** Ids of incidents that changed since this was asked last. */
  changed(): readonly string[] {
    const changed = [...this.#changed]
    this.#changed = new Set()
    return changed
  }

  /** "Not a problem", said of an incident or a finding; on disk when this returns. @throws Refused where it is about too much. */
  notAProblem(
    about: { readonly incident: string } | { readonly finding: string },
    note: string,
    now: number,
  ): Feedback {
    const isIncident = 'incident' in about
    const id = isIncident ? about.incident : about.finding
    const findings = isIncident ? this.#findingsOf(id) : this.#findingOf(id)
    const judged = findings.map(({ key, finding }) => this.#reportOf(key, finding))
    const { place } = (isIncident && this.#records.incidents.get(id)) || { place: {} }
    const feedback = {
      id,
      about: isIncident ? 'incident' : 'finding',
      at: now,
      note,
      patterns: patternsOf(judged, place),
    } as const
    this.#check(feedback)
    this.#records.incidents.tellFeedback(feedback)
    this.#readFeedback()
    this.#remark(findings, now)
    this.#records.writeFindings()
    return feedback
  }

  /** On disk when this returns; false if there is no such feedback. */
  takeBack(id: string, now: number): boolean {
    const known = this.#records.incidents.feedbackOn(id)
    if (known === undefined) return false
    this.#records.incidents.dropFeedback(id)
    this.#readFeedback()
    this.#remark(known.about === 'incident' ? this.#findingsOf(id) : this.#findingOf(id), now)
    this.#records.writeFindings()
    return true
  }

  #check({ id, patterns }: Feedback): void {
    if (patterns.length === 0) throw new Refused('none of its findings is known any more')
    if (patterns.length > mostPatterns)
      throw new Refused(
        `it has ${patterns.length} different patterns, more than ${mostPatterns}: say it of single findings`,
      )
    const others = this.#records.incidents.feedback().filter(one => one.id !== id)
    if (others.length >= mostFeedback)
      throw new Refused(`there is feedback on ${mostFeedback} things already; take some of it back`)
  }

  #takeNew(key: string, finding: Finding): void {
    const muted = this.#muting(this.#reportOf(key, finding), finding.since)
    if (muted === undefined) {
      this.#group(key, finding)
      return
    }
    this.#mark(key, finding, { incident: null, muted, lowered: null })
    if (finding.until === undefined) this.#muted.set(key, finding)
  }

  #takeKnown(key: string, finding: Finding, { until, ...mark }: Mark): void {
    if (mark.muted !== null) {
      if (finding.until === undefined) this.#muted.set(key, finding)
      else this.#muted.delete(key)
    }
    const incident = mark.incident === null ? null : this.#tell(key, finding, mark.incident, mark.lowered !== null)
    // What only goes on is told often.
    if (incident !== mark.incident || (finding.until ?? null) !== until) this.#mark(key, finding, { ...mark, incident })
  }

  /** To an incident, or nowhere if it is known for no problem and nothing else is wrong there. */
  #group(key: string, finding: Finding): void {
    const report = this.#reportOf(key, finding)
    const where = this.#whereOf(finding)
    const lowered = this.#lowering(report, where)
    const { incident = null, merged } = this.#grouping.take(report, where, lowered !== null, incidentId(key))
    for (const { part, whole } of merged) {
      this.#note(part)
      this.#records.incidents.move(part, whole)
    }
    this.#noteRules(report)
    if (incident !== null) this.#note(incident)
    this.#mark(key, finding, { incident, muted: null, lowered })
  }

  #tell(key: string, finding: Finding, incident: string, lowered: boolean): string {
    if (this.#grouping.get(incident) === undefined) this.#recall(incident)
    const told = this.#grouping.tell(this.#reportOf(key, finding), incident, lowered)
    if (told !== undefined) this.#note(told)
    return told ?? incident
  }

  /** An incident that was over for long, or gone with damage. */
  #recall(id: string): void {
    const known = this.#records.incidents.get(id)
    if (known !== undefined) this.#grouping.restore(known)
  }

  #mark(key: string, { until }: Finding, mark: Omit<Mark, 'until'>): void {
    const incident = mark.incident === null ? undefined : this.#grouping.get(mark.incident)
    const isBeyond =
      until !== undefined && mark.muted === null && incident !== undefined && incident.findings > mostKept
    const isKept = !isBeyond || incident.leads.some(lead => lead.key === key)
    this.#records.incidents.mark(key, { ...mark, until: until ?? null })
    if (!isKept) this.#records.incidents.unmarkFolded(key)
  }

  #note(id: string): void {
    const incident = this.#grouping.get(id)
    if (incident === undefined) return
    this.#records.incidents.put(incident)
    this.#changed.add(id)
  }

  #noteRules(report: Report): void {
    for (const [rule, state] of this.#grouping.rulesOf(report)) this.#records.incidents.rule(rule, report.since, state)
  }

  #readFeedback(): void {
    const all = this.#records.incidents.feedback()
    const patterns = all.flatMap(({ id, patterns }) => patterns.map(pattern => ({ feedback: id, pattern })))
    this.#patterns = Map.groupBy(patterns, ({ pattern }) => pattern.rule)
  }

  /** The feedback that it falls under. */
  #lowering(report: Report, where: Where): string | null {
    return this.#patterns.get(report.rule)?.find(({ pattern }) => fits(pattern, report, where))?.feedback ?? null
  }

  /** Asks anew of everything open, and of `also`, whether it falls under feedback. */
  #remark(also: readonly Keyed[], now: number): void {
    const open = this.#records.openFindings().map(finding => ({ key: findingKey(finding), finding }))
    for (const { key, finding } of new Map([...open, ...also].map(one => [one.key, one])).values()) {
      const mark = this.#records.incidents.marked(key)
      if (mark === undefined || mark.muted !== null) continue
      const report = this.#reportOf(key, finding)
      const lowered = this.#lowering(report, this.#whereOf(finding))
      if (lowered === mark.lowered) continue
      if (mark.incident === null && lowered === null && finding.until === undefined) this.#group(key, finding)
      else this.#relabel(key, finding, { ...mark, lowered }, mark.lowered !== null, now)
      this.#marked(finding)
    }
  }

  #relabel(key: string, finding: Finding, { until: _, ...mark }: Mark, was: boolean, now: number): void {
    const is = mark.lowered !== null
    if (mark.incident !== null && is !== was) {
      if (this.#grouping.get(mark.incident) === undefined) this.#recall(mark.incident)
      this.#grouping.lower(this.#reportOf(key, finding), mark.incident, is, now)
      this.#note(mark.incident)
    }
    this.#mark(key, finding, mark)
  }

  #findingsOf(incident: string): readonly Keyed[] {
    return this.#records.incidents.findingsOf(incident, mostKept).flatMap(({ key }) => {
      const finding = this.#records.known(key)
      return finding === undefined ? [] : [{ key, finding }]
    })
  }

  #findingOf(id: string): readonly Keyed[] {
    const found = this.#records.findings({ limit: restored.findings }).find(one => findingId(findingKey(one)) === id)
    return found === undefined ? [] : [{ key: findingKey(found), finding: found }]
  }

  #reportOf(key: string, { rule, kind, subject, severity, since, until }: Finding): Report {
    const { node, series } = subject
    const ended = until === undefined ? {} : { until }
    return { key, same: sameOf(key), rule, kind, node, metric: series?.name ?? null, severity, since, ...ended }
  }

  #whereOf({ subject: { node, series } }: Pick<Finding, 'subject'>): Where {
    return whereOf(node, this.#records.node(node)?.attributes ?? {}, series?.attributes)
  }

  #restore(): void {
    const { incidents } = this.#records
    const { over, ended, rules } = incidents.lately(restored.incidents, restored.findings, restored.rules)
    const open = incidents.find({ open: true, limit: Number.POSITIVE_INFINITY })
    for (const incident of [...over.toReversed(), ...open]) this.#grouping.restore(incident)
    this.#grouping.restoreRules(rules)
    for (const { key, incident, until } of ended) {
      const finding = fromKey(key, until!)
      if (incident !== null && finding !== undefined) this.#remember(key, finding, incident, false)
    }
    const findings = this.#records.openFindings().toSorted((a, b) => a.since - b.since)
    for (const finding of findings) this.#restoreOpen(findingKey(finding), finding)
  }

  #restoreOpen(key: string, finding: Finding): void {
    const mark = this.#records.incidents.marked(key)
    if (mark === undefined) this.#takeNew(key, finding)
    else if (mark.muted !== null) this.#muted.set(key, finding)
    else if (mark.incident !== null) this.#remember(key, finding, mark.incident, mark.lowered !== null)
  }

  #remember(key: string, finding: Finding, incident: string, lowered: boolean): void {
    this.#grouping.remember({ report: this.#reportOf(key, finding), where: this.#whereOf(finding), incident, lowered })
  }
}

interface Keyed {
  readonly key: string
  readonly finding: Finding
}
