// What a configuration says of a device's registers. Addresses are the protocol's own, from 0
// (MODBUS Application Protocol V1.1b3, clause 4.4): the manual's 40001 is holding register 0.

import { type Attributes, seriesKinds } from '../../core/model.ts'
import {
  bool,
  integer,
  list,
  number,
  object,
  oneOf,
  optional,
  type Place,
  record,
  type Shape,
  text,
} from '../../core/shape.ts'

export const tables = ['coil', 'discrete-input', 'holding-register', 'input-register'] as const
export type Table = (typeof tables)[number]

export const valueTypes = ['bool', 'u16', 'i16', 'u32', 'i32', 'f32'] as const
export type ValueType = (typeof valueTypes)[number]

export const orders = ['big', 'little'] as const

const scalar: Shape<string | number | boolean> = {
  expects: 'a text, a number, true or false',
  read: (raw, place) =>
    typeof raw === 'boolean'
      ? bool.read(raw, place)
      : typeof raw === 'number'
        ? number.read(raw, place)
        : text.read(raw, place),
}

export const attributes: Shape<Attributes> = optional(record(scalar), {})

const fields = object(
  {
    name: text,
    table: oneOf(tables),
    address: integer(0, 65_535),
    type: oneOf(valueTypes),
    byte_order: optional(oneOf(orders), 'big'),
    word_order: optional(oneOf(orders), 'big'),
    scale: optional(number, 1),
    offset: optional(number, 0),
    unit: optional(text, '1'),
    kind: optional(oneOf(seriesKinds), 'gauge'),
    attributes,
  },
  'a register',
)

export type Register = ReturnType<typeof fields.read>

const register: Shape<Register> = {
  expects: fields.expects,
  read(raw, place) {
    const before = place.problems.length
    const r = fields.read(raw, place)
    if (place.problems.length === before) checkRegister(r, place)
    return r
  },
}

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

/** Whether a table holds single bits. */
export function isBits(table: Table): boolean {
  return table === 'coil' || table === 'discrete-input'
}

/** How many addresses of its table a value takes. */
export function width(type: ValueType): number {
  return type === 'u32' || type === 'i32' || type === 'f32' ? 2 : 1
}

function checkRegister(r: Register, place: Place): void {
  if (isBits(r.table) && r.type !== 'bool') {
    place.at('type').wrong(`${r.name}: a ${r.table} is one bit, so its type is bool, not ${r.type}`)
  }
  if (!isBits(r.table) && r.type === 'bool') {
    place.at('type').wrong(`${r.name}: a ${r.table} has 16 bits, so its type is one of u16, i16, u32, i32, f32`)
  }
  if (r.address + width(r.type) > 65_536) {
    place.at('address').wrong(`${r.name}: a ${r.type} at address ${r.address} would reach past the last address, 65535`)
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
