// The official schemas as protobufjs reads them: the other side of every codec test.

import { readFileSync } from 'node:fs'
import protobuf from 'protobufjs'

const file = new URL('../../fixtures/opentelemetry-proto/opentelemetry.json', import.meta.url)
const root = protobuf.Root.fromJSON(JSON.parse(readFileSync(file, 'utf8')))

export type Message = { [field: string]: unknown }

function codec(name: string) {
  const type = root.lookupType(`opentelemetry.proto.${name}`)
  return {
    /** Field names as in the .proto files, 64-bit numbers as decimal text, every field present. */
    decode: (bytes: Uint8Array): Message => type.toObject(type.decode(bytes), { longs: String, defaults: true }),
    encode: (message: Message): Uint8Array => type.encode(type.fromObject(message)).finish(),
  }
}

export const metricsRequest = codec('collector.metrics.v1.ExportMetricsServiceRequest')
export const metricsResponse = codec('collector.metrics.v1.ExportMetricsServiceResponse')
export const logsRequest = codec('collector.logs.v1.ExportLogsServiceRequest')
export const logsResponse = codec('collector.logs.v1.ExportLogsServiceResponse')

interface AnyValue {
  readonly value?: string
  readonly array_value?: { values: AnyValue[] }
  readonly kvlist_value?: { values: { key: string; value: AnyValue }[] }
  readonly [kind: string]: unknown
}

/** A plain value as an AnyValue object. */
export function toAny(value: unknown): AnyValue {
  if (value === null) return {}
  if (typeof value === 'string') return { string_value: value }
  if (typeof value === 'boolean') return { bool_value: value }
  if (typeof value === 'number') return Number.isSafeInteger(value) ? { int_value: value } : { double_value: value }
  if (Array.isArray(value)) return { array_value: { values: value.map(toAny) } }
  return { kvlist_value: { values: toKeyValues(value as Record<string, unknown>) } }
}

export function toKeyValues(attributes: Readonly<Record<string, unknown>>): { key: string; value: AnyValue }[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: toAny(value) }))
}

/** And back, from what `decode` gives. */
export function fromAny(any: AnyValue): unknown {
  if (any.array_value) return any.array_value.values.map(fromAny)
  if (any.kvlist_value) return fromKeyValues(any.kvlist_value.values)
  if (any.int_value !== undefined) return Number(any.int_value)
  return any.string_value ?? any.bool_value ?? any.double_value ?? null
}

export function fromKeyValues(list: readonly { key: string; value: AnyValue }[]): Record<string, unknown> {
  return Object.fromEntries(list.map(({ key, value }) => [key, fromAny(value)]))
}
