// An event in words: first what it says, then the facts beside it, each once.

import type { Event, Json } from '../../core/model.ts'

/** A message that it carries, or what an order did; empty where it says nothing but facts. */
export function summaryOf({ body }: Pick<Event, 'body'>): string {
  if (typeof body === 'string') return body
  if (!isMap(body)) return ''
  if (isMap(body.args)) return `${Object.values(body.args).join(' = ')}: ${body.state}`
  return typeof body.message === 'string' ? body.message : ''
}

/** `key=value` of attributes and body. */
export function factsOf({ body, attributes }: Pick<Event, 'body' | 'attributes'>): readonly string[] {
  const { simulated: _, ...rest } = attributes
  const { message: _message, args: _args, ...more } = isMap(body) ? body : {}
  const list = Array.isArray(body) ? [JSON.stringify(body)] : []
  return [...new Set([...facts(rest), ...facts(more), ...list])]
}

function facts(map: Readonly<Record<string, Json>>): readonly string[] {
  return Object.entries(map).flatMap(([key, value]) =>
    isMap(value) ? facts(value) : [`${key}=${typeof value === 'object' ? JSON.stringify(value) : value}`],
  )
}

function isMap(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
