// Findings of an edge on their way: events on the road, findings again in the collector. docs/wire.md, "Findings".

import { Refused } from './errors.ts'
import {
  type Attributes,
  type Event,
  type Finding,
  type Json,
  type Series,
  type Severity,
  seriesKinds,
  severities,
} from './model.ts'

export const findingEvent = 'fieldline.finding'

export const findingStates = ['opened', 'updated', 'closed'] as const
export type FindingState = (typeof findingStates)[number]

/** No configured rule can have a name with a colon. */
const ofEdge = 'edge:'

/** Characters, and entries of a map; a message or evidence beyond is cut, all else is refused. */
const most = { rule: 64, name: 256, unit: 64, text: 1000, message: 1000, entries: 64 } as const

/** Whether an edge found it, and not the collector. */
export function isOfEdge({ rule }: Pick<Finding, 'rule'>): boolean {
  return rule.startsWith(ofEdge)
}

/** `time` is when it is told. Its node is that of the envelope. */
export function findingToEvent(finding: Finding, state: FindingState, time: number): Event {
  const { rule, kind, subject, severity, since, until, message, evidence } = finding
  const { series } = subject
  const about = series && { name: series.name, unit: series.unit, kind: series.kind, attributes: series.attributes }
  const times = { since, ...(until !== undefined && { until }) }
  const body = { state, rule, kind, severity, ...(about && { series: about }), ...times, message, evidence }
  return { name: findingEvent, time, severity: until === undefined ? severity : 'info', body, attributes: { rule } }
}

/**
 * What an edge called `node` has found; its rule is told apart from the collector's own by `edge:` before its name.
 * @throws Refused for what is none.
 */
export function eventToFinding({ body }: Pick<Event, 'body'>, node: string): Finding {
  const told = mapOf(body, 'body')
  const since = timeOf(told.since, 'since')
  const until = told.until === undefined ? undefined : timeOf(told.until, 'until')
  if (until !== undefined && until < since) throw wrong('until')
  if ((told.state === 'closed') !== (until !== undefined)) throw wrong('state')
  return {
    rule: `${ofEdge}${textOf(told.rule, most.rule, 'rule')}`,
    kind: textOf(told.kind, most.rule, 'kind'),
    subject: { node, ...(told.series !== undefined && { series: seriesOf(told.series) }) },
    severity: oneOf<Severity>(severities, told.severity, 'severity'),
    since,
    ...(until !== undefined && { until }),
    message: textOf(
      typeof told.message === 'string' ? told.message.slice(0, most.message) : null,
      most.text,
      'message',
    ),
    evidence: evidenceOf(mapOf(told.evidence, 'evidence')),
  }
}

function seriesOf(raw: Json): Series {
  const { name, unit, kind, attributes } = mapOf(raw, 'series')
  return {
    name: textOf(name, most.name, 'series.name'),
    unit: unit === '' ? '' : textOf(unit, most.unit, 'series.unit'),
    kind: oneOf(seriesKinds, kind, 'series.kind'),
    attributes: attributesOf(mapOf(attributes, 'series.attributes')),
  }
}

function attributesOf(raw: Readonly<Record<string, Json>>): Attributes {
  const entries = Object.entries(raw)
  const fits = ([key, value]: [string, Json]): boolean =>
    key.length <= most.name &&
    (typeof value === 'boolean' || isNumber(value) || (typeof value === 'string' && value.length <= most.text))
  if (entries.length > most.entries || !entries.every(fits)) throw wrong('series.attributes')
  return raw as Attributes
}

function evidenceOf(raw: Readonly<Record<string, Json>>): Finding['evidence'] {
  const fits = ([key, value]: [string, Json]): boolean =>
    key.length <= most.name && (isNumber(value) || (typeof value === 'string' && value.length <= most.text))
  return Object.fromEntries(Object.entries(raw).filter(fits).slice(0, most.entries)) as Finding['evidence']
}

function mapOf(raw: Json | undefined, what: string): Readonly<Record<string, Json>> {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) throw wrong(what)
  return raw as Readonly<Record<string, Json>>
}

function textOf(raw: Json | undefined, longest: number, what: string): string {
  if (typeof raw !== 'string' || raw === '' || raw.length > longest) throw wrong(what)
  return raw
}

/** Of the clock that dates the samples, which may be wrong, but not beyond what a date can be. */
function timeOf(raw: Json | undefined, what: string): number {
  if (!isNumber(raw) || raw <= 0 || raw > 8.64e15) throw wrong(what)
  return raw
}

function oneOf<T extends string>(values: readonly T[], raw: Json | undefined, what: string): T {
  const found = values.find(value => value === raw)
  if (found === undefined) throw wrong(what)
  return found
}

function isNumber(raw: Json | undefined): raw is number {
  return typeof raw === 'number' && Number.isFinite(raw)
}

function wrong(what: string): Refused {
  return new Refused(`a finding without a proper ${what}`)
}
