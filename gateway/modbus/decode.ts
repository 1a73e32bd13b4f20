// Bytes of a response to values. Registers travel with their high byte first (MODBUS Application Protocol V1.1b3,
// clause 4.2); what a device puts in which byte and which word of a longer value is its maker's choice. A decoder is made
// once a register: what can be decided then costs nothing at each reading.

import type { Bits, Register } from './registers.ts'
import { isBits, type Order, rangeOf, width } from './value-types.ts'

/**
 * A value out of a block's bytes; NaN where the device gives none. `at` is the register's place in the block: addresses
 * after the block's first.
 */
export type Decode = (bytes: Buffer, at: number) => number

/** The power of ten that a device gives in another register; NaN where it gives none. */
export interface Power {
  exponent: number
}

/** What of a register matters for its number. */
export type Encoded = Pick<
  Register,
  'table' | 'type' | 'bits' | 'byte_order' | 'word_order' | 'none' | 'scale' | 'offset' | 'length'
>

/** Scaled; NaN also for raw numbers that mean "not available" and for floats that are infinite. */
export function decoder(register: Encoded, power?: Power): Decode {
  const { scale, offset } = register
  const raw = rawDecoder(register)
  if (power) return (bytes, at) => shifted(raw(bytes, at), power.exponent) * scale + offset
  if (scale === 1 && offset === 0) return raw
  // 217 * 0.1 is 21.700000000000003, 217 / 10 is 21.7.
  const divisor = Math.round(1 / scale)
  if (scale !== 1 / divisor) return (bytes, at) => raw(bytes, at) * scale + offset
  return (bytes, at) => raw(bytes, at) / divisor + offset
}

/** Makes decoders, one for all registers that are encoded alike. */
export function decoders(): (register: Encoded) => Decode {
  const known = new Map<string, Decode>()
  return register => {
    const { table, type, bits, byte_order, word_order, none, scale, offset } = register
    const key = JSON.stringify([isBits(table), type, bits, byte_order, word_order, none, scale, offset])
    const decode = known.get(key) ?? decoder(register)
    known.set(key, decode)
    return decode
  }
}

/** The number as the device has it, before scale and offset. */
export function rawDecoder(register: Encoded): Decode {
  const whole = isBits(register.table) ? bit : numberOf(register)
  const number = register.bits ? part(whole, register.bits) : whole
  const none = register.none.map(n => asRead(n, register))
  if (none.length === 0) return number
  return (bytes, at) => {
    const raw = number(bytes, at)
    return none.includes(raw) ? Number.NaN : raw
  }
}

/** Without what follows a NUL, control characters and spaces around. */
export function decodeText(
  { byte_order, length = 1 }: Pick<Register, 'byte_order' | 'length'>,
  bytes: Buffer,
  at: number,
) {
  const own = Buffer.from(bytes.subarray(at * 2, (at + length) * 2))
  const [text = ''] = (byte_order === 'big' ? own : own.swap16()).toString('utf8').split('\0')
  return text.replace(/\p{Cc}/gu, '').trim()
}

/** A value's bytes in hexadecimal, as they came. */
export function rawText(register: Pick<Register, 'table' | 'type' | 'length'>, bytes: Buffer, at: number): string {
  if (isBits(register.table)) return String(bit(bytes, at))
  return `0x${bytes.subarray(at * 2, (at + width(register)) * 2).toString('hex')}`
}

/** Exactly, where a factor of 0.1 would not be. */
function shifted(raw: number, exponent: number): number {
  return exponent < 0 ? raw / 10 ** -exponent : raw * 10 ** exponent
}

/** 0x8000 in a configuration is -32768 as an i16, and 3.4e38 the nearest f32. */
function asRead(n: number, { type }: Encoded): number {
  if (type === 'f32') return Math.fround(n)
  const [, most] = rangeOf(type) ?? []
  return type.startsWith('i') && most !== undefined && n > most ? n - 2 * (most + 1) : n
}

/** Bits are packed from the lowest bit of the first byte on (clause 6.1). */
function bit(bytes: Buffer, at: number): number {
  return (bytes[at >> 3]! >> (at & 7)) & 1
}

function part(whole: Decode, [low, high]: Bits): Decode {
  const size = 2 ** (high - low + 1)
  return (bytes, at) => Math.floor(whole(bytes, at) / 2 ** low) % size
}

const scratch = new DataView(new ArrayBuffer(8))

function numberOf({ type, byte_order, word_order }: Encoded): Decode {
  const first = word(byte_order)
  const long = pair(first, word_order)
  switch (type) {
    case 'u16':
      return first
    case 'i16':
      return (bytes, at) => (first(bytes, at) << 16) >> 16
    case 'u32':
      return long
    case 'i32':
      return (bytes, at) => long(bytes, at) | 0
    case 'f32':
      return (bytes, at) => float32(long(bytes, at))
    case 'bcd16':
      return (bytes, at) => decimal(first(bytes, at), 4)
    case 'bcd32':
      return (bytes, at) => decimal(long(bytes, at), 8)
    default:
      return eight(type, long, word_order)
  }
}

/** Beyond 2^53 whole numbers become the nearest that a double holds. */
function eight(type: Encoded['type'], long: Decode, order: Order): Decode {
  const [high, low] = order === 'big' ? [0, 2] : [2, 0]
  if (type === 'u64') return (bytes, at) => long(bytes, at + high) * 2 ** 32 + long(bytes, at + low)
  if (type === 'i64') return (bytes, at) => (long(bytes, at + high) | 0) * 2 ** 32 + long(bytes, at + low)
  if (type === 'bcd64')
    return (bytes, at) => decimal(long(bytes, at + high), 8) * 1e8 + decimal(long(bytes, at + low), 8)
  return (bytes, at) => {
    scratch.setUint32(0, long(bytes, at + high))
    scratch.setUint32(4, long(bytes, at + low))
    const value = scratch.getFloat64(0)
    return Number.isFinite(value) ? value : Number.NaN
  }
}

function word(order: Order): Decode {
  return order === 'big'
    ? (bytes, at) => (bytes[at * 2]! << 8) | bytes[at * 2 + 1]!
    : (bytes, at) => (bytes[at * 2 + 1]! << 8) | bytes[at * 2]!
}

function pair(first: Decode, order: Order): Decode {
  return order === 'big'
    ? (bytes, at) => first(bytes, at) * 65_536 + first(bytes, at + 1)
    : (bytes, at) => first(bytes, at + 1) * 65_536 + first(bytes, at)
}

function float32(long: number): number {
  scratch.setUint32(0, long)
  const value = scratch.getFloat32(0)
  return Number.isFinite(value) ? value : Number.NaN
}

/** Binary-coded decimal: a digit each four bits; what is none makes no number. */
function decimal(long: number, digits: number): number {
  let value = 0
  for (let n = digits - 1; n >= 0; n--) {
    const digit = (long >>> (n * 4)) & 15
    if (digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  return value
}
