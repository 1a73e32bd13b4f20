// Readings as FHIR R4 (4.0.1) resources: https://hl7.org/fhir/R4/observation.html and device.html. Pure.
// Only what has a code that others know becomes a resource: MDC, LOINC, SNOMED CT. Ids follow from what was observed and
// when, so that sending again writes the same resource again.

import { createHash } from 'node:crypto'
import type { Attributes, Event, Sample, Series } from '../../core/model.ts'
import type { Opened } from './opened.ts'

export interface Coding {
  readonly system: string
  readonly code: string
}

interface Concept {
  readonly coding?: readonly Coding[]
  readonly text?: string
}

interface LogicalReference {
  readonly type: string
  readonly identifier: { readonly system: string; readonly value: string }
}

export interface Observation {
  readonly resourceType: 'Observation'
  readonly id: string
  readonly meta?: { readonly tag: readonly Coding[] }
  readonly status: 'final' | 'entered-in-error'
  readonly code: Concept
  readonly subject?: LogicalReference
  readonly encounter?: LogicalReference
  readonly effectiveDateTime: string
  readonly valueQuantity?: {
    readonly value: number
    readonly comparator?: string
    readonly unit: string
    readonly system: typeof ucum
    readonly code: string
  }
  readonly valueCodeableConcept?: Concept
  readonly dataAbsentReason?: Concept
  readonly bodySite?: Concept
  readonly device?: { readonly reference: string }
}

export interface Device {
  readonly resourceType: 'Device'
  readonly id: string
  readonly meta?: { readonly tag: readonly Coding[] }
  readonly identifier: readonly { readonly system: string; readonly value: string }[]
  readonly status: 'active'
  readonly location?: LogicalReference
}

export type Resource = Observation | Device

const ucum = 'http://unitsofmeasure.org'
const systems = {
  mdc: 'urn:iso:std:iso:11073:10101',
  loinc: 'http://loinc.org',
  snomed: 'http://snomed.info/sct',
} as const
/** Identifier systems of our own: pseudonyms and places mean something only within one site. */
const own = (what: string): string => `urn:fieldline:${what}`
/** EUI-64 as an identifier system, IEEE's arc of the registration authority. */
const eui64 = 'urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680'
const absent = 'http://terminology.hl7.org/CodeSystem/data-absent-reason'
/** Of what a simulator tells. */
const test = { tag: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'HTEST' }] }

/** Devices first, each once. */
export function resourcesOf({ samples, events, resource }: Opened): readonly Resource[] {
  const observations = [
    ...samples.map(sample => ofSample(sample, resource)),
    ...events.map(event => ofEvent(event, resource)),
  ].filter(o => o !== undefined)
  const about = [...samples.map(s => s.series), ...events].filter(isOurs).map(s => s.attributes)
  const devices = new Map(
    about.flatMap(a => (a.device === undefined ? [] : [[a.device, deviceOf(a, resource)] as const])),
  )
  // A transaction may name a resource once.
  const unique = new Map(observations.map(o => [o.id, o]))
  return unique.size === 0 ? [] : [...devices.values(), ...unique.values()]
}

function isOurs({ name, attributes }: Pick<Series, 'name' | 'attributes'>): boolean {
  return name.startsWith('hl7.observation.') || codingOf(name, attributes) !== undefined
}

function ofSample({ series, time, value }: Sample, resource: Attributes): Observation | undefined {
  const base = observation(series, time, resource)
  return base && { ...base, valueQuantity: quantity(value, series.unit) }
}

function quantity(value: number, unit: string): NonNullable<Observation['valueQuantity']> {
  return { value, unit, system: ucum, code: unit }
}

