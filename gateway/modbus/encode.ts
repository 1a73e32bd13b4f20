// The way back: a value, in the units of the configuration, to what a device's registers must hold. Pure.

import { Refused } from '../../core/errors.ts'
import type { Json } from '../../core/model.ts'
import type { Register } from './registers.ts'
import { rangeOf, sizeOf, width } from './value-types.ts'

/** A writable register's limits, where it has them. */
type Writable = Pick<
  Register,
  'name' | 'type' | 'bits' | 'byte_order' | 'word_order' | 'scale' | 'offset' | 'length' | 'write' | 'values'
>

/**
 * The raw number that stands for `value`: a number within the register's limits, or one of its names.
 * @throws Refused where the register's `write` does not allow it, or its type cannot hold it.
 */
export function rawOf(register: Writable, value: Json): number {
  const { name, write } = register
  if (write === undefined)
    throw new Refused(`register ${name} may not be written: it has no write in the configuration`)
  if (write.names) return held(register, named(register, write.names, value))
  const number = typeof value === 'boolean' ? Number(value) : value
  if (typeof number !== 'number' || !Number.isFinite(number))
    throw new Refused(`register ${name} takes a number, not ${JSON.stringify(value)}`)
  if (number < write.min! || number > write.max!)
    throw new Refused(`register ${name} takes ${write.min} to ${write.max}, not ${number}`)
  return held(register, (number - register.offset) / register.scale)
}

/** A raw number as the bytes of its registers, in the device's order. */
export function encodeRaw({ type, byte_order, word_order }: Writable, raw: number): Buffer {
  if (type === 'text') throw new Refused('a text cannot be written')
  const bytes = bigEndian(type, raw)
  if (byte_order === 'little') bytes.swap16()
  return word_order === 'big' ? bytes : reversed(bytes)
}

/**
 * What function 22 takes to set only the bits of a register: it keeps those of `and`, and sets those of `or`
 * (MODBUS Application Protocol V1.1b3, clause 6.16).
 */
export function masks({ bits, byte_order }: Pick<Register, 'bits' | 'byte_order'>, raw: number) {
  const [low, high] = bits!
  const mine = (2 ** (high - low + 1) - 1) << low
  const wire = (word: number): number => (byte_order === 'big' ? word : ((word & 0xff) << 8) | (word >> 8))
  return { and: wire(~mine & 0xffff), or: wire((raw << low) & mine) }
}

function named({ name, values = {} }: Writable, allowed: readonly string[], value: Json): number {
  const list = allowed.join(', ')
  if (typeof value !== 'string' || !allowed.includes(value))
    throw new Refused(`register ${name} takes one of ${list}, not ${JSON.stringify(value)}`)
  return Number(Object.keys(values).find(raw => values[raw] === value))
}

/** The nearest raw number that the register holds. */
function held({ name, type, bits }: Writable, raw: number): number {
  const range = bits ? ([0, 2 ** (bits[1] - bits[0] + 1) - 1] as const) : rangeOf(type)
  if (range === undefined) return type === 'f32' ? float(name, raw) : raw
  // Not -0: what is read back is 0.
  const whole = Math.round(raw) + 0
  const what = bits ? `bits ${bits.join(' to ')}` : `a ${type}`
  if (whole < range[0] || whole > range[1]) throw new Refused(`register ${name}: ${what} cannot hold ${whole}`)
  if (!Number.isSafeInteger(whole)) throw new Refused(`register ${name}: ${whole} cannot be written exactly`)
  return whole
}

function float(name: string, raw: number): number {
  if (!Number.isFinite(Math.fround(raw))) throw new Refused(`register ${name}: an f32 cannot hold ${raw}`)
  return raw
}

function bigEndian(type: Exclude<Register['type'], 'text'>, raw: number): Buffer {
  const bytes = Buffer.alloc(type === 'bool' ? 2 : width({ type }) * 2)
  if (type === 'f32') bytes.writeFloatBE(raw)
  else if (type === 'f64') bytes.writeDoubleBE(raw)
  else if (type.startsWith('bcd')) bytes.write(String(raw).padStart(bytes.length * 2, '0'), 'hex')
  else if (type.endsWith('64')) bytes.writeBigUInt64BE(BigInt.asUintN(64, BigInt(raw)))
  else if (type === 'bool') bytes.writeUInt16BE(raw)
  else bytes.writeUIntBE(raw < 0 ? raw + 2 ** sizeOf(type) : raw, 0, bytes.length)
  return bytes
}

function reversed(bytes: Buffer): Buffer {
  const words = Array.from({ length: bytes.length / 2 }, (_, n) => bytes.subarray(n * 2, n * 2 + 2))
  return Buffer.concat(words.reverse())
}
