import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { Place } from '../../../core/shape.ts'
import { Device } from '../../../gateway/modbus/device.ts'
import { ModbusLink } from '../../../gateway/modbus/link.ts'
import { type Register, registers } from '../../../gateway/modbus/registers.ts'
import { peer } from '../../peers.ts'

interface Slave {
  readonly port: number
  readonly layout: readonly (Pick<Register, 'type' | 'byte_order' | 'word_order' | 'address'> & { value: number })[]
  readonly bits: readonly boolean[]
}

async function slave(t: Test, python: string): Promise<Slave> {
  const child = spawn(python, [new URL('pymodbus-server.py', import.meta.url).pathname], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return JSON.parse(line)
}

function device(
  t: Test,
  port: number,
  list: readonly object[],
  unit_id = 1,
  max_gap = 8,
): { device: Device; said: string[] } {
  const place = new Place()
  const checked = registers.read(list, place)
  t.strictSame(place.problems, [])
  const line = { transport: 'tcp', host: '127.0.0.1', port } as const
  const host = { root: '/', now: () => 1_790_000_000_000, monotonic: () => 0 } as never
  const link = new ModbusLink({ line, unit_id, timeout: 2000, outstanding: 1, pace: 0 }, host)
  t.teardown(() => link.close())
  const said: string[] = []
  const at = { name: 'plc', host, say: (_: string, message: string) => void said.push(message) }
  const bounds = { max_gap, max_registers: 125, max_bits: 2000 }
  return { device: new Device({ registers: checked, ...bounds, attributes: {} }, at, link), said }
}

t.test('every type, byte order and word order of both register tables reads as pymodbus wrote it', async t => {
  const python = peer(t, 'pymodbus')
  if (python === undefined) return
  const { port, layout } = await slave(t, python)
  for (const table of ['holding-register', 'input-register']) {
    const list = layout.map(({ value: _, ...r }, n) => ({ ...r, table, name: `${table}.${n}` }))
    const { samples } = await device(t, port, list).device.read()
    t.equal(samples.length, layout.length)
    for (const [n, { value, type, byte_order, word_order }] of layout.entries()) {
      const wanted = type === 'f32' ? Math.fround(value) : value
      t.equal(
        samples.find(s => s.series.name === `${table}.${n}`)?.value,
        wanted,
        `${type} ${byte_order} ${word_order}`,
      )
    }
  }
})

t.test('coils and discrete inputs read as pymodbus holds them', async t => {
  const python = peer(t, 'pymodbus')
  if (python === undefined) return
  const { port, bits } = await slave(t, python)
  const list = bits.flatMap((_, address) => [
    { name: `coil.${address}`, table: 'coil', type: 'bool', address },
    { name: `input.${address}`, table: 'discrete-input', type: 'bool', address },
  ])
  const { samples } = await device(t, port, list).device.read()
  const read = new Map(samples.map(s => [s.series.name, s.value]))
  for (const [n, bit] of bits.entries()) {
    t.equal(read.get(`coil.${n}`), bit ? 1 : 0)
    t.equal(read.get(`input.${n}`), bit ? 0 : 1)
  }
})

t.test('a device that refuses the gap between two registers is read register by register', async t => {
  const python = peer(t, 'pymodbus')
  if (python === undefined) return
  const { port } = await slave(t, python)
  const list = [5, 7, 9].map(address => ({ name: `r${address}`, table: 'holding-register', type: 'u16', address }))
  const { device: plc, said } = device(t, port, list, 2)
  for (let pass = 0; pass < 2; pass++) {
    const { samples } = await plc.read()
    t.strictSame(
      samples.map(s => [s.series.name, s.value]),
      [
        ['r5', 55],
        ['r9', 99],
      ],
    )
  }
  t.equal(said.length, 1, 'the missing one is said once')
  t.match(said[0], /register r7 is left out: reading 1 of holding-register from 7 .* illegal data address/)
})

t.test('a device that refuses everything is an error in words', async t => {
  const python = peer(t, 'pymodbus')
  if (python === undefined) return
  const { port } = await slave(t, python)
  const { device: plc } = device(t, port, [{ name: 'r', table: 'holding-register', type: 'u16', address: 60_000 }])
  await t.rejects(plc.read(), /reading 1 of holding-register from 60000 of unit 1 .* illegal data address/)
})
