import t from 'tap'
import { most } from '../../../gateway/modbus/pdu.ts'
import { apart, type Block, type Bounds, plan } from '../../../gateway/modbus/plan.ts'
import type { Register } from '../../../gateway/modbus/registers.ts'
import { isBits, tables, valueTypes, width } from '../../../gateway/modbus/value-types.ts'
import { type Random, seeded } from '../../random.ts'
import { base } from './register.ts'

const bounds = (max_gap: number): Bounds => ({ max_gap, max_registers: most.registersRead, max_bits: most.bitsRead })

t.test('neighbours are read in one request, strangers in their own', async t => {
  const at = (address: number): Register => ({ ...base, address })
  const blocks = plan([at(12), at(10), at(11), at(40)], bounds(0))
  t.strictSame(
    blocks.map(b => [b.address, b.count]),
    [
      [10, 3],
      [40, 1],
    ],
  )
  t.strictSame(
    plan([at(10), at(15)], bounds(4)).map(b => b.count),
    [6],
    'a gap of four is read across',
  )
  t.strictSame(
    plan([at(10), at(15)], bounds(3)).map(b => b.count),
    [1, 1],
    'a longer one is not',
  )
})

t.test('a request is as long as the protocol or the device allows, and no longer', async t => {
  const row = (count: number, table: Register['table'] = 'holding-register'): Register[] =>
    Array.from({ length: count }, (_, address) => ({ ...base, table, type: isBits(table) ? 'bool' : 'u16', address }))
  const counts = (registers: Register[], limits = bounds(0)) => plan(registers, limits).map(b => b.count)
  t.strictSame(counts(row(251)), [125, 125, 1])
  t.strictSame(counts(row(2001, 'coil')), [2000, 1])
  t.strictSame(counts(row(20), { ...bounds(0), max_registers: 8 }), [8, 8, 4])
  t.strictSame(counts([{ ...base, type: 'f32' }], { ...bounds(0), max_registers: 1 }), [2], 'a value stays whole')
})

t.test('whatever the registers: each is inside its block, no block is longer than an answer', async t => {
  const random = seeded(t)
  for (let round = 0; round < 300; round++) {
    const maxGap = random.below(20)
    const registers = Array.from({ length: 1 + random.below(200) }, () => randomRegister(random))
    const limits = { ...bounds(maxGap), max_registers: 4 + random.below(122), max_bits: 1 + random.below(2000) }
    const blocks = plan(registers, limits)
    const placed = blocks.flatMap(b => b.registers)
    t.equal(placed.length, registers.length)
    t.equal(new Set(placed).size, registers.length)
    for (const b of blocks) {
      const most = isBits(b.table) ? limits.max_bits : limits.max_registers
      const wrong = b.registers.filter(
        r => r.table !== b.table || r.address < b.address || r.address + width(r) > b.address + b.count,
      )
      if (b.count > most || wrong.length > 0)
        t.fail(`block ${b.table} ${b.address}+${b.count}: ${wrong.length} outside`)
    }
    const divided = blocks.flatMap(utterly)
    t.equal(new Set(divided.flatMap(b => b.registers)).size, registers.length, 'divided, too, each is read once')
    for (const b of divided) {
      const shared = b.registers.filter(r => r.address < b.address || r.address + width(r) > b.address + b.count)
      if (shared.length > 0) t.fail(`block ${b.table} ${b.address}+${b.count}: ${shared.length} outside`)
    }
  }
})

/** Divided until nothing can be divided any more. */
function utterly(block: Block): readonly Block[] {
  const parts = apart(block)
  return parts.length === 1 ? parts : parts.flatMap(utterly)
}

t.test('a refused block is divided at its gaps, then in halves; what lies at one address stays together', async t => {
  const at = (address: number): Register => ({ ...base, address })
  const spans = (blocks: readonly Block[]) => blocks.map(b => [b.address, b.count, b.registers.length])
  const [gapped] = plan([at(0), at(1), at(5), at(6), at(6), at(9)], bounds(8))
  t.strictSame(spans(apart(gapped!)), [
    [0, 2, 2],
    [5, 2, 3],
    [9, 1, 1],
  ])
  const [whole] = plan([0, 1, 2, 3].map(at), bounds(0))
  t.strictSame(spans(apart(whole!)), [
    [0, 2, 2],
    [2, 2, 2],
  ])
  const [long] = plan([{ ...base, type: 'u32' }, at(1)], bounds(0))
  t.strictSame(apart(long!), [long])
})

function randomRegister(random: Random): Register {
  const table = random.pick(tables)
  const type = isBits(table) ? 'bool' : random.pick(valueTypes.slice(1, -1))
  return { ...base, table, type, address: random.below(random() < 0.5 ? 300 : 65_534) }
}