/** What a series lost, a coded state, a bound, or that a value was withdrawn; everything else is no observation. */
function ofEvent({ name, time, attributes, body }: Event, resource: Attributes): Observation | undefined {
  const { metric, reason, value } = attributes
  const kind = name.replace('hl7.observation.', '')
  if (typeof metric !== 'string' || !['no_value', 'state', 'bound', 'withdrawn'].includes(kind)) return undefined
  const base = observation({ name: metric, attributes }, time, resource)
  if (base === undefined) return undefined
  if (kind === 'withdrawn') return { ...base, status: 'entered-in-error' }
  if (kind === 'no_value') return { ...base, dataAbsentReason: why(String(reason)) }
  if (kind === 'state') return { ...base, valueCodeableConcept: concept(String(value)) }
  const bound = body as { readonly value?: unknown; readonly unit?: unknown; readonly comparator?: unknown }
  if (typeof bound.value !== 'number' || typeof bound.unit !== 'string') return undefined
  const { comparator } = bound
  return {
    ...base,
    valueQuantity: {
      ...quantity(bound.value, bound.unit),
      ...(typeof comparator === 'string' && comparator !== '=' && { comparator }),
    },
  }
}

function observation(
  { name, attributes }: Pick<Series, 'name' | 'attributes'>,
  time: number,
  resource: Attributes,
): Observation | undefined {
  const coding = codingOf(name, attributes)
  if (coding === undefined) return undefined
  const { patient, visit, device, site } = attributes
  return {
    resourceType: 'Observation',
    id: idOf(name, attributes, time),
    ...simulated(attributes, resource),
    status: 'final',
    code: { coding: [coding], text: name },
    ...(patient !== undefined && { subject: logical('Patient', 'patient', patient) }),
    ...(visit !== undefined && { encounter: logical('Encounter', 'visit', visit) }),
    effectiveDateTime: new Date(time).toISOString(),
    ...(typeof site === 'string' && { bodySite: concept(site) }),
    ...(device !== undefined && { device: { reference: `Device/${deviceId(attributes)}` } }),
  }
}

/** Undefined where nobody else knows the code. */
function codingOf(name: string, { mdc }: Attributes): Coding | undefined {
  if (typeof mdc === 'number') return { system: systems.mdc, code: String(mdc) }
  const [, system, code] = /^(loinc|snomed)\.([0-9-]+)$/.exec(name) ?? []
  return system === undefined ? undefined : { system: systems[system as 'loinc' | 'snomed'], code: code! }
}

/** `snomed.278149003` has a code; `mdc.ecg_sinus_rhy` is a reference id, whose number it does not say. */
function concept(name: string): Concept {
  const coding = codingOf(name, {})
  return coding === undefined ? { text: name } : { coding: [coding], text: name }
}

function why(reason: string): Concept {
  const code = reason === 'no value' ? 'temp-unknown' : reason.endsWith('not forwarded') ? 'masked' : 'error'
  return { coding: [{ system: absent, code }], text: reason }
}

function deviceOf(attributes: Attributes, resource: Attributes): Device {
  const name = String(attributes.device)
  const eui = /^[0-9A-Fa-f]{16}$/.test(name)
  return {
    resourceType: 'Device',
    id: deviceId(attributes),
    ...simulated(attributes, resource),
    identifier: [{ system: eui ? eui64 : own('device'), value: name }],
    status: 'active',
    ...(attributes.bed !== undefined && { location: logical('Location', 'bed', attributes.bed) }),
  }
}

function logical(type: string, what: string, value: string | number | boolean): LogicalReference {
  return { type, identifier: { system: own(what), value: String(value) } }
}

function simulated(attributes: Attributes, resource: Attributes): { readonly meta?: typeof test } {
  return attributes.simulated === true || resource.simulated === true ? { meta: test } : {}
}

/** The visit, the place and what is said beside the value are no part of what was observed. */
const beside = ['patient', 'visit', 'bed', 'metric', 'reason', 'value', 'flags', 'mdc']

function idOf(name: string, attributes: Attributes, time: number): string {
  const what = Object.entries(attributes)
    .filter(([key]) => !beside.includes(key))
    .sort()
  // A laboratory, or who sends for many beds, tells of several patients at one time.
  return digest(JSON.stringify([name, what, attributes.patient ?? attributes.bed ?? null, time]))
}

function deviceId({ device }: Attributes): string {
  return digest(JSON.stringify(['device', device]))
}

/** An id has at most 64 characters of A-Z, a-z, 0-9, "-" and ".". */
function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 40)
}
