// What a configuration says of a device's registers. Addresses are the protocol's own, from 0
// (MODBUS Application Protocol V1.1b3, clause 4.4): the manual's 40001 is holding register 0.

import { type Attributes, seriesKinds } from '../../core/model.ts'
import {
  duration,
  integer,
  isMap,
  list,
  number,
  object,
  oneOf,
  optional,
  type Place,
  type Problem,
  record,
  refined,
  type Shape,
  scalar,
  shape,
  text,
} from '../../core/shape.ts'
import { isBits, orders, rangeOf, sizeOf, tables, valueTypes, width } from './value-types.ts'

export const attributes: Shape<Attributes> = optional(record(scalar), {})

/** How far a value may drift from the one last sent: so many units, or a share of that value. */
export type Deadband = { readonly absolute: number } | { readonly share: number }

const deadband = shape<Deadband>('a number such as 0.5, or a share such as 2%', raw => {
  if (typeof raw === 'number') return raw >= 0 && Number.isFinite(raw) ? { absolute: raw } : undefined
  const percent = typeof raw === 'string' ? /^(\d+(?:\.\d+)?)\s*%$/.exec(raw)?.[1] : undefined
  return percent === undefined ? undefined : { share: Number(percent) / 100 }
})

/** Lowest and highest, counted from 0, the lowest bit of the value. */
export type Bits = readonly [number, number]

const isBit = (n: unknown): n is number => Number.isInteger(n) && (n as number) >= 0 && (n as number) < 32
const bits = shape<Bits>('a bit such as 3, or a range such as [4, 7]', raw => {
  const [low, high, ...rest] = Array.isArray(raw) ? raw : [raw, raw]
  return isBit(low) && isBit(high) && low <= high && rest.length === 0 ? [low, high] : undefined
})

/** Raw numbers and what they mean. */
const values = shape<Readonly<Record<string, string>>>('a map of whole numbers and names', (raw, place) => {
  if (!isMap(raw)) return undefined
  for (const key of Object.keys(raw)) {
    if (!/^-?\d+$/.test(key)) place.at(key).wrongKey(`expected a whole number, got ${key}`)
  }
  return record(text).read(raw, place)
})

const write = object(
  { min: optional(number), max: optional(number), names: optional(list(text, 1000)) },
  'what may be written, a map',
)

export const meaning = {
  type: oneOf(valueTypes),
  /** Of a u16 or u32 only these bits. */
  bits: optional(bits),
  /** Registers of a text. */
  length: optional(integer(1, 125)),
  byte_order: optional(oneOf(orders), 'big'),
  word_order: optional(oneOf(orders), 'big'),
  scale: optional(number, 1),
  offset: optional(number, 0),
  unit: optional(text, '1'),
  kind: optional(oneOf(seriesKinds), 'gauge'),
  attributes,
  /** Raw numbers by which the device says that there is no value. */
  none: optional(list(number, 16), []),
  values: optional(values),
  deadband: optional(deadband),
  /** After so long a value is sent, however little it moved. */
  max_silence: optional(duration(1000, 86_400_000), 300_000),
} as const

const fields = object(
  {
    name: text,
    table: oneOf(tables),
    address: integer(0, 65_535),
    ...meaning,
    /** Where the same table holds the power of ten that the value is to be multiplied by, an i16. */
    exponent: optional(integer(0, 65_535)),
    /** Absent: never. */
    write: optional(write),
  },
  'a register',
)

export type Register = ReturnType<typeof fields.read>

/** A shape whose mistakes begin with the name of what they are about. */
export function naming<T>(inner: Shape<T>): Shape<T> {
  const read = (raw: unknown, place: Place): T => {
    const before = place.problems.length
    const value = inner.read(raw, place)
    if (isMap(raw) && typeof raw.name === 'string') prefix(raw.name, place.problems, before)
    return value
  }
  return { ...inner, read }
}

function prefix(name: string, problems: Problem[], from: number): void {
  for (let n = from; n < problems.length; n++)
    problems[n] = { ...problems[n]!, message: `${name}: ${problems[n]!.message}` }
}

