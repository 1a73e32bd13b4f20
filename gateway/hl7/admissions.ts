// ADT: who lies where (v2.8.2, chapter 3). Told as events under pseudonyms, and remembered, so that what a monitor at
// the bed sends finds its patient. What is not about a bed (births, allergies, next of kin) is told by its trigger alone.

import type { Event } from '../../core/model.ts'
import { forget, occupy, rename, vacate } from './beds.ts'
import type { Clock } from './clock.ts'
import type { Message } from './message.ts'
import type { Segment } from './segment.ts'
import { attributesAt, bedOf, patientNames, type Reading, visitName } from './subject.ts'
import { eventOf } from './told.ts'

type Handler = (reading: Reading, person: Person) => { readonly name: string; readonly from?: string | undefined }

interface Person {
  readonly patient: string
  readonly visit: string | undefined
  /** PV1-3 */
  readonly bed: string | undefined
  /** MRG-1: who is merged into the patient. */
  readonly merged: readonly string[]
  readonly time: number
  /** EVN, PID and what belongs to it. */
  readonly segments: readonly Segment[]
}

const arrive: Handler = ({ draft }, { patient, visit, bed, time }) => {
  const from = draft.whereabouts.get(patient)
  if (bed !== undefined) occupy(draft, bed, { patient, ...(visit !== undefined && { visit }) }, time)
  return {
    name: from === undefined || from === bed ? 'admitted' : 'transferred',
    from: from === bed ? undefined : from,
  }
}

/** A17: two change beds; the one who is told of second was already driven out by the first. */
const swap: Handler = (reading, person) => ({ ...arrive(reading, person), name: 'transferred' })

/** A transfer to a place without a bed leaves the bed all the same. */
const move: Handler = (reading, person) => {
  const { draft } = reading
  const from = draft.whereabouts.get(person.patient)
  if (person.bed === undefined) vacate(draft, person.patient, person.time)
  else arrive(reading, person)
  return { name: 'transferred', from: from === person.bed ? undefined : from }
}

const leave: Handler = ({ draft }, { patient, time }) => ({ name: 'discharged', from: vacate(draft, patient, time) })

const unadmit: Handler = ({ draft }, { patient }) => ({ name: 'admission_cancelled', from: forget(draft, patient) })

/** PV1-3 of A12 is where the patient was before the transfer that is taken back (3.3.12). */
const unmove: Handler = (reading, person) => {
  const from = forget(reading.draft, person.patient)
  if (person.bed !== undefined) arrive(reading, person)
  return { name: 'transfer_cancelled', from }
}

const unleave: Handler = (reading, person) => {
  arrive(reading, person)
  return { name: 'discharge_cancelled' }
}

/**
 * An update moves nobody, but where nothing was known of the patient it tells where the patient lies. Of one who has left it
 * still names the bed (PV1-3, and PV1-45 when): nobody comes back by it, nor is another driven out.
 */
const update: Handler = (reading, person) => {
  const { draft } = reading
  const { bed, patient, segments } = person
  const hasLeft = segments.some(s => s.name === 'PV1' && !s.field(45).isEmpty && !s.field(45).isNull)
  const isFree = (draft.beds.get(bed ?? '') ?? []).every(stay => stay.to !== undefined && stay.patient !== patient)
  if (bed !== undefined && draft.whereabouts.get(patient) === undefined && isFree && !hasLeft) arrive(reading, person)
  return { name: 'updated' }
}

const merge: Handler = ({ draft }, { patient, merged, time }) => {
  for (const other of merged) rename(draft, other, patient, time)
  return { name: 'merged' }
}

const handlers: Readonly<Record<string, Handler>> = {
  A01: arrive,
  A02: move,
  A03: leave,
  A04: arrive,
  A06: move,
  A07: move,
  A08: update,
  A11: unadmit,
  A12: unmove,
  A13: unleave,
  A17: swap,
  A18: merge,
  A23: leave,
  A34: merge,
  A36: merge,
  A39: merge,
  A40: merge,
  A46: merge,
  A47: merge,
}

export function mapAdmission(reading: Reading, clock: Clock): readonly Event[] {
  const { message } = reading
  const event = message.segment('EVN')
  // EVN-6 is when it happened, EVN-2 when it was written down.
  const time = clock.first([event?.field(6).component(), event?.field(2).component()])
  const handler = handlers[message.trigger]
  const people = peopleOf(reading, message, time)
  if (handler === undefined || people.length === 0) return [told(reading, undefined, 'noted', time)]
  return people.map(person => {
    const { name, from } = handler(reading, person)
    return told(reading, person, name, time, from)
  })
}

/** A17 and A40 speak of several patients, each with the PV1 or MRG behind it. */
function peopleOf(reading: Reading, message: Message, time: number): readonly Person[] {
  const people: Person[] = []
  for (const [n, segment] of message.segments.entries()) {
    if (segment.name !== 'PID') continue
    const rest = message.segments.slice(n + 1)
    const end = rest.findIndex(s => s.name === 'PID')
    const own = end < 0 ? rest : rest.slice(0, end)
    const person = personOf(reading, segment, own, time)
    if (person !== undefined) people.push(person)
  }
  return people
}

function personOf(reading: Reading, pid: Segment, own: readonly Segment[], time: number): Person | undefined {
  const [patient, ...older] = patientNames(reading, pid)
  if (patient === undefined) return undefined
  for (const name of older) rename(reading.draft, name, patient, time)
  const visit = own.find(s => s.name === 'PV1')
  const merged = own.filter(s => s.name === 'MRG').flatMap(s => patientNames(reading, s, 1))
  const event = reading.message.segment('EVN')
  const segments = [...(event === undefined ? [] : [event]), pid, ...own]
  return { patient, visit: visitName(reading, visit), bed: bedOf(reading, visit), merged, time, segments }
}

function told(reading: Reading, person: Person | undefined, what: string, time: number, from?: string): Event {
  const { patient, visit, bed, merged } = person ?? { merged: [] }
  const patients = patient === undefined ? [] : [patient]
  const place = { device: undefined, instrument: undefined, bed, isUnplaced: false, patients, visit }
  const attributes = {
    ...attributesAt(reading, place, time),
    trigger: reading.message.trigger,
    ...(from !== undefined && { from }),
    ...(merged[0] !== undefined && { merged: merged[0] }),
  }
  const body = person === undefined ? {} : forwarded(reading, person.segments)
  return eventOf({ name: `hl7.patient.${what}`, severity: 'info', time, body }, { attributes })
}

/** The fields that the configuration lets out beside the place, by their names: `{ "PID-8": "F" }`. */
function forwarded({ options }: Reading, segments: readonly Segment[]): Readonly<Record<string, string>> {
  const texts = options.forward
    .filter(field => field !== 'PV1-3' && /^(?:PID|PV1|PV2|EVN)-/.test(field))
    .map(field => {
      const [name, n] = field.split('-')
      return [
        field,
        segments
          .find(s => s.name === name)
          ?.field(Number(n))
          .value() ?? '',
      ] as const
    })
  return Object.fromEntries(texts.filter(([, text]) => text !== ''))
}
