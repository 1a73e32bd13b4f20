// Every function over every transport, with slaves that nobody here wrote.

import { execFileSync } from 'node:child_process'
import t, { type Test } from 'tap'
import { Place } from '../../../core/shape.ts'
import { address } from '../../../gateway/modbus/address.ts'
import { ModbusLink } from '../../../gateway/modbus/link.ts'
import type { Read } from '../../../gateway/modbus/pdu.ts'
import type { Table } from '../../../gateway/modbus/value-types.ts'
import { peer, started } from '../../peers.ts'

const beside = (name: string): string => new URL(name, import.meta.url).pathname

async function serialPair(t: Test, python: string): Promise<[string, string]> {
  return (await started(t, python, [beside('serial-pair.py')])).split(' ') as [string, string]
}

function compiled(t: Test, gcc: string): string {
  const program = `${t.testdir()}/slave`
  execFileSync(gcc, ['-o', program, beside('libmodbus-slave.c'), '-lmodbus'])
  return program
}

function linkTo(t: Test, url: string, outstanding = 1): ModbusLink {
  const place = new Place()
  const { line } = address.read(url, place)
  t.strictSame(place.problems, [])
  const link = new ModbusLink({ line, unit_id: 1, timeout: 5000, outstanding, pace: 0 }, {})
  t.teardown(() => link.close())
  return link
}

const words = (bytes: Buffer): number[] => Array.from({ length: bytes.length / 2 }, (_, n) => bytes.readUInt16BE(n * 2))
const bits = (bytes: Buffer, count: number): number[] =>
  Array.from({ length: count }, (_, n) => (bytes[n >> 3]! >> (n & 7)) & 1)
const from = (table: Table, address: number, count: number): Read => ({ table, address, count })
const row = <T>(count: number, of: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => of(n))

async function everyFunction(t: Test, link: ModbusLink): Promise<void> {
  t.strictSame(
    words(await link.read(from('holding-register', 3, 125))),
    row(125, n => (n + 3) * 7),
    'function 3, and the most of it',
  )
  t.strictSame(
    words(await link.read(from('input-register', 3, 2))),
    row(2, n => (n + 3) * 11),
    'function 4',
  )
  t.strictSame(
    bits(await link.read(from('coil', 5, 2000)), 2000),
    row(2000, n => Number((n + 5) % 3 === 0)),
    'function 1, and the most of it',
  )
  t.strictSame(
    bits(await link.read(from('discrete-input', 5, 9)), 9),
    row(9, n => Number((n + 5) % 4 === 0)),
    'function 2',
  )
  await t.rejects(link.read(from('holding-register', 60_000, 1)), { name: 'ModbusException', code: 2 })

  await link.write({ function: 5, address: 1, value: true })
  await link.write({ function: 15, address: 2, values: [true, false, true, true, false, true, false, true, true] })
  t.strictSame(bits(await link.read(from('coil', 0, 11)), 11), [1, 1, 1, 0, 1, 1, 0, 1, 0, 1, 1], 'functions 5 and 15')
  await link.write({ function: 6, address: 0, value: 0xfffe })
  await link.write({ function: 16, address: 1, registers: Buffer.from([0x12, 0x34, 0x56, 0x78]) })
  t.strictSame(words(await link.read(from('holding-register', 0, 4))), [0xfffe, 0x1234, 0x5678, 21], '6 and 16')
  await link.write({ function: 22, address: 1, and: 0xf2f2, or: 0x2525 })
  t.strictSame(
    words(await link.read(from('holding-register', 1, 1))),
    [(0x1234 & 0xf2f2) | (0x2525 & ~0xf2f2 & 0xffff)],
    'function 22',
  )
  const both = { function: 23, address: 10, registers: Buffer.from([0, 9, 0, 8]), from: 9, count: 4 } as const
  t.strictSame(words(await link.write(both)), [63, 9, 8, 84], 'function 23 writes before it reads')
  await t.rejects(link.write({ function: 6, address: 60_000, value: 1 }), { name: 'ModbusException', code: 2 })
}

t.test('pymodbus over Modbus TCP, one and several outstanding', async t => {
  const python = peer(t, 'pymodbus')
  if (python === undefined) return
  const url = `modbus-tcp://127.0.0.1:${await started(t, python, [beside('pymodbus-lines.py'), 'tcp'])}`
  await everyFunction(t, linkTo(t, url))
  const link = linkTo(t, url, 8)
  const addresses = row(150, n => n + 20)
  const read = await Promise.all(addresses.map(async n => words(await link.read(from('holding-register', n, 1)))[0]))
  t.strictSame(
    read,
    addresses.map(n => n * 7),
  )
})

t.test('pymodbus over RTU over TCP', async t => {
  const python = peer(t, 'pymodbus')
  if (python === undefined) return
  const port = await started(t, python, [beside('pymodbus-lines.py'), 'rtu-tcp'])
  await everyFunction(t, linkTo(t, `modbus-rtu-tcp://127.0.0.1:${port}/1`))
})

t.test('pymodbus over an RTU serial line', async t => {
  const python = peer(t, 'pymodbus')
  if (python === undefined) return
  const [here, there] = await serialPair(t, python)
  await started(t, python, [beside('pymodbus-lines.py'), there])
  await everyFunction(t, linkTo(t, `modbus-rtu://${here}?baud=115200&parity=none`))
})

t.test('libmodbus over Modbus TCP', async t => {
  const gcc = peer(t, 'libmodbus')
  if (gcc === undefined) return
  await everyFunction(t, linkTo(t, `modbus-tcp://127.0.0.1:${await started(t, compiled(t, gcc), ['tcp'])}`))
})

t.test('libmodbus over an RTU serial line', async t => {
  const [gcc, python] = [peer(t, 'libmodbus'), peer(t, 'pymodbus')]
  if (gcc === undefined || python === undefined) return
  const [here, there] = await serialPair(t, python)
  await started(t, compiled(t, gcc), [there])
  await everyFunction(t, linkTo(t, `modbus-rtu://${here}?baud=115200&parity=none`))
})
