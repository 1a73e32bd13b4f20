// Acknowledgements (v2.8.2, clauses 2.9 and 2.10): original mode answers AA, AE or AR; enhanced mode, in which MSH-15
// or MSH-16 stands, answers as they ask: CA, CE or CR for what became of the message, AA, AE or AR for what it led to.
// Here both are known at once: an answer goes out when the message is durable, or is known to be no use.
//
// AE and CE say: send it again. AR and CR say: do not, it is kept aside here, or not wanted.

import { encode } from './charset.ts'
import { type Encoding, escaped } from './escape.ts'
import type { Message } from './message.ts'

/** Of table 0357. */
export const conditions = {
  100: 'Segment sequence error',
  101: 'Required field missing',
  203: 'Unsupported version id',
  207: 'Application internal error',
} as const

export type Verdict =
  | { readonly outcome: 'accepted' }
  | {
      readonly outcome: 'error' | 'rejected'
      readonly condition: keyof typeof conditions
      /** For a person at the sender. */
      readonly text: string
      /** Where, as ERR-2 says it: segment, its number, field. */
      readonly at?: readonly [segment: string, sequence: number, field: number]
    }

export interface Answering {
  /** ms since the epoch. */
  readonly time: number
  /** Makes the control id of each answer. */
  controlId(): string
}

const letters = { accepted: 'A', error: 'E', rejected: 'R' } as const

/** The answers to a message, in the order in which they are sent; none where none is wanted. */
export function answersTo(message: Message, verdict: Verdict, answering: Answering): readonly Buffer[] {
  const { header } = message
  // Answering an answer would never end.
  if (message.type === 'ACK' || message.type === 'MCF') return []
  const letter = letters[verdict.outcome]
  const [accept, application] = [header.field(15).component(), header.field(16).component()]
  if (accept === '' && application === '') return [answer(message, `A${letter}`, verdict, answering)]
  const isFine = verdict.outcome === 'accepted'
  const answers: Buffer[] = []
  if (isWanted(accept, isFine)) answers.push(answer(message, `C${letter}`, verdict, answering))
  // Clause 2.9.3: who was told CE or CR waits for nothing more.
  if (isWanted(application, isFine) && (isFine || answers.length === 0))
    answers.push(answer(message, `A${letter}`, verdict, answering))
  return answers
}

/** Table 0155. What it does not have is answered: silence would make its sender wait. */
function isWanted(condition: string, isFine: boolean): boolean {
  if (condition === '' || condition === 'NE') return false
  return condition === 'ER' ? !isFine : condition === 'SU' ? isFine : true
}

function answer(message: Message, code: string, verdict: Verdict, answering: Answering): Buffer {
  const { encoding } = message
  const segments = [answerHeader(message, answering), ...resultOf(message, code, verdict)]
  const text = segments.map(fields => `${written(fields, encoding.field)}\r`).join('')
  return encode(text, message.charset.used)
}

/** Empty fields at a segment's end are left out. */
function written(fields: readonly string[], separator: string): string {
  return fields.slice(0, fields.findLastIndex(field => field !== '') + 1).join(separator)
}

function answerHeader({ header, encoding, trigger }: Message, { time, controlId }: Answering): string[] {
  const same = (n: number): string => header.field(n).text
  const number = versionOf(header.field(12).component())
  // The trigger is part of it from 2.3 on, the structure from 2.4 on.
  const parts = number < 2.3 || trigger === '' ? ['ACK'] : number < 2.4 ? ['ACK', trigger] : ['ACK', trigger, 'ACK']
  const type = parts.join(encoding.component)
  const [application, facility] = [same(5), same(6)]
  const head = ['MSH', same(2), application, facility, same(3), same(4), timestamp(time), '', type, controlId()]
  return [...head, same(11), same(12), '', '', '', '', '', same(18)]
}

function resultOf(message: Message, code: string, verdict: Verdict): string[][] {
  const { encoding } = message
  const number = versionOf(message.version)
  const id = message.header.field(10).text
  if (verdict.outcome === 'accepted') return [['MSA', code, id]]
  const text = escaped(verdict.text, encoding)
  const named = [String(verdict.condition), conditions[verdict.condition], 'HL70357']
  const at = verdict.at?.map(String) ?? []
  if (number >= 2.5) {
    const error = ['ERR', '', at.join(encoding.component), named.join(encoding.component), 'E', '', '', '', text]
    return [['MSA', code, id], error]
  }
  const condition = number < 2.3 ? [] : ['', '', named.join(encoding.component)]
  const place = [...[...at, '', '', ''].slice(0, 3), named.join(encoding.subcomponent || ' ')]
  return [
    ['MSA', code, id, text, ...condition],
    ['ERR', place.join(encoding.component)],
  ]
}

/** `2.3.1` is 2.3; what is no version is older than all. */
function versionOf(version: string): number {
  return Number(/^2\.\d/.exec(version)?.[0] ?? 0)
}

/** An answer to what has no header to answer to. */
export function answerToNoise(text: string, { time, controlId }: Answering): Buffer {
  const encoding = { ...plain, charset: 'ascii' }
  return Buffer.from(
    `MSH|^~\\&|||||${timestamp(time)}||ACK|${controlId()}|P|2.3\rMSA|AR||${escaped(text, encoding)}|||100^${conditions[100]}^HL70357\r`,
  )
}

const plain: Omit<Encoding, 'charset'> = {
  field: '|',
  component: '^',
  repetition: '~',
  escape: '\\',
  subcomponent: '&',
  truncation: '',
}

/** As table 0440 has DTM: `20260102030405+0000`. */
export function timestamp(time: number): string {
  return `${new Date(time).toISOString().replace(/[-:T]|\..*$/g, '')}+0000`
}
