// The shapes that go over HTTP, made from the view. The page imports these types; `schemas.ts` says the same in JSON schema.

import type { Attributes, Json, SeriesKind, Severity } from '../../core/model.ts'
import {
  type DiskDetail,
  type DiskSelector,
  type DiskSummary,
  type DiskView,
  type EventView,
  type FeedbackView,
  type FindingView,
  type IncidentDetail,
  type IncidentView,
  isSimulated,
  type NodeView,
  type SeriesView,
  type View,
  type Vitals,
} from './view.ts'

export type NodeAnswer = NodeView

export interface SeriesAnswer {
  readonly id: number
  readonly node: string
  readonly name: string
  readonly unit: string
  readonly kind: SeriesKind
  readonly attributes: Attributes
  readonly simulated: boolean
  readonly firstTime: number
  readonly lastTime: number
}

export interface FindingAnswer {
  readonly id: string
  readonly rule: string
  readonly kind: string
  readonly node: string
  readonly series: FindingSeries | null
  readonly simulated: boolean
  readonly severity: Severity
  readonly since: number
  readonly until: number | null
  readonly message: string
  readonly evidence: Readonly<Record<string, number | string>>
  readonly incident: string | null
  readonly muted: string | null
  readonly lowered: string | null
}

type OrNull<T, K extends keyof T> = Omit<T, K> & { readonly [P in K]: Exclude<T[P], undefined> | null }

export type FeedbackAnswer = FeedbackView

export interface CauseAnswer extends Omit<NonNullable<IncidentView['cause']>, 'finding'> {
  readonly finding: FindingAnswer
}

export interface IncidentAnswer
  extends Omit<OrNull<Required<IncidentView>, 'until' | 'common' | 'into' | 'feedback'>, 'cause'> {
  readonly cause: CauseAnswer | null
}

export interface IncidentDetailAnswer extends IncidentAnswer, Pick<IncidentDetail, 'from' | 'to' | 'more'> {
  readonly charts: readonly SeriesAnswer[]
  readonly evidence: readonly FindingAnswer[]
  readonly timeline: readonly FindingAnswer[]
}

export interface FindingSeries {
  readonly id: number | null
  readonly name: string
  readonly unit: string
  readonly attributes: Attributes
}

export interface EventAnswer {
  readonly node: string
  readonly name: string
  readonly time: number
  readonly severity: Severity
  readonly body: Json
  readonly attributes: Attributes
  readonly simulated: boolean
}

export interface DisksAnswer {
  readonly disks: readonly DiskView[]
  /** There are more than were asked for. */
  readonly more: boolean
  readonly summary: DiskSummary
}

export type DiskDetailAnswer = Omit<DiskDetail, 'series'> & { readonly series: readonly SeriesAnswer[] }

export type VitalsAnswer = Omit<Vitals, 'p99Ms'> & { readonly p99Ms: number | null }

/** One message of /api/live: the vitals, and what changed since the message before. */
export interface Tick {
  readonly vitals: VitalsAnswer
  readonly nodes: readonly NodeAnswer[]
  readonly findings: readonly FindingAnswer[]
  readonly incidents: readonly IncidentAnswer[]
  readonly events: readonly EventAnswer[]
}

/** `times` are the starts of the buckets; each column has one entry a bucket, null where it is empty. */
export interface QueryAnswer {
  readonly from: number
  readonly to: number
  /** Milliseconds a bucket. */
  readonly step: number
  readonly times: readonly number[]
  readonly series: readonly LineAnswer[]
  /** Ids asked for that have no data any more. */
  readonly unknown: readonly number[]
}

export type Column = readonly (number | null)[]
export type LineAnswer =
  | { readonly id: number; readonly min: Column; readonly max: Column; readonly mean: Column }
  | { readonly id: number; readonly rate: Column }

export function seriesAnswer({ id, node, series, firstTime, lastTime }: SeriesView): SeriesAnswer {
  return { id, node, ...series, simulated: isSimulated(series.attributes), firstTime, lastTime }
}

export function findingAnswer(view: View, finding: FindingView): FindingAnswer {
  const { id, rule, kind, subject, severity, since, until, message, evidence } = finding
  const { node, series } = subject
  const about = series && {
    id: finding.seriesId ?? null,
    name: series.name,
    unit: series.unit,
    attributes: series.attributes,
  }
  return {
    id,
    rule,
    kind,
    node,
    series: about ?? null,
    simulated: isAboutSimulated(view, node, series?.attributes),
    severity,
    since,
    until: until ?? null,
    message,
    evidence,
    incident: finding.incident ?? null,
    muted: finding.muted ?? null,
    lowered: finding.lowered ?? null,
  }
}

export function incidentAnswer(view: View, incident: IncidentView): IncidentAnswer {
  const { id, severity, since, latest, until, findings, openFindings, lowered, hosts, nodes, place, simulated } =
    incident
  const { common, into, cause, feedback } = incident
  return {
    ...{
      id,
      severity,
      since,
      latest,
      until: until ?? null,
      findings,
      openFindings,
      lowered,
      hosts,
      nodes,
      place,
      simulated,
    },
    ...{ common: common ?? null, into: into ?? null, feedback: feedback ?? null },
    cause: cause === undefined ? null : { ...cause, finding: findingAnswer(view, cause.finding) },
  }
}

export function incidentDetailAnswer(view: View, incident: IncidentDetail): IncidentDetailAnswer {
  const { evidence, charts, from, to, timeline, more } = incident
  const answers = (findings: readonly FindingView[]) => findings.map(finding => findingAnswer(view, finding))
  return {
    ...incidentAnswer(view, incident),
    evidence: answers(evidence),
    charts: charts.map(seriesAnswer),
    from,
    to,
    timeline: answers(timeline),
    more,
  }
}

export function eventAnswer(view: View, event: EventView): EventAnswer {
  const { node, name, time, severity, body, attributes } = event
  const simulated = isAboutSimulated(view, node, attributes)
  return { node, name, time, severity, body, attributes, simulated }
}

export function diskAnswer(view: View, disk: DiskDetail): DiskDetailAnswer {
  return { ...ofNode(view, disk), series: disk.series.map(seriesAnswer) }
}

export function disksAnswer(view: View, { node, limit }: DiskSelector): DisksAnswer {
  const found = view.disks({ ...(node !== undefined && { node }), limit: limit + 1 })
  const disks = found.slice(0, limit).map(disk => ofNode(view, disk))
  return { disks, more: found.length > limit, summary: view.diskSummary() }
}

/** A drive of a simulated node is simulated. */
function ofNode<T extends DiskView>(view: View, disk: T): T {
  return { ...disk, simulated: disk.simulated || isSimulated(view.node(disk.node)?.attributes ?? {}) }
}

export function vitalsAnswer(vitals: Vitals): VitalsAnswer {
  return { ...vitals, p99Ms: vitals.p99Ms ?? null }
}

/** What is about a node as a whole is simulated if any of it is; a series or event of a mixed gateway speaks for itself. */
function isAboutSimulated(view: View, name: string, attributes: Attributes | undefined): boolean {
  const node = view.node(name)
  if (node === undefined) return attributes !== undefined && isSimulated(attributes)
  return attributes === undefined ? node.simulated : isSimulated(attributes) || isSimulated(node.attributes)
}
