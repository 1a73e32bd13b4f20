// One OBX: a sample, an event, or nothing and the reason why. What cannot be true is never a measurement.

import type { Event, Sample } from '../../core/model.ts'
import { nameOf } from './coded.ts'
import { implausible } from './metrics.ts'
import { own } from './own.ts'
import type { Segment } from './segment.ts'
import { type Read, readStructured } from './sentinels.ts'
import type { Standing } from './standing.ts'
import { type Flags, statusFault } from './status.ts'
import { numberIn, type Reading } from './subject.ts'
import { eventOf, tellChange } from './told.ts'

/** What is made of one OBX. */
export interface Finding {
  readonly segment: Segment
  readonly time: number
  readonly standing: Standing
}

export interface Measured {
  readonly sample?: Sample
  readonly events: readonly Event[]
}

/** `lacksStatus`: OBX-11 of this sender says nothing. */
export function measure(reading: Reading, finding: Finding, lacksStatus: boolean): Measured {
  const { segment, standing } = finding
  const status = lacksStatus ? '' : segment.field(11).component().trim()
  const flags = reading.words.flags(segment.field(8))
  const fault = statusFault(status) ?? flags.fault
  const gone = status === 'W' || status === 'D' ? [withdrawn(finding)] : []
  if (fault !== undefined) return { events: [...gone, ...noValue(reading, finding, fault)] }
  const type = segment.field(2).component().trim()
  if (type !== 'NM' && type !== 'SN') return { events: notNumeric(reading, finding, type) }
  const read = type === 'NM' ? numeric(finding, reading) : structured(finding, reading)
  if ('none' in read) return { events: noValue(reading, finding, isUnitNumber(finding) ? misplaced : 'no value') }
  if ('wrong' in read) return { events: noValue(reading, finding, read.wrong) }
  const unit = unitIn(finding, reading)
  if (unit === undefined) return { events: noValue(reading, finding, unitFault(finding)) }
  const wrong = implausible(standing.metric, read.value, unit)
  if (wrong !== undefined) return { events: noValue(reading, finding, wrong) }
  if (read.comparator !== undefined) return { events: bounded(reading, finding, read, unit) }
  const sample = { series: standing.series(unit), time: finding.time, value: read.value }
  const events = [
    ...noValue(reading, finding, undefined),
    ...flagged(reading, finding, flags),
    ...(status === 'C' ? [corrected(finding)] : []),
  ]
  return { sample, events }
}

function numeric({ segment }: Finding, reading: Reading): Read {
  const field = segment.field(5)
  if (field.repetitions > 1) return { wrong: 'several values in one field' }
  if (field.component(2) !== '') return { wrong: 'more than a number in the field' }
  return numberIn(reading, field.component())
}

function structured({ segment }: Finding, reading: Reading): Read {
  const field = segment.field(5)
  if (field.repetitions > 1) return { wrong: 'several values in one field' }
  const parts = [1, 2, 3, 4].map(n => field.component(n))
  return readStructured(parts, text => numberIn(reading, text))
}

function unitIn({ segment, standing }: Finding, reading: Reading): string | undefined {
  const field = segment.field(6)
  return field.isEmpty && standing.metric?.isRatio ? '1' : reading.words.unit(field)
}

const misplaced = 'a number where the unit belongs'

function isUnitNumber({ segment }: Finding): boolean {
  const field = segment.field(6)
  return /^[+-]?\d[\d.]*$/.test(field.component()) && field.component(2) === ''
}

function unitFault(finding: Finding): string {
  if (isUnitNumber(finding)) return misplaced
  return finding.segment.field(6).component() === '' ? 'no unit' : 'an unknown unit'
}

