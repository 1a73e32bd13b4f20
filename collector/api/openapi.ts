// The OpenAPI 3.1 document, made from the routes and their schemas. https://spec.openapis.org/oas/v3.1.0

import type { Route } from './routes.ts'
import { failure, type Schema } from './schemas.ts'

export function openapi(routes: readonly Route[], version: string): Record<string, unknown> {
  const components: Record<string, unknown> = {}
  const paths = Object.entries(Object.groupBy(routes, ({ path }) => path)).map(([path, those]) => [
    path.replace(/:(\w+)/g, '{$1}'),
    Object.fromEntries(those!.map(one => [one.method ?? 'get', operation(one, schema => named(schema, components))])),
  ])
  return {
    openapi: '3.1.0',
    info: { title: 'Fieldline collector', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    paths: Object.fromEntries(paths),
    components: { schemas: components },
  }
}

type Refer = (schema: Schema) => unknown

function operation(route: Route, refer: Refer): Record<string, unknown> {
  const parameters = [...parametersIn('path', route.params), ...parametersIn('query', route.querystring)]
  const failures =
    parameters.length > 0 || route.body ? { 400: 'Something given is not allowed.', ...route.failures } : route.failures
  const refused = Object.entries(failures ?? {}).map(([code, why]) => [code, reply(why, refer(failure))])
  const good = reply('The answer.', refer(route.answer), route.contentType)
  return {
    operationId: (route.method ?? '') + route.path.replace(/[^A-Za-z]+(\w?)/g, (_, next: string) => next.toUpperCase()),
    summary: route.summary,
    parameters,
    ...(route.body && {
      requestBody: { required: true, content: { 'application/json': { schema: refer(route.body) } } },
    }),
    responses: { 200: good, ...Object.fromEntries(refused) },
  }
}

function reply(description: string, schema: unknown, contentType = 'application/json'): Record<string, unknown> {
  return { description, content: { [contentType]: { schema } } }
}

function parametersIn(place: 'path' | 'query', schema: Schema | undefined): readonly unknown[] {
  const required = (schema?.required ?? []) as readonly string[]
  return Object.entries(schema?.properties ?? {}).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: required.includes(name),
    description,
    schema: rest,
  }))
}

/** The schema with every titled one inside it moved to `components` and referred to. */
function named(schema: unknown, components: Record<string, unknown>): unknown {
  if (Array.isArray(schema)) return schema.map(item => named(item, components))
  if (typeof schema !== 'object' || schema === null) return schema
  const inside = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, named(value, components)]))
  const { title } = inside
  if (typeof title !== 'string') return inside
  components[title] = inside
  return { $ref: `#/components/schemas/${title}` }
}
