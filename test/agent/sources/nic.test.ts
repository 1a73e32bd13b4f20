import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Devices } from '../../../agent/devices.ts'
import { nic, parseNetDev } from '../../../agent/sources/nic.ts'
import { Place } from '../../../core/shape.ts'
import { seeded } from '../../random.ts'
import { damaged } from '../damaged.ts'
import { fakeHost } from '../fake-host.ts'
import { machine, readings, sourceContract } from '../source-contract.ts'

sourceContract(t, nic, join(import.meta.dirname, 'nic'))

const recorded = join(import.meta.dirname, 'nic/virtual-nic')
const defaults = nic.options.read({}, new Place())
const limits = (values: Readonly<Record<string, number>>): number[] =>
  Object.keys(values).flatMap(key => (key.includes('bandwidth.limit') ? [values[key]!] : []))

t.test('the speed is asked for once a minute and whenever the carrier changed', async t => {
  const { root, host } = machine(t, recorded)
  const eth0 = join(root, 'sys/class/net/eth0')
  writeFileSync(join(eth0, 'speed'), '1000\n')
  let n = 0
  const between = (): void => {
    if (++n === 3) writeFileSync(join(eth0, 'carrier_changes'), '4\n')
  }
  const made = await readings(nic, defaults, host, 10, between)
  t.strictSame(
    made.map(r => limits(r.values)[0]),
    [125e6, undefined, undefined, 125e6, undefined, undefined, undefined, undefined, undefined, 125e6],
  )
})

t.test('an interface that went away and came back is read again', async t => {
  const { root, host } = machine(t, recorded)
  const path = join(root, 'proc/net/dev')
  const line = '  eth9: 1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n'
  const heading = 'Inter-| Receive | Transmit\n face |bytes |bytes\n'
  let n = 0
  const between = (): void => {
    rmSync(path)
    writeFileSync(path, heading)
    if (++n === 2) appendFileSync(path, line)
  }
  writeFileSync(path, heading + line)
  const made = await readings(nic, defaults, host, 3, between)
  t.strictSame(
    made.map(r => Object.values(r.values)),
    [[1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0], [], [1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0]],
  )
})

t.test('errors by kind are told when they grew, else once a minute', async t => {
  const { root, host } = machine(t, join(import.meta.dirname, 'nic/failing-nic'))
  const path = join(root, 'proc/net/dev')
  const frame = (values: Readonly<Record<string, number>>): number | undefined =>
    Object.entries(values).find(([key]) => key.includes('hw.errors') && key.includes('error.type=frame'))?.[1]
  let n = 0
  const between = (): void => {
    if (++n === 2) writeFileSync(path, readFileSync(path, 'utf8').replace('1006', '1007'))
  }
  const made = await readings(nic, defaults, host, 8, between)
  const none = undefined
  t.strictSame(
    made.map(r => frame(r.values)),
    [1006, none, 1007, none, none, none, 1007, none],
  )
})

t.test('of interfaces with hardware also what is 0', async t => {
  const { root, host } = machine(t, join(import.meta.dirname, 'nic/failing-nic'))
  const folder = join(root, 'sys/class/net/eno1')
  writeFileSync(join(folder, 'statistics/rx_crc_errors'), '0\n')
  const crc = (values: Readonly<Record<string, number>>): number[] =>
    Object.keys(values).flatMap(key => (key.includes('error.type=crc') ? [values[key]!] : []))
  t.strictSame(crc((await readings(nic, defaults, host, 1))[0]!.values), [])
  mkdirSync(join(folder, 'device/power'), { recursive: true })
  t.strictSame(crc((await readings(nic, defaults, host, 1))[0]!.values), [0])
})

t.test('the links of 500 interfaces are read in turns, those of hardware each time, with few files open', async t => {
  const root = t.testdir({})
  const names = Array.from({ length: 500 }, (_, n) => `tap${n}`)
  const heading = 'Inter-| Receive | Transmit\n face |bytes |bytes\n'
  mkdirSync(join(root, 'proc/net'), { recursive: true })
  writeFileSync(
    join(root, 'proc/net/dev'),
    heading + names.map(name => `${name}: 1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n`).join(''),
  )
  for (const name of names) {
    mkdirSync(join(root, 'sys/class/net', name, name === 'tap499' ? 'device/power' : 'statistics'), { recursive: true })
    writeFileSync(join(root, 'sys/class/net', name, 'operstate'), 'up\n')
    writeFileSync(join(root, 'sys/class/net', name, 'carrier_changes'), '1\n')
  }
  const before = readdirSync('/proc/self/fd').length
  const open: number[] = []
  const made = await readings(nic, defaults, fakeHost(root), 16, () => {
    open.push(readdirSync('/proc/self/fd').length - before)
  })
  t.ok(Math.max(...open) <= 130, `${Math.max(...open)} files open`)
  const ups = made.map(r => Object.keys(r.values).filter(key => key.includes('hw.network.up')))
  t.ok(ups.every(keys => keys.length === 96 && keys.some(key => key.includes('tap499'))))
  t.equal(new Set(ups.flat()).size, 500, 'each had its turn')
})

t.test('a damaged file of one link is said once, and the others are told', async t => {
  const { root, host } = machine(t, recorded)
  writeFileSync(join(root, 'sys/class/net/eth0/operstate'), 'upside down\n')
  const made = await readings(nic, defaults, host, 2)
  t.match(made[1]!.said, [/^warning nic eth0: .*eth0\/operstate: expected an operational state/])
  t.equal(made[0]!.values['gauge hw.network.up{hw.id=ifb0,network.interface.name=ifb0} 1'], 0)
})

t.test('whatever bytes come, the list of interfaces is numbers or an error that names the file', async t => {
  const random = seeded(t)
  const whole = readFileSync(join(recorded, 'input/proc/net/dev'))
  for (let n = 0; n < 500; n++) {
    const nics = new Devices(() => ({ values: new Float64Array(16) }))
    try {
      parseNetDev(damaged(random, whole), nics)
      for (const { values } of nics.all()) if (!values.every(v => Number.isFinite(v) && v >= 0)) t.fail(`${values}`)
    } catch (error) {
      t.match(String(error), /^Error: \/proc\/net\/dev: expected /)
    }
  }
})
