// An incident as the API and the page see it.

import { causeOf, causeText } from '../judge/incidents/cause.ts'
import type { Incident } from '../judge/incidents/incident.ts'
import type { CauseView, FeedbackView, FindingView, IncidentDetail, IncidentView, SeriesView } from './api/view.ts'
import { isOpen } from './store/records-incidents.ts'

export interface Seen {
  /** By its key. */
  finding(key: string): FindingView | undefined
  /** Keys of an incident's findings. */
  keysOf(incident: string, limit: number): readonly string[]
  series(id: number): SeriesView | undefined
  feedback(id: string): FeedbackView | undefined
  isSimulated(node: string): boolean
  now(): number
}

const mostOfTimeline = 500
const mostCharts = 12
/** Nodes that are asked whether they are simulated. */
const mostAsked = 20
/** Shown before it began and after it ended, ms. */
const around = 300_000

export function incidentView(incident: Incident, seen: Seen): IncidentView {
  const { id, severity, first, last, ended, findings, open, lowered, hosts, nodes, place, common, into } = incident
  const cause = causeView(incident, seen)
  const feedback = seen.feedback(id)
  return {
    ...{ id, severity, since: first, latest: last },
    ...(!isOpen(incident) && { until: ended }),
    ...{ findings, openFindings: open, lowered, hosts, nodes, place },
    ...(common !== null && { common }),
    ...(into !== null && { into }),
    simulated: nodes.slice(0, mostAsked).some(seen.isSimulated),
    ...(cause && { cause }),
    ...(feedback && { feedback }),
  }
}

export function incidentDetail(incident: Incident, seen: Seen): IncidentDetail {
  const keys = seen.keysOf(incident.id, mostOfTimeline + 1)
  const cause = causeOf(incident.leads)?.lead
  const ranked = [...(cause ? [cause] : []), ...incident.leads.filter(lead => lead !== cause)]
  const evidence = ranked.flatMap(({ key }) => seen.finding(key) ?? [])
  const series = evidence.flatMap(({ seriesId }) => seriesId ?? [])
  const timeline = keys.slice(0, mostOfTimeline).flatMap(key => seen.finding(key) ?? [])
  return {
    ...incidentView(incident, seen),
    evidence,
    charts: [...new Set(series)].slice(0, mostCharts).flatMap(id => seen.series(id) ?? []),
    from: incident.first - around,
    to: isOpen(incident) ? seen.now() : Math.min(seen.now(), incident.ended + around),
    timeline: timeline.sort((a, b) => a.since - b.since),
    more: timeline.length < incident.findings,
  }
}

function causeView({ leads, findings }: Incident, seen: Seen): CauseView | undefined {
  const cause = causeOf(leads)
  const finding = cause && seen.finding(cause.lead.key)
  if (cause === undefined || finding === undefined) return undefined
  return { finding, ground: cause.ground, after: cause.after, reason: causeText(cause, findings) }
}
