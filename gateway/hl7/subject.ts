// Of whom and of what a message tells: the patient's pseudonym, the bed, the device. Everything else that it says of a
// person stays here.

import type { Attributes } from '../../core/model.ts'
import { bedAt, occupant } from './beds.ts'
import type { Group } from './groups.ts'
import type { Identity } from './identity.ts'
import type { Lexicon, Words } from './lexicon.ts'
import type { Draft } from './memory.ts'
import type { Message } from './message.ts'
import { own } from './own.ts'
import type { Pseudonyms } from './pseudonym.ts'
import type { Field, Segment } from './segment.ts'
import { type Read, readNumber } from './sentinels.ts'
import type { Standings } from './standing.ts'
import type { WardOptions } from './ward.ts'

export interface MapContext {
  /** The name of the source, its attribute. */
  readonly source: string
  /** When the message came, ms since the epoch by the gateway's clock. */
  readonly time: number
  readonly options: WardOptions
  /** Undefined: patients and visits are left out. */
  readonly pseudonyms: Pseudonyms | undefined
  readonly lexicon: Lexicon
  readonly standings: Standings
  /** What is remembered; committed by the caller once what came of the message is durable. */
  readonly draft: Draft
}

export interface Subject {
  /** For events: source, device, bed, patient, visit and what the configuration adds. */
  readonly attributes: Attributes
}

/** What one message's segments are read with. */
export interface Reading extends MapContext {
  readonly message: Message
  readonly identity: Identity
  /** MSH-3 and MSH-4 as they stand: to remember by, never to tell. */
  readonly sender: string
  readonly words: Words
  readonly sentinels: ReadonlySet<number>
}

export function readingOf(message: Message, context: MapContext): Reading {
  const words = context.lexicon.of(message.encoding)
  return {
    ...context,
    message,
    identity: words.identity(message),
    sender: `${message.header.field(3).text}|${message.header.field(4).text}`,
    words,
    sentinels: sentinelsOf(context.options),
  }
}

const sets = new WeakMap<WardOptions, ReadonlySet<number>>()

function sentinelsOf(options: WardOptions): ReadonlySet<number> {
  let set = sets.get(options)
  if (set === undefined) {
    set = new Set(options.sentinels)
    sets.set(options, set)
  }
  return set
}

/** A number, but none that is the person's: a telephone number in a field for numbers looks like a value. */
export function numberIn(reading: Reading, text: string, sentinels = reading.sentinels): Read {
  const read = readNumber(text, sentinels)
  if (text.length < 6 || !('value' in read)) return read
  const isLong = text.replace(/\D+/g, '').length >= 6
  return isLong && reading.identity.isIn(text) ? { wrong: 'a number of the person' } : read
}

const openText = /^[A-Za-z0-9][A-Za-z0-9 ._:@/-]{0,95}$/

/** The text of a field that may leave: allowed, a plain name, and nothing in it of a person. */
function openName(reading: Reading, field: string, text: string): string | undefined {
  if (text === '' || !reading.options.forward.includes(field)) return undefined
  const name = text.trim().replace(/[^A-Za-z0-9 ._:@/-]+/g, '-')
  return openText.test(name) && !reading.identity.isIn(text) ? own(name) : undefined
}

/** Of PV1-3 and its like (PL, 2.A.53): point of care, room, bed; undefined where it names no bed. */
export function bedOf(reading: Reading, segment: Segment | undefined, field = 3): string | undefined {
  if (segment === undefined) return undefined
  const location = segment.field(field)
  if (location.component(3) === '' || location.component(3) === '""') return undefined
  const parts = [1, 2, 3].map(n => location.component(n).trim()).filter(part => part !== '' && part !== '""')
  return openName(reading, 'PV1-3', parts.join('/'))
}

/** A device's instance (EI, 2.A.28; PCD TF-2 appendix B, OBX-18): its EUI-64, with the id within it where both stand. */
export function deviceOf(reading: Reading, field: Field): string | undefined {
  if (field.isEmpty) return undefined
  const [id, namespace, universal, type] = [1, 2, 3, 4].map(n => field.component(n).trim()) as [
    string,
    string,
    string,
    string,
  ]
  const isEui = (text: string): boolean => /^[0-9A-Fa-f]{16}$/.test(text)
  const eui = type === 'EUI-64' && isEui(universal) ? universal : namespace === 'EUI-64' && isEui(id) ? id : ''
  const name = eui === '' ? id : id === '' || id === eui ? eui : `${eui}:${id}`
  return openName(reading, 'OBX-18', name)
}

