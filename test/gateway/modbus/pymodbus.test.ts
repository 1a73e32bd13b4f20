import t, { type Test } from 'tap'
import { memoryKeep } from '../../../agent/keep.ts'
import { readConfig } from '../../../core/config.ts'
import { Place } from '../../../core/shape.ts'
import { Device } from '../../../gateway/modbus/device.ts'
import { ModbusLink } from '../../../gateway/modbus/link.ts'
import { type Register, registers } from '../../../gateway/modbus/registers.ts'
import { fillIn } from '../../../gateway/modbus/templates.ts'
import { writer } from '../../../gateway/modbus/write.ts'
import { modbus } from '../../../gateway/sources/modbus.ts'
import { fakeHost } from '../../agent/fake-host.ts'
import { peer, started } from '../../peers.ts'

interface Slave {
  readonly port: number
  readonly layout: readonly (Pick<Register, 'type' | 'byte_order' | 'word_order' | 'address'> & { value: number })[]
  readonly bits: readonly boolean[]
}

async function slave(t: Test, python: string): Promise<Slave> {
  return JSON.parse(await started(t, python, [new URL('pymodbus-server.py', import.meta.url).pathname]))
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

t.test('what is written to a pymodbus slave is read back: coils, bits, numbers of all sizes, names', async t => {
  const python = peer(t, 'pymodbus')
  if (python === undefined) return
  const { port } = await slave(t, python)
  const at = { host: '127.0.0.1', port, transport: 'tcp' } as const
  const host = fakeHost('/')
  const link = new ModbusLink({ line: at, unit_id: 4, timeout: 2000, outstanding: 1, pace: 0 }, host)
  t.teardown(() => link.close())
  const limits = { min: -1000, max: 1000 }
  const list = [
    { name: 'lamp', table: 'coil', address: 3, type: 'bool', write: { min: 0, max: 1 } },
    { name: 'level', address: 1, type: 'i16', scale: 0.1, write: limits },
    { name: 'gear', address: 2, type: 'u16', bits: [4, 6], write: limits },
    { name: 'total', address: 4, type: 'f64', word_order: 'little', write: limits },
    { name: 'count', address: 10, type: 'u32', byte_order: 'little', write: limits },
    { name: 'mode', address: 12, type: 'u16', values: { 0: 'stop', 3: 'run' }, write: { names: ['run', 'stop'] } },
    { name: 'absent', address: 500, type: 'u16', write: limits },
  ]
  const place = new Place()
  const checked = registers.read(
    list.map(r => ({ table: 'holding-register', ...r })),
    place,
  )
  t.strictSame(place.problems, [])
  const write = writer(checked, link, host)
  const { signal } = new AbortController()
  for (const [to, value, read] of [
    ['lamp', true, 1],
    ['level', -12.3, -12.3],
    ['gear', 5, 5],
    ['total', 3.25, 3.25],
    ['count', 999, 999],
    ['mode', 'run', 'run'],
  ] as const)
    t.equal(await write({ to, value }, signal), read, to)
  await t.rejects(write({ to: 'absent', value: 1 }, signal), { name: 'Refused' })
  await t.rejects(write({ to: 'level', value: 1001 }, signal), { name: 'Refused' })
  const held = await link.read({ table: 'holding-register', address: 1, count: 12 })
  t.equal(
    held.toString('hex'),
    `ff85 0050 0000 ${'0000'.repeat(3)} 400a 0000 0000 0000 e703 0003`.replaceAll(' ', ''),
    'as it lies in the device',
  )
})

t.test('a pymodbus slave with a SunSpec map is read by its chain', async t => {
  const python = peer(t, 'pymodbus')
  if (python === undefined) return
  const { port } = await slave(t, python)
  const place = new Place()
  const raw = fillIn({ url: `modbus-tcp://127.0.0.1:${port}/3`, template: 'sunspec' }, place, readConfig)
  const options = modbus.options.read(raw, place)
  t.strictSame(place.problems, [])
  const surroundings = { name: 'pv', host: fakeHost('/'), keep: memoryKeep(), say: () => undefined }
  const { samples, events } = await modbus.open(options, surroundings).once!(AbortSignal.timeout(5000))
  t.strictSame(
    samples.map(s => [s.series.name, s.value]),
    [
      ['inverter.ac.power', 233.5],
      ['inverter.ac.frequency', 49.98],
      ['inverter.ac.energy', 4_200_000],
      ['inverter.state', 4],
    ],
  )
  t.match(
    events.map(e => (e.body as { to: string }).to),
    ['ACME Solar', 'Roof 5k', '1.02', 'SN0042', 'mppt'],
  )
})