export const register: Shape<Register> = naming(refined(fields, checkRegister))

const several = list(register, 10_000)

/** A device's registers; no two may make the same series. */
export const registers: Shape<readonly Register[]> = {
  expects: several.expects,
  read(raw, place) {
    const before = place.problems.length
    const all = several.read(raw, place)
    if (place.problems.length === before) checkDuplicates(all, place)
    return all
  },
}

const numbers = valueTypes.filter(type => type !== 'bool')

function checkRegister(r: Register, place: Place): void {
  if (isBits(r.table) && r.type !== 'bool')
    place.at('type').wrong(`a ${r.table} is one bit, so its type is bool, not ${r.type}`)
  if (!isBits(r.table) && r.type === 'bool')
    place
      .at('type')
      .wrong(`a ${r.table} has 16 bits, so its type is one of ${numbers.join(', ')}; for one bit say bits`)
  if (r.address + width(r) > 65_536)
    place.at('address').wrong(`a ${r.type} at address ${r.address} would reach past the last address, 65535`)
  if (r.scale === 0) place.at('scale').wrong('a scale of 0 makes everything 0')
  checkMeaning(r, place)
  if (r.write) checkWrite(r, place)
}

/** The rules across the keys of a value's meaning. */
export function checkMeaning(r: Pick<Register, keyof typeof meaning>, place: Place): void {
  if (r.bits) checkBits(r, r.bits, place)
  if ((r.type === 'text') !== (r.length !== undefined)) {
    if (r.type === 'text') place.at('length').wrong('a text needs its length in registers')
    else place.at('length').wrong(`length is for a text; a ${r.type} has its own`)
  }
  if (r.type === 'text' && (r.values || r.deadband)) place.wrong('a text has neither values nor a deadband')
  if (!r.values) return
  if (rangeOf(r.type) === undefined) place.at('values').wrong(`names are for whole numbers, not for ${r.type}`)
  if (r.scale !== 1 || r.offset !== 0)
    place.at('values').wrong('names are for raw numbers: leave scale and offset away')
}

function checkBits({ type }: Pick<Register, 'type'>, [, high]: Bits, place: Place): void {
  if (type !== 'u16' && type !== 'u32') place.at('bits').wrong(`bits are taken from a u16 or u32, not from ${type}`)
  else if (high >= sizeOf(type))
    place.at('bits').wrong(`a ${type} has no bit ${high}; its highest is ${sizeOf(type) - 1}`)
}

function checkWrite(r: Register, place: Place): void {
  const at = place.at('write')
  const { min, max, names } = r.write!
  if (r.table !== 'coil' && r.table !== 'holding-register') at.wrong(`${r.table}s can only be read`)
  if (r.type === 'text') at.wrong('a text can only be read')
  if (r.exponent !== undefined) at.wrong('a value with an exponent can only be read')
  if (r.bits && r.type !== 'u16') at.wrong(`bits of a ${r.type} can only be read; those of a u16 can be written`)
  if (names === undefined) {
    if (min === undefined || max === undefined) at.wrong('say the least and the most: min and max')
    else if (min > max) at.wrong(`min ${min} is above max ${max}`)
    return
  }
  if (min !== undefined || max !== undefined) at.wrong('either min and max, or names')
  const known = Object.values(r.values ?? {})
  for (const name of names) {
    const meant = known.filter(k => k === name).length
    if (meant !== 1) at.at('names').wrong(`${name} is ${meant === 0 ? 'none' : 'more than one'} of its values`)
  }
}

function checkDuplicates(all: readonly Register[], place: Place): void {
  const seen = new Map<string, number>()
  for (const [n, r] of all.entries()) {
    const key = JSON.stringify([r.name, Object.entries(r.attributes).sort()])
    const first = seen.get(key)
    if (first !== undefined)
      place.at(n).wrong(`register ${r.name} is already given as number ${first + 1} of this list`)
    else seen.set(key, n)
  }
}
