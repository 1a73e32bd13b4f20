// Findings that belong together in time and topology become one incident. Pure: what comes out follows from the findings
// and their order alone; no clock, and times are those of the findings.
//
// A finding belongs to an incident, in this order:
// - the same rule about the same subject, that ended less than `near` ago: it flaps;
// - its host, or the part of it that the series tells (a bed, a line), within `near` of the incident's latest beginning;
// - its place, the narrowest that it tells (a rack, a line, a ward), within `near`; within a `moment` where that place is
//   wide (a site);
// - the same rule on many hosts at the same moment (see incidents/common.ts), wherever they are: the incidents that these
//   opened become parts of the oldest. So it is with many different rules at once, a storm.
// An incident takes nothing that began `reach` after its first, but for what flaps: what comes hours later is something
// else.

import { type Lead, layerOf } from './incidents/cause.ts'
import {
  type Breach,
  breakersAt,
  goesOn,
  many,
  moment,
  newRuleState,
  noteBreach,
  type RuleState,
} from './incidents/common.ts'
import { absorb, addNode, type Incident, openIncident, type Report, weigh, worse } from './incidents/incident.ts'
import { agree, isWide, narrowest, type Where } from './incidents/place.ts'
import { type Entry, Whereabouts } from './incidents/whereabouts.ts'

/** What the slowest usual detector takes to see what is already there (28 readings every 10 s), ms. */
export const near = 300_000
/** ms */
export const reach = 1_800_000
/** Incidents with one rule in a moment; with any rules. */
const manyOfRule = 3
const manyAtAll = 20
const anyRule = '*'
/** Incidents that are over and may yet take findings, and endings that may yet begin again. */
const mostOver = 2000
const mostEndings = 10_000
const mostRules = 2000

interface Ending {
  readonly incident: string
  readonly until: number
}

/** What became of a finding. */
export interface Taken {
  /** The incident it belongs to; none where it was called "not a problem" and nothing else is wrong there. */
  readonly incident: string | undefined
  /** Incidents that became parts of another. */
  readonly merged: readonly { readonly part: string; readonly whole: string }[]
}

/** A finding of an earlier run, with the incident it went to. */
export interface Remembered {
  readonly report: Report
  readonly where: Where
  readonly incident: string
  readonly lowered: boolean
}

export class Grouping {
  readonly #incidents = new Map<string, Incident>()
  /**
   * Open findings, and whether somebody called them "not a problem". Which incident each belongs to is told by whoever
   * tells the finding: one that became a part may be forgotten long before its findings end.
   */
  readonly #members = new Map<string, boolean>()
  /** By rule and subject: what ended lately. */
  readonly #endings = new Map<string, Ending>()
  readonly #whereabouts = new Whereabouts()
  readonly #rules = new Map<string, RuleState>()
  /** Incidents that are over, in the order in which they ended. */
  readonly #over = new Set<string>()
  #merged: { part: string; whole: string }[] = []

  /** One of an earlier run, before any finding. */
  restore(incident: Incident): void {
    this.#incidents.set(incident.id, incident)
    if (incident.open === 0) this.#ends(incident)
  }

  /** A finding of an earlier run, after its incident; it is not counted again. */
  remember({ report, where, incident, lowered }: Remembered): void {
    const { id } = this.#alive(incident) ?? {}
    if (id === undefined) return
    this.#whereabouts.enter(id, where, this.#aliveId)
    if (report.until === undefined) this.#members.set(report.key, lowered)
    else this.#end(report, id)
  }

  restoreRules(rules: Readonly<Record<string, RuleState>>): void {
    for (const [rule, state] of Object.entries(rules)) this.#rules.set(rule, state)
  }

  /** The states that a finding may have changed. */
  rulesOf(report: Pick<Report, 'rule' | 'metric'>): readonly (readonly [string, RuleState])[] {
    return rulesOf(report).flatMap(([name]) => {
      const state = this.#rules.get(name)
      return state === undefined ? [] : [[name, state] as const]
    })
  }

  get(id: string): Incident | undefined {
    return this.#incidents.get(id)
  }

