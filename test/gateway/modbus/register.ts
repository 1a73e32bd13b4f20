import type { Register } from '../../../gateway/modbus/registers.ts'

/** A plain register to vary. */
export const base: Register = {
  name: 'r',
  table: 'holding-register',
  address: 0,
  type: 'u16',
  byte_order: 'big',
  word_order: 'big',
  scale: 1,
  offset: 0,
  unit: '1',
  kind: 'gauge',
  attributes: {},
}
