// Which of an incident's findings is likely to be the first cause. A guess, and it says why.
//
// Most upstream goes first: what can bring about the rest. Hardware that fails does so before anybody notices, so it
// counts whenever it was found; everything else only if it began about when the incident did. Within one layer the
// earliest counts, and of what began at once the most severe.

import { type Severity, severities } from '../../core/model.ts'

/** From upstream to downstream: each can explain those behind it, not those before. */
export const layers = ['hardware', 'node', 'network', 'resource', 'process', 'service', 'absence'] as const
export type Layer = (typeof layers)[number]

/** What an incident remembers of a finding. */
export interface Lead {
  readonly key: string
  readonly rule: string
  readonly kind: string
  readonly node: string
  readonly metric: string | null
  readonly severity: Severity
  readonly since: number
  readonly layer: Layer
}

export const grounds = ['only', 'upstream', 'first', 'severe', 'together'] as const
/** `together`: as early and as severe as others. */
export type Ground = (typeof grounds)[number]

export interface Cause {
  readonly lead: Lead
  readonly ground: Ground
  /** ms after the earliest of the incident. */
  readonly after: number
}

/** What begins within this of the first, ms, may be its cause: a reading's interval or two. */
const prompt = 60_000
/** Within this, ms, two began at once. */
const atOnce = 10_000
/** The earliest of each layer are remembered. */
const mostOfLayer = 8

const hardware =
  /disk-?fail|smart|\becc\b|edac|^hw\.(physical_disk|errors|fan|power_supply|voltage|status|pci|gpu\.(lost|errors|repair))|^system\.md\./
const network = /network|infiniband|bond|\blink\b|\.connection|mqtt|carrier/
const resource = /^(system|linux|container|k8s|process|hw)\./
const service = /latency|duration|response|request|queue|error_?rate|\bhttp\b|\brpc\b/

export function layerOf({ rule, kind, metric }: Pick<Lead, 'rule' | 'kind' | 'metric'>): Layer {
  if (kind === 'silence') return metric === null ? 'node' : 'absence'
  if (kind.startsWith('disk') || [rule, metric ?? ''].some(text => hardware.test(text))) return 'hardware'
  const about = metric ?? rule
  // A queue of a host's own disk is no service.
  if (service.test(about) && !resource.test(about)) return 'service'
  if (network.test(about)) return 'network'
  return resource.test(about) ? 'resource' : 'process'
}

/** Puts a finding among the leads, in their order; a bounded number of each layer stays. */
export function addLead(leads: Lead[], lead: Lead): void {
  const at = leads.findIndex(other => compare(lead, other) < 0)
  leads.splice(at < 0 ? leads.length : at, 0, lead)
  const alike = leads.filter(other => other.layer === lead.layer)
  if (alike.length > mostOfLayer) leads.splice(leads.indexOf(alike.at(-1)!), 1)
}

/** By layer, then the earliest, then the most severe; the key decides where nothing else does. */
function compare(a: Lead, b: Lead): number {
  const layer = layers.indexOf(a.layer) - layers.indexOf(b.layer)
  return layer || a.since - b.since || severityOf(b) - severityOf(a) || (a.key < b.key ? -1 : 1)
}

function severityOf({ severity }: Lead): number {
  return severities.indexOf(severity)
}

/** Undefined where there are no leads. */
export function causeOf(leads: readonly Lead[]): Cause | undefined {
  const first = Math.min(...leads.map(({ since }) => since))
  const likely = leads.filter(lead => lead.layer === 'hardware' || lead.since - first <= prompt)
  const [earliest] = likely
  if (earliest === undefined) return undefined
  const layer = likely.filter(lead => lead.layer === earliest.layer)
  const rivals = layer.filter(lead => lead.since - earliest.since <= atOnce)
  const worst = Math.max(...rivals.map(severityOf))
  const lead = rivals.find(rival => severityOf(rival) === worst)!
  return { lead, ground: groundOf(lead, leads, rivals), after: lead.since - first }
}

function groundOf(lead: Lead, leads: readonly Lead[], rivals: readonly Lead[]): Ground {
  if (leads.length === 1) return 'only'
  if (leads.some(other => layers.indexOf(other.layer) > layers.indexOf(lead.layer))) return 'upstream'
  if (rivals.every(rival => rival === lead || rival.since > lead.since)) return 'first'
  return rivals.some(rival => severityOf(rival) < severityOf(lead)) ? 'severe' : 'together'
}

const explains: Readonly<Record<Layer, string>> = {
  hardware: 'hardware that fails explains what runs on it',
  node: 'a node that is silent explains what its series lack',
  network: 'a network that fails explains what is behind it',
  resource: 'a host short of something explains what it serves',
  process: 'the machine itself explains what is made with it',
  service: 'a service that is slow explains what waits for it',
  absence: 'what does not come any more',
}

/** One sentence for a person. */
export function causeText({ lead, ground, after }: Cause, findings: number): string {
  const what = `${lead.rule} on ${lead.node}`
  const when = after < 1000 ? 'with the first' : `${Number((after / 1000).toFixed(1))} s after the first`
  if (ground === 'only')
    return findings === 1 ? `${what}: there is no other finding` : `${what}: there is no other lead`
  if (ground === 'upstream') return `${what}: ${explains[lead.layer]}; it began ${when}`
  if (ground === 'first') return `${what}: it began first of ${findings}`
  const how = ground === 'severe' ? 'the most severe of' : 'the earliest of'
  return `${what}: ${how} what began at once, ${when} of ${findings}`
}
