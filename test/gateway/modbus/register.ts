import { Place } from '../../../core/shape.ts'
import { type Register, register } from '../../../gateway/modbus/registers.ts'

/** A plain register to vary. */
export const base: Register = register.read(
  { name: 'r', table: 'holding-register', address: 0, type: 'u16' },
  new Place(),
)
