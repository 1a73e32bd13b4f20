// The HTTP API over a View. Everything given is checked against the schemas before a handler sees it.

import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Refused, reason } from '../../core/errors.ts'
import { isMap } from '../../core/shape.ts'
import {
  diskAnswer,
  disksAnswer,
  eventAnswer,
  findingAnswer,
  incidentAnswer,
  incidentDetailAnswer,
  seriesAnswer,
} from './answers.ts'
import { guard, guardChanges } from './guard.ts'
import { LiveFeed } from './live.ts'
import { openapi } from './openapi.ts'
import { answerQuery, type Question } from './query.ts'
import { type Route, routes } from './routes.ts'
import { failure, type Schema } from './schemas.ts'
import type { DiskSelector, EventSelector, FindingSelector, IncidentSelector, SeriesSelector, View } from './view.ts'

/** For `fastify`, which takes 100 letters of a path's parameter: the id of a drive may have 300, percent-encoded. */
export const routerOptions = { maxParamLength: 900 } as const

/** Adds the routes in a scope of their own: hooks and error answers do not reach what else `app` serves. */
export function registerApi(app: FastifyInstance, view: View): void {
  app.register(async scope => {
    guard(scope)
    guardChanges(scope)
    scope.addHook('preValidation', refuseUnknown)
    scope.addHook('onSend', async (_, reply) => void reply.header('cache-control', 'no-store'))
    scope.setErrorHandler(answerError)
    answerReads(scope, view)
    answerIncidents(scope, view)
    answerLive(scope, new LiveFeed(view))
  })
}

function answerReads(scope: FastifyInstance, view: View): void {
  const document = openapi(Object.values(routes), view.vitals().version)
  scope.get(routes.nodes.path, served(routes.nodes), () => ({ nodes: view.nodes() }))
  scope.get<{ Params: { node: string } }>(routes.node.path, served(routes.node), ({ params }, reply) => {
    return view.node(params.node) ?? reply.code(404).send({ error: `no node ${params.node} has ever reported` })
  })
  scope.get<{ Querystring: SeriesSelector }>(routes.series.path, served(routes.series), ({ query }) => {
    const found = view.series({ ...query, limit: query.limit + 1 })
    return { series: found.slice(0, query.limit).map(seriesAnswer), more: found.length > query.limit }
  })
  scope.get<{ Querystring: Question }>(routes.query.path, served(routes.query), ({ query }, reply) => {
    return reply.type('application/json').send(answerQuery(view, query))
  })
  scope.get<{ Querystring: FindingSelector }>(routes.findings.path, served(routes.findings), ({ query }) => {
    return { findings: view.findings(query).map(finding => findingAnswer(view, finding)) }
  })
  scope.get<{ Querystring: EventSelector }>(routes.events.path, served(routes.events), ({ query }) => {
    refuseEmpty(query)
    return { events: view.events(query).map(event => eventAnswer(view, event)) }
  })
  answerDisks(scope, view)
  scope.get(routes.document.path, served(routes.document), () => document)
  scope.get(routes.health.path, served(routes.health), () => ({ status: 'ok', time: view.vitals().time }))
}

function answerDisks(scope: FastifyInstance, view: View): void {
  scope.get<{ Querystring: DiskSelector }>(routes.disks.path, served(routes.disks), ({ query }) => {
    return disksAnswer(view, query)
  })
  scope.get<{ Params: { disk: string } }>(routes.disk.path, served(routes.disk), ({ params }, reply) => {
    const found = view.disk(params.disk)
    if (found !== undefined) return diskAnswer(view, found)
    return reply.code(404).send({ error: `no drive ${params.disk} was ever told of` })
  })
}

