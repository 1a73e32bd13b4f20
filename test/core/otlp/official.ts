// The official schemas as protobufjs reads them: the other side of every codec test.

import { readFileSync } from 'node:fs'
import protobuf from 'protobufjs'

const file = new URL('../../fixtures/opentelemetry-proto/opentelemetry.json', import.meta.url)
const root = protobuf.Root.fromJSON(JSON.parse(readFileSync(file, 'utf8')))

export type Message = { [field: string]: unknown }

interface KeyValue {
  readonly key: string
  readonly value: AnyValue
}

interface Owner {
  readonly attributes: KeyValue[]
}

interface Point {
  readonly attributes: KeyValue[]
  readonly time_unix_nano: string
}

interface NumberPoint extends Point {
  readonly as_int?: string
  readonly as_double?: number
}

interface ManyPoint extends Point {
  readonly count: string
  readonly sum?: number
}

interface HistogramPoint extends ManyPoint {
  readonly explicit_bounds: number[]
  readonly bucket_counts: string[]
}

interface SummaryPoint extends ManyPoint {
  readonly quantile_values: readonly unknown[]
}

interface Points<P> {
  readonly data_points: P[]
}

interface OfficialMetric {
  readonly name: string
  readonly unit: string
  readonly gauge?: Points<NumberPoint>
  readonly sum?: Points<NumberPoint> & { readonly aggregation_temporality: number; readonly is_monotonic: boolean }
  readonly histogram?: Points<HistogramPoint> & { readonly aggregation_temporality: number }
  readonly summary?: Points<SummaryPoint>
}

interface LogRecord {
  readonly event_name: string
  readonly time_unix_nano: string
  readonly observed_time_unix_nano: string
  readonly severity_number: number
  readonly severity_text: string
  readonly body: AnyValue | null
  readonly attributes: KeyValue[]
}

interface Scope {
  readonly name: string
}

interface MetricsRequest {
  readonly resource_metrics: {
    readonly resource: Owner
    readonly scope_metrics: { readonly scope: Scope; readonly metrics: OfficialMetric[] }[]
  }[]
}

interface LogsRequest {
  readonly resource_logs: {
    readonly resource: Owner
    readonly scope_logs: { readonly scope: Scope; readonly log_records: LogRecord[] }[]
  }[]
}

function codec<Decoded = Message>(name: string) {
  const type = root.lookupType(`opentelemetry.proto.${name}`)
  return {
    /** Field names as in the .proto files, 64-bit numbers as decimal text, every field present. */
    decode: (bytes: Uint8Array): Decoded =>
      type.toObject(type.decode(bytes), { longs: String, defaults: true }) as Decoded,
    encode: (message: object): Uint8Array => type.encode(type.fromObject(message)).finish(),
  }
}

export const metricsRequest = codec<MetricsRequest>('collector.metrics.v1.ExportMetricsServiceRequest')
export const metricsResponse = codec('collector.metrics.v1.ExportMetricsServiceResponse')
export const logsRequest = codec<LogsRequest>('collector.logs.v1.ExportLogsServiceRequest')
export const logsResponse = codec('collector.logs.v1.ExportLogsServiceResponse')

interface AnyValue {
  readonly value?: string
  readonly array_value?: { values: AnyValue[] }
  readonly kvlist_value?: { values: KeyValue[] }
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

export function toKeyValues(attributes: Readonly<Record<string, unknown>>): KeyValue[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: toAny(value) }))
}

/** And back, from what `decode` gives. */
export function fromAny(any: AnyValue): unknown {
  if (any.array_value) return any.array_value.values.map(fromAny)
  if (any.kvlist_value) return fromKeyValues(any.kvlist_value.values)
  if (any.int_value !== undefined) return Number(any.int_value)
  return any.string_value ?? any.bool_value ?? any.double_value ?? null
}

export function fromKeyValues(list: readonly KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(list.map(({ key, value }) => [key, fromAny(value)]))
}
