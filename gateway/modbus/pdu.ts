// What is asked and what is answered, the same over every transport: the protocol data unit of MODBUS Application Protocol
// V1.1b3. Pure: a request to bytes, and an answer's bytes against the request they must fit.

import { Refused } from '../../core/errors.ts'
import { isBits, type Table } from './value-types.ts'

/** Functions 1 to 4 (clauses 6.1 to 6.4), by their table. */
export interface Read {
  readonly table: Table
  readonly address: number
  /** Bits or registers. */
  readonly count: number
}

/** By function: clauses 6.5, 6.6, 6.11, 6.12, 6.16 and 6.17. Registers are bytes, the high one of each first. */
export type Write =
  | { readonly function: 5; readonly address: number; readonly value: boolean }
  | { readonly function: 6; readonly address: number; readonly value: number }
  | { readonly function: 15; readonly address: number; readonly values: readonly boolean[] }
  | { readonly function: 16; readonly address: number; readonly registers: Uint8Array }
  /** The register becomes `(register AND and) OR (or AND NOT and)`. */
  | { readonly function: 22; readonly address: number; readonly and: number; readonly or: number }
  /** Writes, then reads `count` from `from`. */
  | {
      readonly function: 23
      readonly address: number
      readonly registers: Uint8Array
      readonly from: number
      readonly count: number
    }

/** Function 43/14 (clause 6.21): objects of the device identification, from this one on. */
export interface Identify {
  readonly identify: 'basic' | 'regular'
  readonly object: number
}

export type Request = Read | Write | Identify

/** What one unit can be asked; several may be under way at once, the line sends them in their order. */
export interface Asks {
  /**
   * The data bytes: registers high byte first, or bits packed from the lowest on; as many as were asked for.
   * @throws ModbusException where the device refuses, and that leaves the link as it is; anything else when it is not
   * known what the device has, and what was wrong.
   */
  read(request: Read): Promise<Buffer>
  /**
   * Resolves when the device has confirmed; function 23 gives the registers it read, all others no bytes.
   * @throws ModbusException where the device answers with one: of codes 1, 2, 3 and 7 nothing was written; Refused
   * where the request itself cannot be sent; anything else when it is not known whether it was written.
   */
  write(request: Write): Promise<Buffer>
}

/** The most one request may name (clauses 6.1 to 6.4, 6.11, 6.12 and 6.17). */
export const most = {
  bitsRead: 2000,
  registersRead: 125,
  bitsWritten: 1968,
  registersWritten: 123,
  registersWrittenAndRead: 121,
} as const

/** The device answered that it will not: the codes of clause 7. */
export class ModbusException extends Error {
  override readonly name = 'ModbusException'
  readonly code: number

  constructor(code: number, what: string) {
    super(`${what}: exception ${code}, ${exceptions[code] ?? 'unknown'}`)
    this.code = code
  }
}

const exceptions: Readonly<Record<number, string>> = {
  1: 'illegal function: the device does not have this table',
  2: 'illegal data address: the device has no such address',
  3: 'illegal data value',
  4: 'server device failure',
  5: 'acknowledge: the device needs longer',
  6: 'server device busy',
  7: 'negative acknowledge',
  8: 'memory parity error',
  10: 'gateway path unavailable: the gateway is misconfigured',
  11: 'gateway target device failed to respond: is it on, is the unit id right?',
}

const readFunctions = {
  coil: 1,
  'discrete-input': 2,
  'holding-register': 3,
  'input-register': 4,
} as const satisfies Record<Table, number>

export const identifyFunction = 43
/** "MEI type" of the device identification; function 43 carries other protocols, too. */
export const identifyType = 14

export function functionOf(request: Request): number {
  if ('identify' in request) return identifyFunction
  return 'table' in request ? readFunctions[request.table] : request.function
}

/** For messages: `reading 2 of holding-register from 10`. */
export function described(request: Request): string {
  if ('table' in request) return `reading ${request.count} of ${request.table} from ${request.address}`
  if ('identify' in request) return 'reading the device identification'
  const table = request.function === 5 || request.function === 15 ? 'coil' : 'holding-register'
  return `writing ${table} ${request.address} by function ${request.function}`
}

/** @throws Refused for a request that no PDU can hold. */
export function encode(request: Request): Buffer {
  const problem = problemOf(request)
  if (problem !== undefined) throw new Refused(`${described(request)}: ${problem}`)
  if ('table' in request) return words(functionOf(request), request.address, request.count)
  if ('identify' in request)
    return Buffer.of(identifyFunction, identifyType, request.identify === 'basic' ? 1 : 2, request.object)
  const { address } = request
  switch (request.function) {
    case 5:
      return words(5, address, request.value ? 0xff00 : 0)
    case 6:
      return words(6, address, request.value)
    case 15: {
      const bits = packed(request.values)
      return Buffer.concat([words(15, address, request.values.length), Buffer.of(bits.length), bits])
    }
    case 16: {
      const { registers } = request
      return Buffer.concat([words(16, address, registers.length / 2), Buffer.of(registers.length), registers])
    }
    case 22:
      return words(22, address, request.and, request.or)
    case 23: {
      const { from, count, registers } = request
      const head = words(23, from, count, address, registers.length / 2)
      return Buffer.concat([head, Buffer.of(registers.length), registers])
    }
  }
}

function words(code: number, ...values: readonly number[]): Buffer {
  const pdu = Buffer.allocUnsafe(1 + values.length * 2)
  pdu[0] = code
  for (let n = 0; n < values.length; n++) pdu.writeUInt16BE(values[n]!, 1 + n * 2)
  return pdu
}

/** The first bit is the lowest of the first byte (clause 6.11). */
function packed(bits: readonly boolean[]): Buffer {
  const bytes = Buffer.alloc(Math.ceil(bits.length / 8))
  for (const [n, bit] of bits.entries()) if (bit) bytes[n >> 3]! |= 1 << (n & 7)
  return bytes
}

function problemOf(request: Request): string | undefined {
  if ('table' in request) return span(request.address, request.count, limitOf(request.table))
  if ('identify' in request) return undefined
  const { address } = request
  switch (request.function) {
    case 5:
      return span(address, 1, 1)
    case 6:
      return span(address, 1, 1) ?? word(request.value)
    case 15:
      return span(address, request.values.length, most.bitsWritten)
    case 16:
      return span(address, request.registers.length / 2, most.registersWritten)
    case 22:
      return span(address, 1, 1) ?? word(request.and) ?? word(request.or)
    case 23: {
      const { registers, from, count } = request
      return span(address, registers.length / 2, most.registersWrittenAndRead) ?? span(from, count, most.registersRead)
    }
  }
}

function limitOf(table: Table): number {
  return isBits(table) ? most.bitsRead : most.registersRead
}

function span(address: number, count: number, limit: number): string | undefined {
  if (!(Number.isInteger(count) && count >= 1 && count <= limit)) return `one request holds 1 to ${limit}, not ${count}`
  const fits = Number.isInteger(address) && address >= 0 && address + count <= 65_536
  return fits ? undefined : 'the addresses are 0 to 65535'
}

function word(value: number): string | undefined {
  const fits = Number.isInteger(value) && value >= 0 && value <= 0xffff
  return fits ? undefined : `${value} does not fit into one register, 0 to 65535`
}
