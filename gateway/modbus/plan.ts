// Which requests read which registers: neighbours in one request, up to what a response can hold.

import type { Read } from './pdu.ts'
import { isBits, type Register, width } from './registers.ts'

export interface Block extends Read {
  readonly registers: readonly Register[]
}

export interface Bounds {
  /** Unwanted addresses to read across where that saves a request. */
  readonly max_gap: number
  /** The most of one request; a single value may be longer. */
  readonly max_registers: number
  readonly max_bits: number
}

export function plan(registers: readonly Register[], bounds: Bounds): readonly Block[] {
  const sorted = [...registers].sort((a, b) => a.table.localeCompare(b.table) || a.address - b.address)
  const blocks: Block[] = []
  for (const register of sorted) {
    const joined = join(blocks.at(-1), register, bounds)
    if (joined) blocks[blocks.length - 1] = joined
    else
      blocks.push({
        table: register.table,
        address: register.address,
        count: width(register),
        registers: [register],
      })
  }
  return blocks
}

/** One block a register: for a device that refuses a block as a whole. */
export function apart(block: Block): readonly Block[] {
  return block.registers.map(r => ({ table: r.table, address: r.address, count: width(r), registers: [r] }))
}

function join(block: Block | undefined, register: Register, bounds: Bounds): Block | undefined {
  if (block?.table !== register.table) return undefined
  const end = Math.max(block.address + block.count, register.address + width(register))
  const count = end - block.address
  const gap = register.address - (block.address + block.count)
  if (gap > bounds.max_gap || count > (isBits(block.table) ? bounds.max_bits : bounds.max_registers)) return undefined
  return { ...block, count, registers: [...block.registers, register] }
}
