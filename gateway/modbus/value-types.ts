// What a value in a device's registers can be, and how much room it takes.

export const tables = ['coil', 'discrete-input', 'holding-register', 'input-register'] as const
export type Table = (typeof tables)[number]

/** `bcd32`: four bits a decimal digit. `text`: two bytes a register. */
export const valueTypes = [
  'bool',
  'u16',
  'i16',
  'u32',
  'i32',
  'u64',
  'i64',
  'f32',
  'f64',
  'bcd16',
  'bcd32',
  'bcd64',
  'text',
] as const
export type ValueType = (typeof valueTypes)[number]

export const orders = ['big', 'little'] as const
export type Order = (typeof orders)[number]

/** Whether a table holds single bits. */
export function isBits(table: Table): boolean {
  return table === 'coil' || table === 'discrete-input'
}

/** The bits of a number's type. */
export function sizeOf(type: Exclude<ValueType, 'bool' | 'text'>): 16 | 32 | 64 {
  return type.endsWith('64') ? 64 : type.endsWith('32') ? 32 : 16
}

/** How many addresses of its table a value takes; `length` is what the configuration says of a text. */
export function width({ type, length }: { readonly type: ValueType; readonly length?: number | undefined }): number {
  if (type === 'text') return length ?? 1
  return type === 'bool' ? 1 : sizeOf(type) / 16
}

/** The least and the greatest raw number of a type that holds whole ones. */
export function rangeOf(type: ValueType): readonly [number, number] | undefined {
  if (type === 'bool') return [0, 1]
  if (type === 'text' || type.startsWith('f')) return undefined
  const size = sizeOf(type as Exclude<ValueType, 'bool' | 'text'>)
  if (type.startsWith('bcd')) return [0, 10 ** (size / 4) - 1]
  return type.startsWith('i') ? [-(2 ** (size - 1)), 2 ** (size - 1) - 1] : [0, 2 ** size - 1]
}
