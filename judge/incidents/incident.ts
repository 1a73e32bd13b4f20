// What an incident is: plain data, bounded whatever its storm.

import { type Severity, severities } from '../../core/model.ts'
import { addLead, type Lead } from './cause.ts'
import { type Place, shared } from './place.ts'

/** A finding as incidents see it. */
export interface Report extends Omit<Lead, 'layer'> {
  /** The same rule about the same subject, whenever. */
  readonly same: string
  /** Absent while it lasts. */
  readonly until?: number
}

export interface Incident {
  /** Of the finding that opened it: the same in every replay. */
  readonly id: string
  /** When its earliest finding began, and its latest, ms since the epoch. */
  first: number
  last: number
  /** When the latest of its findings that ended did so; the incident is over when none is open. */
  ended: number
  severity: Severity
  /** All that ever belonged to it. */
  findings: number
  /** Of these, what is open and was not called "not a problem". */
  open: number
  /** Of these, what somebody called "not a problem". */
  lowered: number
  /** Hosts, all of them; of their nodes the first hundred by name. */
  hosts: number
  nodes: string[]
  /** The places that all its findings share. */
  place: Place
  /** The rule that many hosts broke at the same moment; `*`: many rules. */
  common: string | null
  /** The findings that may be its cause, the likeliest layer first. */
  leads: Lead[]
  /** The incident that it turned out to be a part of. */
  into: string | null
}

const mostNodes = 100

export function openIncident(id: string, { since, severity, node }: Report, place: Place): Incident {
  const counts = { findings: 0, open: 0, lowered: 0, hosts: 0 }
  const times = { first: since, last: since, ended: since }
  return { id, ...times, severity, ...counts, nodes: [node], place, common: null, leads: [], into: null }
}

/** What is told of an incident by a finding that nobody called "not a problem". */
export function weigh(incident: Incident, lead: Lead, place: Place): void {
  incident.first = Math.min(incident.first, lead.since)
  incident.last = Math.max(incident.last, lead.since)
  incident.severity = worse(incident.severity, lead.severity)
  incident.place = shared(incident.place, place)
  addLead(incident.leads, lead)
}

/** All that `part` knows goes over to `whole`. */
export function absorb(whole: Incident, part: Incident): void {
  whole.first = Math.min(whole.first, part.first)
  whole.last = Math.max(whole.last, part.last)
  whole.ended = Math.max(whole.ended, part.ended)
  whole.severity = worse(whole.severity, part.severity)
  for (const count of ['findings', 'open', 'lowered', 'hosts'] as const) whole[count] += part[count]
  for (const node of part.nodes) addNode(whole, node)
  whole.place = shared(whole.place, part.place)
  for (const lead of part.leads) addLead(whole.leads, lead)
  Object.assign(part, { into: whole.id, findings: 0, open: 0, lowered: 0, leads: [] })
}

export function addNode({ nodes }: Incident, node: string): void {
  if (nodes.length < mostNodes && !nodes.includes(node)) nodes.push(node)
}

export function worse(a: Severity, b: Severity): Severity {
  return severities.indexOf(a) > severities.indexOf(b) ? a : b
}
