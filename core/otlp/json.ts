// OTLP/JSON to OTLP/protobuf (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding): lowerCamelCase names,
// 64-bit integers as decimal text or number, enum values as integers, bytes as base64. Unknown names are ignored, and
// so are the parts that Fieldline does not read (exemplars, trace ids): they are not in the tables below.

import { Refused } from '../errors.ts'
import { ProtoWriter } from '../protobuf.ts'
import { isMap } from '../shape.ts'

type Scalar = 'string' | 'bool' | 'uint32' | 'int64' | 'fixed64' | 'sfixed64' | 'double' | 'bytes'

/** Field number and type by JSON name; a type in brackets is repeated. A function stands for a table further down. */
type Type = Scalar | Table | (() => Table)
type Table = { readonly [name: string]: readonly [number: number, type: Type | readonly [Type]] }

const keyValue: Table = { key: [1, 'string'], value: [2, () => anyValue] }
const anyValue: Table = {
  stringValue: [1, 'string'],
  boolValue: [2, 'bool'],
  intValue: [3, 'int64'],
  doubleValue: [4, 'double'],
  arrayValue: [5, { values: [1, [() => anyValue]] }],
  kvlistValue: [6, { values: [1, [keyValue]] }],
  bytesValue: [7, 'bytes'],
}
const resource: Table = { attributes: [1, [keyValue]] }
const scope: Table = { name: [1, 'string'], version: [2, 'string'], attributes: [3, [keyValue]] }

const point: Table = { startTimeUnixNano: [2, 'fixed64'], timeUnixNano: [3, 'fixed64'] }
const numberPoint: Table = {
  ...point,
  asDouble: [4, 'double'],
  asInt: [6, 'sfixed64'],
  attributes: [7, [keyValue]],
  flags: [8, 'uint32'],
}
const histogramPoint: Table = {
  ...point,
  count: [4, 'fixed64'],
  sum: [5, 'double'],
  bucketCounts: [6, ['fixed64']],
  explicitBounds: [7, ['double']],
  attributes: [9, [keyValue]],
  flags: [10, 'uint32'],
}
const exponentialPoint: Table = {
  ...point,
  attributes: [1, [keyValue]],
  count: [4, 'fixed64'],
  sum: [5, 'double'],
  flags: [10, 'uint32'],
}
const summaryPoint: Table = {
  ...point,
  count: [4, 'fixed64'],
  sum: [5, 'double'],
  quantileValues: [6, [{ quantile: [1, 'double'], value: [2, 'double'] }]],
  attributes: [7, [keyValue]],
  flags: [8, 'uint32'],
}
const metric: Table = {
  name: [1, 'string'],
  description: [2, 'string'],
  unit: [3, 'string'],
  gauge: [5, { dataPoints: [1, [numberPoint]] }],
  sum: [7, { dataPoints: [1, [numberPoint]], aggregationTemporality: [2, 'uint32'], isMonotonic: [3, 'bool'] }],
  histogram: [9, { dataPoints: [1, [histogramPoint]], aggregationTemporality: [2, 'uint32'] }],
  exponentialHistogram: [10, { dataPoints: [1, [exponentialPoint]], aggregationTemporality: [2, 'uint32'] }],
  summary: [11, { dataPoints: [1, [summaryPoint]] }],
}
const logRecord: Table = {
  timeUnixNano: [1, 'fixed64'],
  severityNumber: [2, 'uint32'],
  severityText: [3, 'string'],
  body: [5, anyValue],
  attributes: [6, [keyValue]],
  observedTimeUnixNano: [11, 'fixed64'],
  eventName: [12, 'string'],
}

/** ExportMetricsServiceRequest and ExportLogsServiceRequest. */
const requests = {
  metrics: {
    resourceMetrics: [
      1,
      [{ resource: [1, resource], scopeMetrics: [2, [{ scope: [1, scope], metrics: [2, [metric]] }]] }],
    ],
  },
  logs: {
    resourceLogs: [
      1,
      [{ resource: [1, resource], scopeLogs: [2, [{ scope: [1, scope], logRecords: [2, [logRecord]] }]] }],
    ],
  },
} as const satisfies Record<string, Table>

