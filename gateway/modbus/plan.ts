// Which requests read which registers: neighbours in one request, up to what a response can hold.

import { isBits, type Register, type Table, width } from './registers.ts'

export interface Block {
  readonly table: Table
  readonly address: number
  /** Bits or registers. */
  readonly count: number
  readonly registers: readonly Register[]
}

/** The most a read may ask for (MODBUS Application Protocol V1.1b3, clauses 6.1 to 6.4). */
export const mostBits = 2000
export const mostRegisters = 125

/** Reads across up to `maxGap` unwanted addresses where that saves a request. */
export function plan(registers: readonly Register[], maxGap: number): readonly Block[] {
  const sorted = [...registers].sort((a, b) => a.table.localeCompare(b.table) || a.address - b.address)
  const blocks: Block[] = []
  for (const register of sorted) {
    const joined = join(blocks.at(-1), register, maxGap)
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

function join(block: Block | undefined, register: Register, maxGap: number): Block | undefined {
  if (block?.table !== register.table) return undefined
  const end = Math.max(block.address + block.count, register.address + width(register))
  const count = end - block.address
  const gap = register.address - (block.address + block.count)
  if (gap > maxGap || count > (isBits(block.table) ? mostBits : mostRegisters)) return undefined
  return { ...block, count, registers: [...block.registers, register] }
}