/** A sender that is a device says so by an EUI-64 (HD, 2.A.33; PCD TF-2, MSH-3). */
export function senderOf(reading: Reading, field: Field): string | undefined {
  const isEui = field.component(3).trim() === 'EUI-64' && /^[0-9A-Fa-f]{16}$/.test(field.component(2).trim())
  return isEui ? openName(reading, 'OBX-18', field.component(2)) : undefined
}

/** All the patient's names in use, of the first identifier of PID-3; the current one first. */
export function patientNames(reading: Reading, pid: Segment | undefined, field = 3): readonly string[] {
  if (pid === undefined || reading.pseudonyms === undefined) return []
  const identifier = identifierOf(pid.field(field)) || identifierOf(pid.field(2))
  return identifier === '' ? [] : reading.pseudonyms.all('patient', identifier, reading.time)
}

/** Whether it says of whom it is, though perhaps not so that a name can be made of it. */
export function namesSomebody({ patient, visit }: Pick<Group, 'patient' | 'visit'>): boolean {
  const says = (segment: Segment | undefined, fields: readonly number[]): boolean =>
    segment !== undefined && fields.some(n => segment.field(n).component() !== '')
  return says(patient, [2, 3, 5]) || says(visit, [19])
}

export function visitName(reading: Reading, pv1: Segment | undefined): string | undefined {
  const identifier = pv1 === undefined ? '' : identifierOf(pv1.field(19))
  return identifier === '' ? undefined : reading.pseudonyms?.of('visit', identifier, reading.time)
}

/** A CX with whom it is assigned by: two hospitals give the same number to two patients. A medical record number first. */
function identifierOf(field: Field): string {
  let best = 0
  for (let n = 1; n <= Math.min(field.repetitions, 20); n++) {
    const id = field.component(1, 1, n)
    if (id === '' || id === '""') continue
    if (field.component(5, 1, n) === 'MR') return `${id}\0${field.component(4, 1, n)}`
    best ||= n
  }
  return best === 0 ? '' : `${field.component(1, 1, best)}\0${field.component(4, 1, best)}`
}

/** MSH-11, table 0103: what is not production is marked, so that nobody takes an exercise for a patient. */
function processingOf({ header }: Message): Attributes {
  const id = header.field(11).component().trim()
  if (id !== 'T' && id !== 'D') return {}
  return { processing: id === 'T' ? 'training' : 'debugging' }
}

export interface Place {
  /** For the attributes: what the observations name, else a participant, else the sender. */
  readonly device: string | undefined
  /** The one device that all observations are of (OBX-18); who sends for many beds is none. */
  readonly instrument: string | undefined
  readonly bed: string | undefined
  /** Whether it may be told where the device was seen before: the message says nothing of its place. */
  readonly isUnplaced: boolean
  readonly patients: readonly string[]
  readonly visit: string | undefined
}

/** The bed of the message, else that where its device stood then, unless somebody else lay there than it is about. */
function bedThen({ draft, time: now }: Reading, place: Place, time: number): string | undefined {
  const { bed, instrument, isUnplaced, patients } = place
  if (bed !== undefined || instrument === undefined || !isUnplaced) return bed
  const stood = bedAt(draft, instrument, time, now)
  if (stood === undefined || patients.length === 0) return stood
  return occupant(draft, stood, time)?.patient === patients[0] ? stood : undefined
}

/** Attributes at one time: a message that names no patient is about who lay in the bed then. */
export function attributesAt(reading: Reading, place: Place, time: number): Attributes {
  const { device, patients, visit } = place
  const at = bedThen(reading, place, time)
  const known = patients.length > 0 ? { patient: patients[0]!, visit } : undefined
  const who = known ?? (at === undefined ? undefined : occupant(reading.draft, at, time))
  return {
    source: reading.source,
    ...reading.options.attributes,
    ...processingOf(reading.message),
    ...(device !== undefined && { device }),
    ...(at !== undefined && { bed: at }),
    ...(who !== undefined && { patient: who.patient }),
    ...(who?.visit !== undefined && { visit: who.visit }),
  }
}
