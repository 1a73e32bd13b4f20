// `fieldline incidents`: what is going wrong, as the collector put it together; one incident with its time line; and "not a
// problem", said or taken back.

import type { FeedbackAnswer, IncidentAnswer, IncidentDetailAnswer } from '../collector/api/answers.ts'
import { momentsOf } from '../collector/web/moments.ts'
import { oneLine } from '../core/log.ts'
import { placeText } from '../judge/incidents/place.ts'
import { readArguments, Usage } from './arguments.ts'
import { type CollectorApi, collectorApi, collectorOptions } from './collector-api.ts'
import { type Command, status as exit, print } from './command.ts'
import { clipped, table } from './table.ts'
import { texts } from './texts.ts'

const options = {
  all: { type: 'boolean' },
  json: { type: 'boolean' },
  'not-a-problem': { type: 'boolean' },
  note: { type: 'string' },
  'take-back': { type: 'boolean' },
  ...collectorOptions,
} as const

/** Columns of a message in the list. */
const messageWidth = 70

export const incidents: Command = {
  async run(args) {
    const { values, positionals } = readArguments(args, options, [], true)
    const [id, extra] = positionals
    const { said } = texts(process.env)
    if (extra !== undefined) throw new Usage(said.unexpected(extra))
    const acts = values['not-a-problem'] || values['take-back']
    if (acts && id === undefined) throw new Usage(said.incidentWhich)
    if (values['not-a-problem'] && values['take-back']) throw new Usage(said.incidentEither)
    if (values.note !== undefined && !values['not-a-problem']) throw new Usage(said.incidentNote)
    if (id !== undefined && !/^([0-9a-f]{12}|[A-Za-z0-9_-]{22})$/.test(id)) throw new Usage(said.incidentId(id))
    const { ask } = await collectorApi(values)
    const json = values.json === true
    if (values['not-a-problem']) return sayNoProblem(ask, id!, values.note ?? '', json)
    if (values['take-back']) return takeBack(ask, id!, json)
    return id === undefined ? list(ask, values.all === true, json) : one(ask, id, json)
  },
}

type Ask = CollectorApi['ask']

async function list(ask: Ask, all: boolean, json: boolean): Promise<number> {
  const { incidents } = await ask<{ incidents: IncidentAnswer[] }>(
    `/api/incidents?limit=1000${all ? '' : '&open=true'}`,
  )
  const open = incidents.filter(({ until }) => until === null)
  if (json) print(JSON.stringify(incidents))
  else if (incidents.length === 0) print(texts(process.env).said.noIncidents)
  else print(table([heads(), ...incidents.map(row)], [4]))
  return open.length === 0 ? exit.ok : exit.failed
}

function heads(): string[] {
  const { id, severity, since, lasted, findings, where, cause } = texts(process.env).said.incidentColumns
  return [id, severity, since, lasted, findings, where, cause]
}

function row(incident: IncidentAnswer): string[] {
  const { said } = texts(process.env)
  const { id, severity, since, until, findings, cause, feedback } = incident
  const lasted = until === null ? said.incidentOpen : span(until - since)
  const message = cause === null ? '' : `${cause.finding.rule}: ${cause.finding.message}`
  const what = feedback === null ? message : `[${said.incidentNoProblem}] ${message}`
  return [
    id,
    said.severity[severity],
    clock(since),
    lasted,
    String(findings),
    whereText(incident),
    clipped(oneLine(what), messageWidth),
  ]
}

function whereText({ nodes, hosts, place }: IncidentAnswer): string {
  const { said } = texts(process.env)
  const around = placeText(place)
  if (hosts === 1) return around === undefined ? nodes[0]! : `${nodes[0]} (${around})`
  return around === undefined ? said.incidentHosts(hosts) : `${around} (${said.incidentHosts(hosts)})`
}

async function one(ask: Ask, id: string, json: boolean): Promise<number> {
  const incident = await ask<IncidentDetailAnswer>(`/api/incidents/${id}`)
  if (json) print(JSON.stringify(incident))
  else print([...facts(incident), '', ...timeline(incident)].join('\n'))
  return incident.until === null ? exit.failed : exit.ok
}