  /** A finding that is new here; `id` names the incident, should it open one. */
  take(report: Report, where: Where, lowered: boolean, id: string): Taken {
    this.#merged = []
    const chosen = this.#choose(report, where, lowered)
    const incident = chosen ?? (lowered ? undefined : this.#open(id, report, where))
    if (incident === undefined) return { incident: undefined, merged: [] }
    this.#join(incident, report, where, lowered)
    if (!lowered) this.#note(incident, report, where, chosen === undefined)
    return { incident: this.#alive(incident.id)!.id, merged: this.#merged }
  }

  /** A finding that is known, open or not, told anew; `incidentId` is the one it belongs to since the latest merge. */
  tell(report: Report, incidentId: string, lowered: boolean): string | undefined {
    const incident = this.#alive(incidentId)
    if (incident === undefined) return undefined
    if (!lowered) incident.severity = worse(incident.severity, report.severity)
    const wasOpen = this.#members.has(report.key)
    const isOpen = report.until === undefined
    if (isOpen && !wasOpen) this.#begin(incident, report.key, lowered)
    if (!isOpen && wasOpen) this.#finish(incident, report)
    return incident.id
  }

  /** An open or ended finding of the incident is called "not a problem" as of `time`, or that is taken back. */
  lower(report: Report, incidentId: string, lowered: boolean, time: number): string | undefined {
    const incident = this.#alive(incidentId)
    if (incident === undefined) return undefined
    incident.lowered += lowered ? 1 : -1
    if (lowered) incident.leads = incident.leads.filter(({ key }) => key !== report.key)
    else weigh(incident, leadOf(report), incident.place)
    if (!this.#members.has(report.key)) return incident.id
    this.#members.set(report.key, lowered)
    incident.open += lowered ? -1 : 1
    if (lowered) incident.ended = Math.max(incident.ended, time)
    this.#settle(incident)
    return incident.id
  }

  #alive(id: string): Incident | undefined {
    let incident = this.#incidents.get(id)
    while (incident?.into != null) incident = this.#incidents.get(incident.into)
    return incident
  }

  /** Its own where it is a part of none. */
  readonly #aliveId = (id: string): string => this.#alive(id)?.id ?? id

  #open(id: string, report: Report, { place }: Where): Incident {
    const incident = openIncident(id, report, place)
    this.#incidents.set(id, incident)
    return incident
  }

  #choose(report: Report, where: Where, lowered: boolean): Incident | undefined {
    const ending = this.#endings.get(report.same)
    const before = ending && this.#alive(ending.incident)
    if (before && report.since >= before.first && report.since - ending.until <= near) return before
    const own = this.#byHost(report, where) ?? this.#byPlace(report, where)
    const common = lowered ? undefined : this.#byRule(report)
    if (own === undefined || common === undefined || own === common) return own ?? common
    return isYoung(own, report.since) ? this.#merge([own, common]) : own
  }

