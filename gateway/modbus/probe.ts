// Finding out what is behind an address: who answers, what it says of itself, where it has something to read. Asks only by
// reading; every step is bounded, and what does not answer costs one time-out.

import { reason } from '../../core/errors.ts'
import type { Address } from './address.ts'
import { rawDecoder } from './decode.ts'
import { type Identity, identityOf } from './identification.ts'
import { ModbusLink } from './link.ts'
import { ModbusException } from './pdu.ts'
import { type Chain, walk } from './sunspec.ts'
import { type Table, tables } from './value-types.ts'

export interface ProbeOptions {
  readonly line: Address['line']
  /** For each answer, ms. */
  readonly timeout: number
  /** Between one request and the next, ms. */
  readonly pace: number
}

/** What came of a first question. A unit of which a gateway hears nothing does not answer. */
export type Presence =
  | { readonly answers: true }
  | { readonly answers: false; readonly reason: string; readonly isConnected: boolean }

/** Addresses of one table that can be read, and what lies there. */
export interface Span {
  readonly table: Table
  readonly address: number
  readonly count: number
  readonly values: readonly number[]
}

export interface Survey {
  /** Undefined where it says nothing of itself. */
  readonly identity: Identity | undefined
  readonly sunspec: Chain | undefined
  readonly spans: readonly Span[]
}

/** Where devices usually begin, by the address on the wire. */
const starts = [0, 1, 100, 256, 1000, 3000, 4096, 8192, 10_000, 30_000, 40_000, 50_000] as const
/** How many are asked for from such a place, while the device goes along. */
const counts = [1, 2, 8, 32, 125] as const
const bases = [40_000, 50_000, 0] as const

/** Exceptions by which a gateway says that the unit is not there (MODBUS Application Protocol V1.1b3, clause 7). */
const absent = /: exception (?:10|11)\b/
/** How the line begins what it says where it cannot connect. */
const unconnected = /^connecting to /
const anyException = /: exception \d+\b/

/** Whether a unit answers, if only to refuse. A connection of its own each time: a silent unit must not slow the next. */
export async function presence(options: ProbeOptions, unit_id: number): Promise<Presence> {
  const link = linkTo(options, unit_id)
  try {
    await link.read({ table: 'holding-register', address: 0, count: 1 })
    return { answers: true }
  } catch (error) {
    const why = reason(error)
    const refuses = error instanceof ModbusException || (anyException.test(why) && !absent.test(why))
    return refuses ? { answers: true } : { answers: false, reason: why, isConnected: !unconnected.test(why) }
  } finally {
    link.close()
  }
}

/** What a unit has; what it does not answer to it does not have. */
export async function survey(options: ProbeOptions, unit_id: number): Promise<Survey> {
  const line = new Patient(options, unit_id)
  try {
    const identity = await line.try(identityOf)
    let sunspec: Chain | undefined
    for (const base of bases) sunspec ??= await line.try(link => walk(link, [base]))
    const spans: Span[] = []
    for (const table of tables) spans.push(...(await spansOf(line, table)))
    return { identity: identity && Object.keys(identity).length > 0 ? identity : undefined, sunspec, spans }
  } finally {
    line.close()
  }
}

/** One unit's connection, made anew after each question that it did not answer: a link lets such a unit rest. */
class Patient {
  readonly #options: ProbeOptions
  readonly #unit: number
  #link: ModbusLink | undefined

  constructor(options: ProbeOptions, unit_id: number) {
    this.#options = options
    this.#unit = unit_id
  }

  /** Undefined where the device refuses or does not answer. */
  async try<T>(ask: (link: ModbusLink) => Promise<T>): Promise<T | undefined> {
    this.#link ??= linkTo(this.#options, this.#unit)
    try {
      return await ask(this.#link)
    } catch (error) {
      if (!(error instanceof ModbusException)) this.close()
      return undefined
    }
  }

  close(): void {
    this.#link?.close()
    this.#link = undefined
  }
}

async function spansOf(line: Patient, table: Table): Promise<readonly Span[]> {
  const spans: Span[] = []
  for (const address of starts) {
    const last = spans.at(-1)
    if (last && address < last.address + last.count) continue
    const found = await longest(line, table, address)
    if (found) spans.push(found)
  }
  return spans
}

async function longest(line: Patient, table: Table, address: number): Promise<Span | undefined> {
  let found: Span | undefined
  for (const count of counts) {
    const bytes = await line.try(link => link.read({ table, address, count }))
    if (bytes === undefined) break
    found = { table, address, count, values: valuesIn(table, bytes, count) }
  }
  return found
}

function valuesIn(table: Table, bytes: Buffer, count: number): readonly number[] {
  const decode = rawDecoder({ ...asWord, table })
  return Array.from({ length: count }, (_, n) => decode(bytes, n))
}

const asWord = {
  type: 'u16',
  bits: undefined,
  length: undefined,
  byte_order: 'big',
  word_order: 'big',
  none: [],
  scale: 1,
  offset: 0,
} as const

/** Of a host of its own, so that it shares no line, and with it no rest after a failure, with another. */
function linkTo({ line, timeout, pace }: ProbeOptions, unit_id: number): ModbusLink {
  return new ModbusLink({ line, unit_id, timeout, outstanding: 1, pace }, {})
}
