// Events as OTLP log records, both ways (ExportLogsServiceRequest: opentelemetry/proto/logs/v1/logs.proto).
// LogRecord: time 1, severity_number 2, severity_text 3, body 5, attributes 6, observed_time 11, event_name 12.

import type { Attributes, Event, Json, Severity } from '../model.ts'
import { ProtoReader, ProtoWriter } from '../protobuf.ts'
import {
  append,
  checkTime,
  readAnyValue,
  readKeyValue,
  readResource,
  toAttributes,
  writeAnyValue,
  writeAttributes,
} from './values.ts'

const severityNumbers = { info: 9, warning: 13, error: 17, critical: 21 } as const
const severityTexts = { info: 'INFO', warning: 'WARN', error: 'ERROR', critical: 'FATAL' } as const

export interface ResourceEvent {
  readonly resource: Attributes
  readonly event: Event
}

/** @throws Refused on a time or a number that OTLP cannot hold, or a body nested too deep. */
export function encodeLogs(resource: Attributes, events: readonly Event[]): Uint8Array {
  const out = new ProtoWriter(256 + 256 * events.length)
  const resourceLogs = out.open(1)
  const resourceField = out.open(1)
  writeAttributes(out, 1, resource)
  out.close(resourceField)
  const scopeLogs = out.open(2)
  const scope = out.open(1)
  out.string(1, 'fieldline')
  out.close(scope)
  for (const event of events) writeRecord(out, event)
  out.close(scopeLogs)
  out.close(resourceLogs)
  return out.finish()
}

function writeRecord(out: ProtoWriter, event: Event): void {
  const nanos = toNanos(event)
  const record = out.open(2)
  out.fixed64(1, nanos)
  out.uint(2, severityNumbers[event.severity])
  out.string(3, severityTexts[event.severity])
  if (event.body !== null) writeAnyValue(out, 5, event.body)
  writeAttributes(out, 6, event.attributes)
  out.fixed64(11, nanos)
  out.string(12, event.name)
  out.close(record)
}

function toNanos({ name, time }: Event): bigint {
  checkTime(time, name)
  const whole = Math.floor(time)
  return BigInt(whole) * 1_000_000n + BigInt(Math.round((time - whole) * 1e6))
}

/**
 * Every log record as an event. A record without a name is named by its attribute `event.name`, else `log`; one without
 * a time has the time it was observed, in whole ms. Severities: up to 12 (DEBUG, INFO) `info`, then in OTLP's steps.
 * @throws RangeError on malformed bytes, and on more than 2^17 records.
 */
export function decodeLogs(bytes: Uint8Array): ResourceEvent[] {
  const found: ResourceEvent[] = []
  const input = new ProtoReader(bytes)
  for (let field = input.next(); field !== 0; field = input.next()) {
    if (field === 1) readResourceLogs(input, found)
    else input.skip()
  }
  return found
}

function readResourceLogs(input: ProtoReader, found: ResourceEvent[]): void {
  const outer = input.enter()
  const events: Event[] = []
  let resource: Attributes = {}
  for (let field = input.next(); field !== 0; field = input.next()) {
    if (field === 1) resource = readResource(input)
    else if (field === 2) readScopeLogs(input, events)
    else input.skip()
  }
  input.leave(outer)
  for (const event of events) append(found, { resource, event })
}

function readScopeLogs(input: ProtoReader, events: Event[]): void {
  const outer = input.enter()
  for (let field = input.next(); field !== 0; field = input.next()) {
    if (field === 2) append(events, readRecord(input))
    else input.skip()
  }
  input.leave(outer)
}

function readRecord(input: ProtoReader): Event {
  const outer = input.enter()
  const entries: [string, Json][] = []
  let [time, observed, severity, name] = [0, 0, 0, '']
  let body: Json = null
  for (let field = input.next(); field !== 0; field = input.next()) {
    if (field === 1) time = input.fixed64Millis()
    else if (field === 2) severity = input.uint()
    else if (field === 5) body = readAnyValue(input)
    else if (field === 6) append(entries, readKeyValue(input))
    else if (field === 11) observed = input.fixed64Millis()
    else if (field === 12) name = input.string()
    else input.skip()
  }
  input.leave(outer)
  const attributes = toAttributes(entries)
  name ||= String(attributes['event.name'] ?? 'log')
  return { name, time: time || observed, severity: toSeverity(severity), body, attributes }
}

function toSeverity(number: number): Severity {
  if (number < severityNumbers.warning) return 'info'
  if (number < severityNumbers.error) return 'warning'
  return number < severityNumbers.critical ? 'error' : 'critical'
}
