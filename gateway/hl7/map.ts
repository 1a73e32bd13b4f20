// What a message means: samples and events. Pure but for the draft of what is remembered, which its caller commits once
// what came of the message is durable.

import { Refused } from '../../core/errors.ts'
import type { Attributes, Event, Observation, Sample } from '../../core/model.ts'
import { mapAdmission } from './admissions.ts'
import { mapAlert } from './alerts.ts'
import { occupant, rename, stand } from './beds.ts'
import { Clock } from './clock.ts'
import { type Group, groupsOf } from './groups.ts'
import type { Message } from './message.ts'
import { mapObservations } from './observations.ts'
import {
  attributesAt,
  bedOf,
  deviceOf,
  type MapContext,
  namesSomebody,
  type Place,
  patientNames,
  type Reading,
  readingOf,
  type Subject,
  senderOf,
  visitName,
} from './subject.ts'
import { eventOf, tellChange } from './told.ts'

export type { MapContext } from './subject.ts'

/** @throws Refused where the message makes no sense; it is then answered so, and kept aside. The reason quotes nothing of it. */
export function map(message: Message, context: MapContext): Observation {
  if (!/^[A-Z][A-Z0-9]{2}$/.test(message.type)) throw new Refused('MSH-9 names no type of message')
  if (!/^(?:[A-Z][A-Z0-9]\d)?$/.test(message.trigger)) throw new Refused('MSH-9 names no trigger event')
  const reading = readingOf(message, context)
  const clock = new Clock(reading)
  if (message.type === 'ADT') return { samples: [], events: mapAdmission(reading, clock) }
  if (message.type === 'ORU' || message.type === 'OUL') return mapResults(reading, clock)
  return { samples: [], events: [noted(reading)] }
}

function mapResults(reading: Reading, clock: Clock): Observation {
  const groups = groupsOf(reading.message)
  if (groups.length === 0) throw new Refused(`${reading.message.type} without an OBR and without an OBX`)
  const samples: Sample[] = []
  const events: Event[] = []
  for (const group of groups) {
    const place = placeOf(reading, group)
    events.push(...clock.skew(place.device ?? reading.sender, new Lazily(reading, place)))
    events.push(...learn(reading, group, place, clock))
    if (reading.message.trigger === 'R40') events.push(...mapAlert(reading, group, place, clock))
    else {
      const mapped = mapObservations(reading, group, place, clock)
      samples.push(...mapped.samples)
      events.push(...mapped.events)
    }
  }
  return { samples, events }
}

/**
 * Its attributes are made when there is something to tell. A class, for V8 gives each literal with a getter a shape of its
 * own, by which the garbage of one message holds on to that of the next.
 */
class Lazily implements Subject {
  readonly #reading: Reading
  readonly #place: Place

  constructor(reading: Reading, place: Place) {
    this.#reading = reading
    this.#place = place
  }

  get attributes(): Attributes {
    return attributesAt(this.#reading, this.#place, this.#reading.time)
  }
}

function placeOf(reading: Reading, group: Group): Place {
  const { visit, observations } = group
  const measuring = deviceIn(reading, observations)
  const patients = patientNames(reading, group.patient)
  return {
    device: measuring ?? participantIn(reading, group) ?? senderOf(reading, reading.message.header.field(3)),
    instrument: isOfOne(observations) ? measuring : undefined,
    bed: bedOf(reading, visit),
    isUnplaced: !saysPlace(group) && (patients.length > 0 || !namesSomebody(group)),
    patients,
    visit: visitName(reading, visit),
  }
}

/** PV1-3, though it may name no bed, or one that is not told. */
function saysPlace({ visit }: Group): boolean {
  return visit !== undefined && !visit.field(3).isEmpty
}

/** The MDS', else the first that an observation names. */
function deviceIn(reading: Reading, observations: Group['observations']): string | undefined {
  const { mds } = reading.words.layout(observations)
  const own = mds === undefined ? undefined : deviceOf(reading, observations[mds]!.field(18))
  if (own !== undefined) return own
  for (const segment of observations) {
    const device = deviceOf(reading, segment.field(18))
    if (device !== undefined) return device
  }
  return undefined
}

function isOfOne(observations: Group['observations']): boolean {
  let first = ''
  for (const segment of observations) {
    const { text } = segment.field(18)
    if (first === '') first = text
    else if (text !== '' && text !== first) return false
  }
  return true
}

/** PRT-10, from 2.7 on. It need not stand at the bed: of an alert it may be a nurse's telephone. */
function participantIn(reading: Reading, { participants }: Group): string | undefined {
  return participants.map(s => deviceOf(reading, s.field(10))).find(d => d !== undefined)
}

/** Where the device stands, and whether the message speaks of another patient than lies there. */
function learn(reading: Reading, group: Group, place: Place, clock: Clock): readonly Event[] {
  const { draft, time } = reading
  const { instrument, bed, patients } = place
  if (instrument !== undefined && saysPlace(group))
    stand(draft, instrument, bed, clock.first([group.order?.field(7).component()]), time)
  const [patient, ...older] = patients
  for (const name of older) rename(draft, name, patient!, time)
  if (bed === undefined || patient === undefined) return []
  const there = occupant(draft, bed, time)
  const other = there !== undefined && there.patient !== patient ? there.patient : undefined
  const attributes = { ...attributesAt(reading, place, time), other: other ?? '' }
  const begin = { name: 'hl7.patient.mismatch', severity: 'warning', time } as const
  return tellChange(draft.told, `patient|${bed}`, other && `${patient}|${other}`, { begin }, { attributes })
}

/** A kind of message that holds nothing for us: that it came is told, no more. */
function noted(reading: Reading): Event {
  const { type, trigger } = reading.message
  const attributes = { source: reading.source, ...reading.options.attributes, type, trigger }
  return eventOf({ name: 'hl7.message', severity: 'info', time: reading.time }, { attributes })
}
