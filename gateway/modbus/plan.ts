// Which requests read which registers: neighbours in one request, up to what a response can hold.

import type { Read } from './pdu.ts'
import type { Register } from './registers.ts'
import { isBits, width } from './value-types.ts'

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

/**
 * What to ask for where a device refuses a block as a whole: its pieces without the gaps, and where there are none its halves.
 * One that cannot be divided, because its registers lie at the same addresses, comes back alone.
 */
export function apart(block: Block): readonly Block[] {
  const pieces = piecesOf(block)
  const isGapped = pieces.reduce((sum, piece) => sum + piece.count, 0) < block.count
  if (isGapped) return plan(block.registers, { max_gap: 0, max_registers: block.count, max_bits: block.count })
  if (pieces.length === 1) return [block]
  const middle = block.address + block.count / 2
  const half = Math.max(
    1,
    pieces.findIndex(piece => piece.address + piece.count > middle),
  )
  return [pieces.slice(0, half), pieces.slice(half)].map(whole)
}

/** The smallest blocks that no register reaches out of. */
function piecesOf({ registers }: Block): readonly Block[] {
  const pieces: Block[] = []
  for (const register of registers) {
    const last = pieces.at(-1)
    const alone = { table: register.table, address: register.address, count: width(register), registers: [register] }
    if (last && register.address < last.address + last.count) pieces[pieces.length - 1] = whole([last, alone])
    else pieces.push(alone)
  }
  return pieces
}

/** Blocks that lie side by side, or within each other, as one. */
function whole(blocks: readonly Block[]): Block {
  const [{ table, address }] = blocks as readonly [Block]
  const end = Math.max(...blocks.map(b => b.address + b.count))
  return { table, address, count: end - address, registers: blocks.flatMap(b => b.registers) }
}

function join(block: Block | undefined, register: Register, bounds: Bounds): Block | undefined {
  if (block?.table !== register.table) return undefined
  const end = Math.max(block.address + block.count, register.address + width(register))
  const count = end - block.address
  const gap = register.address - (block.address + block.count)
  if (gap > bounds.max_gap || count > (isBits(block.table) ? bounds.max_bits : bounds.max_registers)) return undefined
  return { ...block, count, registers: [...block.registers, register] }
}
