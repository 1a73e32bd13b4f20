// What OBX-8 and OBX-11 say of a value: whether it counts.

import type { Field } from './segment.ts'

/** Table 0085, observation result status, where the value does not count. */
const withoutValue: ReadonlyMap<string, string> = new Map([
  ['X', 'status X: no result can be had'],
  ['W', 'status W: it was wrong'],
  ['D', 'status D: it is deleted'],
  ['N', 'status N: not asked for'],
  ['I', 'status I: not there yet'],
  ['O', 'status O: an order alone'],
])
/** Where it counts: final, corrected, preliminary, partial, not verified, changed in status only, appended, verified. */
const withValue = 'FCPSRUABV'

/** Why there is no value by OBX-11, or undefined. Devices that say nothing of it are taken at their word. */
export function statusFault(status: string): string | undefined {
  if (status === '' || (status.length === 1 && withValue.includes(status))) return undefined
  return withoutValue.get(status) ?? 'an unknown status'
}

/** IHE PCD TF-2, appendix B.8: measurement status bits of the device, told in OBX-8 beside the abnormal flags. */
const measurementFaults: ReadonlyMap<string, string> = new Map([
  ['INV', 'the device calls it invalid'],
  ['NAV', 'the device has none'],
  ['BUSY', 'the device is still measuring'],
  ['CAL', 'the device calibrates'],
  ['TEST', 'test data'],
  ['DEMO', 'demonstration data'],
])

/** Table 0078, interpretation codes, and the other status bits: known words only, a flag is no place for a text. */
const known = new Set([
  'L', 'H', 'LL', 'HH', 'LU', 'HU', '<', '>', 'A', 'AA', 'U', 'D', 'B', 'W', 'S', 'R', 'I', 'MS', 'VS', 'POS', 'NEG',
  'IND', 'DET', 'ND', 'QUES', 'EARLY', 'ALACT', 'ALINH',
]) // biome-ignore format: a table
const normal = new Set(['', 'N', 'NULL', '""'])
const urgent = new Set(['LL', 'HH', 'AA', '<', '>', 'ALACT'])

export interface Flags {
  readonly fault: string | undefined
  /** Known flags other than "normal", in order. */
  readonly said: readonly string[]
  readonly isUrgent: boolean
}

export function readFlags(field: Field): Flags {
  const flags = Array.from({ length: Math.min(field.repetitions, 20) }, (_, n) => field.component(1, 1, n + 1).trim())
  const fault = flags.map(flag => measurementFaults.get(flag)).find(f => f !== undefined)
  const said = flags.filter(flag => !normal.has(flag) && known.has(flag))
  return { fault, said, isUrgent: said.some(flag => urgent.has(flag)) }
}