function answerIncidents(scope: FastifyInstance, view: View): void {
  scope.get<{ Querystring: IncidentSelector }>(routes.incidents.path, served(routes.incidents), ({ query }) => {
    return { incidents: view.incidents(query).map(incident => incidentAnswer(view, incident)) }
  })
  scope.get<{ Params: { incident: string } }>(routes.incident.path, served(routes.incident), ({ params }, reply) => {
    const incident = view.incident(params.incident)
    if (incident === undefined) return reply.code(404).send({ error: `there is no incident ${params.incident}` })
    return incidentDetailAnswer(view, incident)
  })
  scope.get(routes.feedback.path, served(routes.feedback), () => ({ feedback: view.feedback() }))
  scope.post<{ Body: Said }>(routes.notAProblem.path, served(routes.notAProblem), ({ body }) => {
    const { incident, finding, note = '' } = body
    if ((incident === undefined) === (finding === undefined)) throw new Refused('give either incident or finding')
    return view.notAProblem(incident === undefined ? { finding: finding! } : { incident }, note)
  })
  scope.delete<{ Params: { feedback: string } }>(routes.takeBack.path, served(routes.takeBack), ({ params }, reply) => {
    if (view.takeBack(params.feedback)) return { taken: true }
    return reply.code(404).send({ error: `there is no feedback on ${params.feedback}` })
  })
}

interface Said {
  readonly incident?: string
  readonly finding?: string
  readonly note?: string
}

function answerLive(scope: FastifyInstance, feed: LiveFeed): void {
  scope.get(routes.live.path, { exposeHeadRoute: false }, (_, reply) => {
    if (!feed.add(reply.raw)) return reply.code(503).send({ error: 'too many clients follow already; try again later' })
    return reply.hijack()
  })
  scope.addHook('preClose', async () => feed.close())
}

/** Of what is sent along, bytes. */
const bodyLimit = 16_384

function served({ params, querystring, body, answer }: Route): { schema: Record<string, unknown>; bodyLimit: number } {
  const response = { 200: answer, '4xx': failure, '5xx': failure }
  const input = { ...(params && { params }), ...(querystring && { querystring }), ...(body && { body }) }
  return { schema: { ...input, response }, bodyLimit }
}

function refuseEmpty({ from, to }: EventSelector): void {
  if (from === undefined || to === undefined || from < to) return
  throw new Refused(`from must be before to, got from ${from} and to ${to}`)
}

/** Fastify's validator would drop unknown keys without a word, and a misspelt `limit` would look obeyed. */
async function refuseUnknown(request: FastifyRequest): Promise<void> {
  for (const [place, what] of [
    ['querystring', request.query],
    ['body', request.body],
  ] as const) {
    const known = Object.keys(inputs(request, place))
    const unknown = Object.keys(isMap(what) ? what : {}).find(key => !known.includes(key))
    if (unknown === undefined) continue
    const allowed = known.length > 0 ? `known are ${known.join(', ')}` : 'this address takes none'
    throw new Refused(`unknown parameter ${JSON.stringify(unknown.slice(0, 40))}; ${allowed}`)
  }
}

function answerError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error.validation) return reply.code(400).send({ error: whatIsAllowed(error, request) })
  if (error instanceof Refused) return reply.code(400).send({ error: error.message })
  const code = error.statusCode ?? 500
  return reply.code(code).send({ error: code < 500 ? error.message : `the collector failed at this: ${reason(error)}` })
}

function whatIsAllowed({ validation, validationContext }: FastifyError, request: FastifyRequest): string {
  const problem = validation![0]!
  const name = String(problem.params.missingProperty ?? (problem.instancePath.slice(1) || 'what is sent'))
  const allowed =
    inputs(request, placeOf(validationContext))[name]?.description ?? 'JSON as /api/openapi.json describes it'
  const wrong = problem.params.missingProperty === undefined ? `${name} ${problem.message}` : `${name} is missing`
  return `${wrong}; it is ${allowed}`
}

type Input = 'params' | 'querystring' | 'body'

function placeOf(context: string | undefined): Input {
  return context === 'params' || context === 'body' ? context : 'querystring'
}

function inputs(request: FastifyRequest, place: Input): Readonly<Record<string, Schema>> {
  const schema = request.routeOptions.schema?.[place] as Schema | undefined
  return schema?.properties ?? {}
}