function facts(incident: IncidentDetailAnswer): string[] {
  const { said } = texts(process.env)
  const { id, severity, since, until, findings, openFindings, lowered, cause, common, into, feedback, evidence } =
    incident
  const names = said.incidentFacts
  const series = [...new Set(evidence.flatMap(finding => finding.series?.name ?? []))]
  const told: (readonly [string, string] | undefined)[] = [
    [
      names.state,
      `${until === null ? said.incidentOpen : said.incidentOver(clock(until), span(until - since))}, ${said.severity[severity]}`,
    ],
    [names.since, clock(since)],
    [names.where, incident.hosts === 1 ? whereText(incident) : `${whereText(incident)}: ${namesOf(incident)}`],
    [names.findings, said.incidentCounts(findings, openFindings, lowered)],
    cause
      ? [names.cause, `${cause.finding.rule} (${cause.finding.node}): ${oneLine(cause.finding.message)}`]
      : undefined,
    cause ? [names.why, whyText(cause)] : undefined,
    common === null ? undefined : [names.common, common === '*' ? said.incidentStorm : said.incidentCommon(common)],
    series.length > 0 ? [names.look, series.slice(0, 8).join(', ')] : undefined,
    feedback === null ? undefined : [names.feedback, feedbackText(feedback)],
    into === null ? undefined : [names.into, into],
  ]
  return [id, table(told.flatMap(line => (line === undefined ? [] : [['', ...line]])))]
}

function namesOf({ nodes }: IncidentAnswer): string {
  return `${nodes.slice(0, 10).join(', ')}${nodes.length > 10 ? ' ...' : ''}`
}

function whyText({ ground, after }: NonNullable<IncidentAnswer['cause']>): string {
  const { incidentWhy, incidentAfter } = texts(process.env).said
  return after === 0 ? incidentWhy[ground] : `${incidentWhy[ground]}, ${incidentAfter(after / 1000)}`
}

function feedbackText({ note, at }: FeedbackAnswer): string {
  const { said } = texts(process.env)
  return `${said.incidentNoProblem}, ${clock(at)}${note === '' ? '' : `: ${oneLine(note)}`}`
}

function timeline({ timeline, since, more }: IncidentDetailAnswer): string[] {
  const { said } = texts(process.env)
  const rows = momentsOf(timeline).map(({ time, ends, finding }) => {
    const { severity, node, rule, message, lowered } = finding
    const mark = lowered === null ? said.severity[severity] : said.incidentNoProblem
    const what = ends ? said.incidentEnds : said.incidentBegins
    return [clock(time), `+${span(time - since)}`, what, mark, node, rule, ends ? '' : oneLine(message)]
  })
  return [table(rows, [1]), ...(more ? [said.incidentMore] : [])]
}

async function sayNoProblem(ask: Ask, id: string, note: string, json: boolean): Promise<number> {
  const about = id.length === 12 ? { incident: id } : { finding: id }
  const body = JSON.stringify({ ...about, note })
  const headers = { 'content-type': 'application/json' }
  const feedback = await ask<FeedbackAnswer>('/api/feedback', { method: 'POST', headers, body })
  const { said } = texts(process.env)
  if (json) print(JSON.stringify(feedback))
  else print([said.incidentLowered, ...feedback.patterns.map(patternText), said.incidentUndo(id)].join('\n'))
  return exit.ok
}

function patternText({ rule, metric, node, place, severity }: FeedbackAnswer['patterns'][number]): string {
  const where =
    node ??
    Object.entries(place ?? {})
      .map(([level, name]) => `${level} ${name}`)
      .join(', ')
  return `  ${rule}${metric === null ? '' : ` (${metric})`}, ${where}, <= ${texts(process.env).said.severity[severity]}`
}

async function takeBack(ask: Ask, id: string, json: boolean): Promise<number> {
  const taken = await ask<object>(`/api/feedback/${id}`, { method: 'DELETE' })
  print(json ? JSON.stringify(taken) : texts(process.env).said.incidentTakenBack)
  return exit.ok
}

function clock(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`
}

function span(ms: number): string {
  const s = ms / 1000
  if (s < 120) return `${s.toFixed(1)} s`
  return s < 7200 ? `${Math.round(s / 60)} min` : `${(s / 3600).toFixed(1)} h`
}