/** Other types than numbers: codes are told when they change, texts and documents stay here. */
function notNumeric(reading: Reading, finding: Finding, type: string): readonly Event[] {
  const { segment } = finding
  const field = segment.field(5)
  if (field.isEmpty || field.isNull) return noValue(reading, finding, 'no value')
  const coded = ['CE', 'CWE', 'CNE', 'CF', 'ST', 'IS', 'ID'].includes(type) ? reading.words.coded(field) : undefined
  if (coded !== undefined) return stateOf(reading, finding, nameOf(coded))
  if (reading.options.forward.includes('OBX-5')) return stateOf(reading, finding, own(field.value().slice(0, 1000)))
  const reason = withheld(type, field.component())
  return noValue(reading, finding, reason, reason.endsWith('not forwarded') ? 'info' : 'warning')
}

function withheld(type: string, text: string): string {
  if (type === '') return 'a value without its type'
  if (/^\s*[<>]?[+-]?\d+(?:[.,]\d+)?/.test(text) && ['ST', 'TX', 'FT'].includes(type)) return 'a number in a text field'
  if (['NA', 'MA', 'NR'].includes(type)) return 'numbers of no waveform'
  if (['CE', 'CWE', 'CNE', 'CF', 'IS', 'ID'].includes(type)) return 'a code of no system that may leave'
  return ['DT', 'TM', 'TS', 'DTM'].includes(type) ? 'a date, not forwarded' : 'a text, not forwarded'
}

function stateOf(reading: Reading, finding: Finding, value: string): readonly Event[] {
  const key = finding.standing.keys.state
  if (reading.draft.told.get(key) === value) return []
  const { time } = finding
  const { name, attributes } = finding.standing
  const begin = { name: 'hl7.observation.state', severity: 'info', time, attributes: { metric: name, value } } as const
  return tellChange(reading.draft.told, key, value, { begin }, { attributes })
}

/** Told when a series loses its value, and when it has one again. */
function noValue(
  reading: Reading,
  finding: Finding,
  reason: string | undefined,
  severity: 'info' | 'warning' = reason === 'no value' ? 'info' : 'warning',
): readonly Event[] {
  const key = finding.standing.keys.value
  if (reading.draft.told.get(key) === reason) return []
  const { time } = finding
  const { name, attributes } = finding.standing
  const begin = { name: 'hl7.observation.no_value', severity, time, attributes: { metric: name, reason: reason ?? '' } }
  const end = { name: 'hl7.observation.valid', severity: 'info', time, attributes: { metric: name } } as const
  return tellChange(reading.draft.told, key, reason, { begin, end }, { attributes })
}

function flagged(reading: Reading, finding: Finding, { said, isUrgent }: Flags): readonly Event[] {
  const key = finding.standing.keys.flag
  const flags = said.join(' ')
  if ((reading.draft.told.get(key) ?? '') === flags) return []
  const { time } = finding
  const { name, attributes } = finding.standing
  const severity = isUrgent ? 'warning' : 'info'
  const begin = { name: 'hl7.observation.abnormal', severity, time, attributes: { metric: name, flags } } as const
  const end = { name: 'hl7.observation.normal', severity: 'info', time, attributes: { metric: name } } as const
  return tellChange(reading.draft.told, key, flags || undefined, { begin, end }, { attributes })
}

/** Below or above what the method can tell: a bound, and no measurement. */
function bounded(
  reading: Reading,
  { time, standing }: Finding,
  { value, comparator }: Extract<Read, { value: number }>,
  unit: string,
): readonly Event[] {
  const body = { comparator: comparator ?? '=', value, unit }
  const attributes = { metric: standing.name }
  const begin = { name: 'hl7.observation.bound', severity: 'info', time, body, attributes } as const
  return tellChange(reading.draft.told, standing.keys.bound, `${body.comparator}${value}`, { begin }, standing)
}

function corrected({ time, standing: { name, attributes } }: Finding): Event {
  const told = { name: 'hl7.observation.corrected', severity: 'info', time, attributes: { metric: name } } as const
  return eventOf(told, { attributes })
}

function withdrawn({ time, standing: { name, attributes } }: Finding): Event {
  const told = { name: 'hl7.observation.withdrawn', severity: 'warning', time, attributes: { metric: name } } as const
  return eventOf(told, { attributes })
}