  #byHost(report: Report, where: Where): Incident | undefined {
    return this.#find(this.#whereabouts.atHost(where), report.since, where, near)
  }

  #byPlace(report: Report, where: Where): Incident | undefined {
    const level = narrowest(where.place)
    if (level === undefined) return undefined
    return this.#find(this.#whereabouts.atPlace(where), report.since, where, isWide(level) ? moment : near)
  }

  #find(entries: readonly Entry[], since: number, { place }: Where, within: number): Incident | undefined {
    for (const entry of entries) {
      const incident = this.#alive(entry.incident)
      if (incident !== undefined && agree(entry.place, place) && isNear(incident, since, within)) return incident
    }
    return undefined
  }

  #byRule(report: Report): Incident | undefined {
    const { since } = report
    for (const [name, least] of rulesOf(report)) {
      const state = this.#rules.get(name)
      if (state === undefined || !goesOn(state, since, least, this.#aliveId)) continue
      const common = this.#alive(state.common!)
      if (common !== undefined && isNear(common, since, near)) return common
    }
    return undefined
  }

  /** Who breaks the rule where; if these are many at one moment, they are one incident. */
  #note(incident: Incident, report: Report, { host }: Where, isNew: boolean): void {
    const { rule, since } = report
    for (const [name, least] of rulesOf(report)) {
      const state = this.#ruleState(name)
      const id = this.#aliveId(incident.id)
      // Of all rules together only what stands apart counts.
      if (name === anyRule && !isNew && this.#aliveId(state.common ?? '') !== id) continue
      noteBreach(state, { incident: id, host, since } satisfies Breach, least, this.#aliveId)
      const breakers = breakersAt(state, since, this.#aliveId)
      if (breakers.size < many(state, least)) continue
      const all = [...breakers].flatMap(one => this.#alive(one) ?? [])
      const those = all.filter(one => isYoung(one, since))
      if (those.length < many(state, least)) continue
      const common = this.#merge(those)
      common.common = name === anyRule ? anyRule : (common.common ?? rule)
      state.common = common.id
    }
  }

  #ruleState(rule: string): RuleState {
    const known = this.#rules.get(rule)
    // The one used last is put last, so that the first has rested longest.
    if (known !== undefined) this.#rules.delete(rule)
    const state = known ?? newRuleState()
    this.#rules.set(rule, state)
    if (this.#rules.size > mostRules) this.#rules.delete(this.#rules.keys().next().value!)
    return state
  }

  /** Into the oldest of them. */
  #merge(incidents: readonly Incident[]): Incident {
    const [whole, ...rest] = incidents.toSorted((a, b) => a.first - b.first || (a.id < b.id ? -1 : 1))
    for (const part of rest) {
      absorb(whole!, part)
      whole!.common ??= part.common
      this.#ends(part)
      this.#merged.push({ part: part.id, whole: whole!.id })
    }
    this.#settle(whole!)
    return whole!
  }

  #join(incident: Incident, report: Report, where: Where, lowered: boolean): void {
    incident.findings++
    if (this.#whereabouts.enter(incident.id, where, this.#aliveId)) incident.hosts++
    addNode(incident, report.node)
    if (lowered) incident.lowered++
    else weigh(incident, leadOf(report), where.place)
    this.#begin(incident, report.key, lowered)
    if (report.until !== undefined) this.#finish(incident, report)
  }

  #begin(incident: Incident, key: string, lowered: boolean): void {
    this.#members.set(key, lowered)
    if (!lowered) incident.open++
    this.#settle(incident)
  }

  #finish(incident: Incident, report: Report): void {
    const lowered = this.#members.get(report.key)!
    this.#members.delete(report.key)
    this.#end(report, incident.id)
    if (lowered) return
    incident.open--
    incident.ended = Math.max(incident.ended, report.until!)
    this.#settle(incident)
  }

  #end({ same, until }: Report, incident: string): void {
    this.#endings.delete(same)
    this.#endings.set(same, { incident, until: until! })
    if (this.#endings.size > mostEndings) this.#endings.delete(this.#endings.keys().next().value!)
  }

  #settle(incident: Incident): void {
    if (incident.open > 0) this.#over.delete(incident.id)
    else this.#ends(incident)
  }

  /** Of those that are over, the one that has been so for longest is forgotten. */
  #ends({ id }: Incident): void {
    this.#over.delete(id)
    this.#over.add(id)
    if (this.#over.size <= mostOver) return
    const oldest = firstOf(this.#over)
    this.#over.delete(oldest)
    this.#incidents.delete(oldest)
  }
}

function isNear({ first, last }: Incident, time: number, within: number): boolean {
  return time >= first - within && time <= last + within && time - first <= reach && last - time <= reach
}

/** What began about now may turn out to be a part of something larger. */
function isYoung({ first }: Incident, time: number): boolean {
  return Math.abs(time - first) <= near
}

/** A rule about any metric is one for each. */
function rulesOf({ rule, metric }: Pick<Report, 'rule' | 'metric'>): readonly (readonly [string, number])[] {
  return [
    [JSON.stringify([rule, metric]), manyOfRule],
    [anyRule, manyAtAll],
  ]
}

function leadOf({ same: _, until: __, ...lead }: Report): Lead {
  return { ...lead, layer: layerOf(lead) }
}

function firstOf<T>(all: Iterable<T>): T {
  const { value } = all[Symbol.iterator]().next()
  return value as T
}