export type Signal = keyof typeof requests

/** Messages within one another. */
const maxDepth = 100

/** @throws Refused on anything that is not OTLP/JSON, naming the field. */
export function fromJson(signal: Signal, json: Uint8Array): Uint8Array {
  const message = parse(json)
  if (!isMap(message)) throw new Refused('otlp json: expected a map')
  const out = new ProtoWriter(json.length)
  writeMessage(out, requests[signal], message, 0)
  return out.finish()
}

function parse(json: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(json.buffer, json.byteOffset, json.length).toString('utf8'))
  } catch (cause) {
    throw new Refused('otlp json: not JSON', { cause })
  }
}

function writeMessage(out: ProtoWriter, table: Table, message: Record<string, unknown>, depth: number): void {
  if (depth > maxDepth) throw new Refused(`otlp json: nested deeper than ${maxDepth}`)
  for (const name in table) {
    const value = message[name]
    if (value === undefined || value === null) continue
    const [number, type] = table[name]!
    if (!isList(type)) writeField(out, number, type, value, name, depth)
    else if (!Array.isArray(value)) throw wrong(name, 'a list', value)
    else for (const item of value) writeField(out, number, type[0], item, name, depth)
  }
}

function isList(type: Type | readonly [Type]): type is readonly [Type] {
  return Array.isArray(type)
}

function writeField(out: ProtoWriter, field: number, type: Type, value: unknown, name: string, depth: number): void {
  if (typeof type === 'string') {
    writers[type](out, field, value, name)
    return
  }
  if (!isMap(value)) throw wrong(name, 'a map', value)
  const start = out.open(field)
  writeMessage(out, typeof type === 'function' ? type() : type, value, depth + 1)
  out.close(start)
}

type Write = (out: ProtoWriter, field: number, value: unknown, name: string) => void

const writers: Readonly<Record<Scalar, Write>> = {
  string: (out, field, value, name) => {
    if (typeof value !== 'string') throw wrong(name, 'a text', value)
    out.string(field, value)
  },
  bool: (out, field, value, name) => {
    if (typeof value !== 'boolean') throw wrong(name, 'true or false', value)
    out.uint(field, value ? 1 : 0)
  },
  uint32: (out, field, value, name) => out.uint(field, Number(integer(value, name, 0n, 2n ** 32n))),
  int64: (out, field, value, name) => out.int(field, integer(value, name, -(2n ** 63n), 2n ** 63n)),
  fixed64: (out, field, value, name) => out.fixed64(field, integer(value, name, 0n, 2n ** 64n)),
  sfixed64: (out, field, value, name) => out.fixed64(field, integer(value, name, -(2n ** 63n), 2n ** 63n)),
  double: (out, field, value, name) => out.double(field, double(value, name)),
  bytes: (out, field, value, name) => {
    if (typeof value !== 'string') throw wrong(name, 'base64', value)
    out.bytes(field, Buffer.from(value, 'base64'))
  },
}

/** From `low` to below `high`. */
function integer(value: unknown, name: string, low: bigint, high: bigint): bigint {
  const isInteger = typeof value === 'string' ? /^-?\d{1,20}$/.test(value) : Number.isInteger(value)
  if (!isInteger) throw wrong(name, 'a whole number', value)
  const found = BigInt(value as string | number)
  if (found < low || found >= high) throw wrong(name, `a number from ${low} to below ${high}`, value)
  return found
}

function double(value: unknown, name: string): number {
  if (typeof value === 'number') return value
  const found = typeof value === 'string' && value.trim() !== '' ? Number(value) : undefined
  if (found === undefined || (Number.isNaN(found) && value !== 'NaN')) throw wrong(name, 'a number', value)
  return found
}

function wrong(name: string, expected: string, value: unknown): Refused {
  return new Refused(`otlp json: ${name}: expected ${expected}, got ${JSON.stringify(value).slice(0, 60)}`)
}
