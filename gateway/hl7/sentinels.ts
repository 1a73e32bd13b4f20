// Numbers that stand for "no number". Monitors fill the fields of sensors that are off with values that no sensor gives;
// stored as measurements they end as an average of -324 degrees. Recognised by rule, never stored.

/**
 * Values that devices are known to send for "none", for "not a number", for too high and too low: all nines with a
 * minus, ends of 16, 24 and 32 bits, and what the special mantissas of an IEEE 11073 FLOAT (11073-20601, 6.5) become when
 * they are taken for numbers. Ends of 12 bits are not here: 2047 mL is a good day.
 */
export const knownSentinels: readonly number[] = [
  -99, -999, -9999, -99_999, -999_999, 999_999, 32_767, -32_768, 65_535, 8_388_605, 8_388_606, 8_388_607, -8_388_608,
  8_388_609, 8_388_610, 2_147_483_647, -2_147_483_648, 4_294_967_295,
]

/** The numeric fields hold text of this kind where there is nothing to tell. */
const nothings = /^(?:-+|\?+|\*+|#+|n\/?a|nan|inf|-inf|null|none|off|invalid|unknown|---?\.-)$/i

export type Read =
  | { readonly value: number; readonly comparator?: Comparator }
  /** No value, and nothing wrong with that. */
  | { readonly none: true }
  | { readonly wrong: string }

export const comparators = ['<', '<=', '>', '>='] as const
export type Comparator = (typeof comparators)[number]

/** A number as NM writes it (2.A.46): no exponent, no separators, no blanks within. */
const number = /^[+-]?(?:\d+\.?\d*|\.\d+)$/

/** The text of an NM field, by rule; the reasons tell the kind of the fault and never the text. */
export function readNumber(text: string, sentinels: ReadonlySet<number>): Read {
  const trimmed = text.trim()
  if (trimmed === '' || trimmed === '""') return { none: true }
  if (nothings.test(trimmed)) return { none: true }
  if (number.test(trimmed)) return checked(Number(trimmed), sentinels)
  return { wrong: fault(trimmed) }
}

function checked(value: number, sentinels: ReadonlySet<number>): Read {
  if (!Number.isFinite(value) || Math.abs(value) > 1e15) return { wrong: 'not a number that a device gives' }
  if (sentinels.has(value)) return { wrong: 'sentinel' }
  return { value }
}

function fault(text: string): string {
  if (/^[+-]?\d+,\d+$/.test(text) || /^[+-]?\d{1,3}(?:[.,]\d{3})+/.test(text)) return 'comma in the number'
  if (/^[+-]?\d+(?:\.\d+)?[eE][+-]?\d+$/.test(text)) return 'exponent in the number'
  if (/^[<>]=?\s*[+-]?\d/.test(text)) return 'comparison in the number'
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)\s*(?:\(?(?:H{1,2}|L{1,2}|A{1,2}|N|\*+|!+)\)?)$/.test(text)) return 'flag in the number'
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)\s*\S/.test(text)) return 'unit or text in the number'
  return 'text in the number'
}

/**
 * A structured numeric, SN (2.A.70): comparator, number, separator, number. A ratio or a range is no single number.
 */
export function readStructured(parts: readonly string[], number: (text: string) => Read): Read {
  const [comparator = '', first = '', separator = '', second = ''] = parts.map(p => p.trim())
  if (separator !== '' || second !== '') return { wrong: 'a range or ratio, not one number' }
  const read = number(first)
  if (!('value' in read) || comparator === '' || comparator === '=') return read
  const known = comparators.find(c => c === comparator)
  return known === undefined ? { wrong: 'unknown comparison' } : { ...read, comparator: known }
}
