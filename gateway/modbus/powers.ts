// Values whose power of ten stands in a register of its own, as SunSpec's scale factors do. It is read with the value each time.

import { type Decode, type Power, rawDecoder } from './decode.ts'
import type { Register } from './registers.ts'

/** -10 to 10 (SunSpec Device Information Model Specification, sunssf); anything else is no power of ten. */
const most = 10

/** A register that holds the power of ten of others. */
export class PowerRegister implements Power {
  readonly register: Register
  readonly #decode: Decode
  exponent = Number.NaN

  constructor(like: Register, address: number) {
    const plain = { bits: undefined, length: undefined, exponent: undefined, write: undefined, values: undefined }
    this.register = {
      ...like,
      ...plain,
      name: `exponent ${address}`,
      address,
      type: 'i16',
      none: [],
      deadband: undefined,
    }
    this.#decode = rawDecoder(this.register)
  }

  take(bytes: Buffer, at: number): void {
    const exponent = this.#decode(bytes, at)
    this.exponent = Math.abs(exponent) <= most ? exponent : Number.NaN
  }

  /** What was read before must not scale what is read now. */
  forget(): void {
    this.exponent = Number.NaN
  }
}

/** By the registers that need them; those of one table and address share one. */
export function powersOf(registers: readonly Register[]): ReadonlyMap<Register, PowerRegister> {
  const known = new Map<string, PowerRegister>()
  const powers = new Map<Register, PowerRegister>()
  for (const r of registers) {
    if (r.exponent === undefined) continue
    const key = `${r.table} ${r.exponent}`
    const power = known.get(key) ?? new PowerRegister(r, r.exponent)
    known.set(key, power)
    powers.set(r, power)
  }
  return powers
}
