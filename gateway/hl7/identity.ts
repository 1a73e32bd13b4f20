// Whom a message is about, as far as it must not leave. Names of places and devices are open texts: a text that holds
// any part of what the message says of a person stays here, whichever field it stands in.

import type { Message } from './message.ts'
import { own } from './own.ts'
import type { Field, Segment } from './segment.ts'

/** Segments that speak of persons, and the fields of theirs that do not (codes, dates of the record, places). */
const persons: Readonly<Record<string, readonly number[]>> = {
  PID: [1, 8, 10, 15, 16, 17, 22, 24, 25, 26, 27, 28, 30, 31, 32, 33, 34, 35, 36],
  MRG: [],
  NK1: [1, 3, 7, 8, 9],
  GT1: [1, 10, 11, 14],
  IN1: [1, 15, 17, 20],
  IN2: [],
  IN3: [1],
  ROL: [1, 2, 3],
  PRT: [1, 2, 3, 10, 16, 17, 18, 19, 20, 21],
  PD1: [1, 2],
  STF: [],
  ACC: [],
}
/** Of a visit: doctors and numbers (PV1), of an order its persons. */
const within: Readonly<Record<string, readonly number[]>> = {
  PV1: [5, 7, 8, 9, 17, 19, 50, 52],
  OBR: [10, 16, 17, 28, 32, 33, 34, 35],
  ORC: [10, 11, 12, 14, 19],
  OBX: [16, 25],
  EVN: [5],
}
/** Identifiers with who assigned them (CX): the authority is no person's. */
const assigned: readonly string[] = [
  'PID-2',
  'PID-3',
  'PID-4',
  'PID-18',
  'PID-21',
  'MRG-1',
  'MRG-2',
  'MRG-3',
  'MRG-4',
  'PV1-19',
  'PV1-50',
]

/** Whether a text says something of a person that a message speaks of. */
export interface Identity {
  isIn(text: string): boolean
}

/** Messages about the same persons, and texts asked of each, that are remembered. */
const mostPersons = 1000
const mostTexts = 100
/** Of a message that says more of persons than this, characters, nothing is remembered. */
const longest = 4096

/** A monitor speaks of the same person every second: what must not be said then is worked out once. Of one way to delimit. */
export function identities(): (message: Message) => Identity {
  const known = new Map<string, Identity>()
  return message => {
    const fields: Named[] = []
    for (const segment of message.segments) collect(segment, fields)
    const separator = message.encoding.field
    const key = fields.map(({ name, field }) => `${name}${separator}${field.text}`).join(separator)
    const before = known.get(key)
    if (before !== undefined) return before
    const one = identityOf(fields.map(({ name, field }) => ({ name, field: field.kept() })))
    if (known.size >= mostPersons) known.clear()
    if (key.length <= longest) known.set(own(key), one)
    return one
  }
}

interface Named {
  /** `PID-5` */
  readonly name: string
  readonly field: Field
}

/** The fields that speak of persons and say something. */
function collect(segment: Segment, into: Named[]): void {
  const but = persons[segment.name]
  const only = within[segment.name]
  const add = (n: number): void => {
    const field = segment.field(n)
    if (!field.isEmpty && !field.isNull) into.push({ name: `${segment.name}-${n}`, field })
  }
  if (only !== undefined) for (const n of only) add(n)
  else if (but !== undefined) for (let n = 1; n <= segment.fields; n++) if (!but.includes(n)) add(n)
}

function identityOf(fields: readonly Named[]): Identity {
  const { long, short } = partsOf(fields)
  const answers = new Map<string, boolean>()
  const look = (text: string): boolean => {
    const plain = flat(text)
    return long.some(part => plain.includes(part)) || words(text).some(word => short.has(word))
  }
  return {
    isIn(text) {
      const before = answers.get(text)
      if (before !== undefined) return before
      const answer = look(text)
      if (answers.size >= mostTexts) answers.clear()
      answers.set(own(text), answer)
      return answer
    },
  }
}

function partsOf(fields: readonly Named[]) {
  const long = new Set<string>()
  const short = new Set<string>()
  const add = (text: string): void => {
    for (const part of [flat(text), ...words(text)]) {
      // A few digits stand in every serial number; a few letters in many words.
      const isNumber = /^\p{N}+$/u.test(part)
      if (part.length >= (isNumber ? 6 : 4)) long.add(part)
      else if (part.length >= (isNumber ? 4 : 2)) short.add(part)
    }
  }
  for (const { name, field } of fields) for (const text of leaves(field, assigned.includes(name) ? 1 : 20)) add(text)
  return { long: [...long], short }
}

/** Meanings of all sub-components, of at most so many components. */
function* leaves(field: Field, components: number): Generator<string> {
  const repetitions = Math.min(field.repetitions, 20)
  for (let r = 1; r <= repetitions; r++) {
    for (let c = 1; c <= components; c++) {
      const whole = field.raw(c, r)
      if (whole === '') continue
      yield whole
      for (let s = 1; s <= 8; s++) {
        const text = field.component(c, s, r)
        if (text !== '') yield text
      }
    }
  }
}

/** Letters and digits alone: `555-1234` and `(555) 1234` are the same number. */
function flat(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '')
}

function words(text: string): readonly string[] {
  return text
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(word => word.length >= 2)
}
