// OpenTelemetry's AnyValue and KeyValue, both ways (opentelemetry/proto/common/v1/common.proto).
// AnyValue: string 1, bool 2, int 3, double 4, array 5 {values 1}, map 6 {KeyValue 1}, bytes 7. KeyValue: key 1, value 2.

import { Refused } from '../errors.ts'
import type { Attributes, Json } from '../model.ts'
import type { ProtoReader, ProtoWriter } from '../protobuf.ts'

/** Arrays and maps within one another. Thirty maps are 90 protobuf messages; readers commonly refuse past 100. */
const maxDepth = 30
/** Items in one list, keys in one map, attributes of one thing: two bytes make one, so the bytes alone are no bound. */
const maxItems = 2 ** 17

/** 2^64 ns. */
const endOfTime = 18_446_744_073_709

/** @throws Refused where `time`, in ms, is not one that 64 bits of nanoseconds since the epoch hold. */
export function checkTime(time: number, name: string): void {
  if (!(time >= 0 && time < endOfTime)) throw new Refused(`otlp: ${name}: time ${time} does not fit`)
}

/** Each attribute as a KeyValue in `field`. */
export function writeAttributes(out: ProtoWriter, field: number, attributes: Attributes): void {
  for (const key in attributes) writeKeyValue(out, field, key, attributes[key]!, 0)
}

/** @throws Refused on a number that is not finite, and on values nested too deep. */
export function writeAnyValue(out: ProtoWriter, field: number, value: Json, depth = 0): void {
  const start = out.open(field)
  if (typeof value === 'string') out.string(1, value)
  else if (typeof value === 'boolean') out.uint(2, value ? 1 : 0)
  else if (typeof value === 'number') writeNumber(out, value)
  else if (value !== null) writeNested(out, value, depth + 1)
  out.close(start)
}

function writeNumber(out: ProtoWriter, value: number): void {
  if (!Number.isFinite(value)) throw new Refused(`otlp: ${value} stands where a finite number belongs`)
  if (Number.isSafeInteger(value)) out.int(3, value)
  else out.double(4, value)
}

function writeNested(out: ProtoWriter, value: Exclude<Json, string | number | boolean | null>, depth: number): void {
  if (depth > maxDepth) throw new Refused(`otlp: a value is nested deeper than ${maxDepth}`)
  const isArray = Array.isArray(value)
  const start = out.open(isArray ? 5 : 6)
  if (isArray) for (const item of value) writeAnyValue(out, 1, item, depth)
  else for (const [key, item] of Object.entries(value)) writeKeyValue(out, 1, key, item, depth)
  out.close(start)
}

function writeKeyValue(out: ProtoWriter, field: number, key: string, value: Json, depth: number): void {
  const start = out.open(field)
  out.string(1, key)
  writeAnyValue(out, 2, value, depth)
  out.close(start)
}

/** Reads the KeyValue at hand. */
export function readKeyValue(input: ProtoReader, depth = 0): [key: string, value: Json] {
  const outer = input.enter()
  let key = ''
  let value: Json = null
  for (let field = input.next(); field !== 0; field = input.next()) {
    if (field === 1) key = input.string()
    else if (field === 2) value = readAnyValue(input, depth)
    else input.skip()
  }
  input.leave(outer)
  return [key, value]
}

/**
 * Reads the AnyValue at hand. What JSON has no word for becomes text: bytes as base64, integers beyond 2^53 as their
 * digits, numbers that are not finite as `NaN`, `Infinity`, `-Infinity`.
 */
export function readAnyValue(input: ProtoReader, depth = 0): Json {
  const outer = input.enter()
  let value: Json = null
  for (let field = input.next(); field !== 0; field = input.next()) {
    if (field === 1) value = input.string()
    else if (field === 2) value = input.uint() !== 0
    else if (field === 3) value = integer(input.int64())
    else if (field === 4) value = finite(input.double())
    else if (field === 5 || field === 6) value = readNested(input, field, depth + 1)
    else if (field === 7) value = Buffer.from(input.bytes()).toString('base64')
    else input.skip()
  }
  input.leave(outer)
  return value
}

function integer(value: bigint): number | string {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : String(value)
}

function finite(value: number): number | string {
  return Number.isFinite(value) ? value : String(value)
}

function readNested(input: ProtoReader, kind: 5 | 6, depth: number): Json {
  if (depth > maxDepth) throw new RangeError(`otlp: a value is nested deeper than ${maxDepth}`)
  const outer = input.enter()
  const items: Json[] = []
  const entries: [string, Json][] = []
  for (let field = input.next(); field !== 0; field = input.next()) {
    if (field !== 1) input.skip()
    else if (kind === 5) append(items, readAnyValue(input, depth))
    else append(entries, readKeyValue(input, depth))
  }
  input.leave(outer)
  return kind === 5 ? items : Object.fromEntries(entries)
}

/** @throws RangeError where the list would grow out of hand. */
export function append<T>(list: T[], item: T): void {
  if (list.push(item) > maxItems) throw new RangeError(`otlp: more than ${maxItems} items in one list`)
}

/** Attributes are scalar here: a nested value becomes its JSON text, an empty one the empty text. */
export function toAttributes(entries: readonly (readonly [string, Json])[]): Attributes {
  return Object.fromEntries(entries.map(([key, value]) => [key, scalar(value)]))
}

function scalar(value: Json): string | number | boolean {
  if (value === null) return ''
  return typeof value === 'object' ? JSON.stringify(value) : value
}

/** Reads the Resource at hand (attributes 1). */
export function readResource(input: ProtoReader): Attributes {
  const outer = input.enter()
  const entries: [string, Json][] = []
  for (let field = input.next(); field !== 0; field = input.next()) {
    if (field === 1) append(entries, readKeyValue(input))
    else input.skip()
  }
  input.leave(outer)
  return toAttributes(entries)
}
