// Bytes of a response to values. Registers travel with their high byte first (MODBUS Application Protocol V1.1b3,
// clause 4.2); what a device puts in which byte and which word of a longer value is its maker's choice.

import { isBits, type Register } from './registers.ts'

const scratch = new DataView(new ArrayBuffer(4))

/**
 * The value of `register` out of a block's bytes, scaled; undefined where the device gives no number (a float that is
 * NaN or infinite). `at` is the register's place in the block: addresses after the block's first.
 */
export function decode(register: Register, bytes: Buffer, at: number): number | undefined {
  const raw = isBits(register.table) ? bit(bytes, at) : words(register, bytes, at)
  if (!Number.isFinite(raw)) return undefined
  return register.scale === 1 && register.offset === 0 ? raw : raw * register.scale + register.offset
}

/** Bits are packed from the lowest bit of the first byte on (clause 6.1). */
function bit(bytes: Buffer, at: number): number {
  return (bytes[at >> 3]! >> (at & 7)) & 1
}

function words({ type, byte_order, word_order }: Register, bytes: Buffer, at: number): number {
  const first = word(bytes, at, byte_order)
  if (type === 'u16') return first
  if (type === 'i16') return (first << 16) >> 16
  const second = word(bytes, at + 1, byte_order)
  const long = word_order === 'big' ? first * 65_536 + second : second * 65_536 + first
  if (type === 'u32') return long
  scratch.setUint32(0, long)
  return type === 'i32' ? scratch.getInt32(0) : scratch.getFloat32(0)
}

function word(bytes: Buffer, at: number, order: Register['byte_order']): number {
  return order === 'big' ? bytes.readUInt16BE(at * 2) : bytes.readUInt16LE(at * 2)
}
