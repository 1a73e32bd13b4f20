import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { chipId, numbering } from '../../../agent/hwmon/identity.ts'
import { hwmon } from '../../../agent/sources/hwmon.ts'
import { inOrder, parseNumber, parseText } from '../../../agent/sysfs.ts'
import type { Host } from '../../../core/host.ts'
import { Place } from '../../../core/shape.ts'
import { seeded } from '../../random.ts'
import { fakeHost } from '../fake-host.ts'
import { readings, sourceContract } from '../source-contract.ts'

sourceContract(t, hwmon, join(import.meta.dirname, 'hwmon'))

const defaults = hwmon.options.read({}, new Place())

/** A machine with these folders in /sys/class; the files' contents without their newline. */
function sysfs(t: Test, classes: Readonly<Record<string, Readonly<Record<string, string | number>>>>): Host {
  const root = t.testdir({ sys: { class: { hwmon: {}, thermal: {} } } })
  for (const [folder, files] of Object.entries(classes)) {
    mkdirSync(join(root, 'sys/class', folder), { recursive: true })
    for (const [name, value] of Object.entries(files))
      writeFileSync(join(root, 'sys/class', folder, name), `${value}\n`)
  }
  return fakeHost(root)
}

const ids = (values: Readonly<Record<string, number>>): string[] =>
  Object.keys(values).flatMap(key => /hw\.id=([^,}]+)/.exec(key)?.[1] ?? [])

t.test('a chip is called by its driver and by what stays of its place', async t => {
  const pci = '/sys/devices/pci0000:00/0000:00:1d.0/0000:01:00.0'
  t.equal(chipId('nvme', `${pci}/nvme/nvme0`), 'nvme-0000:01:00.0')
  t.equal(chipId('nvme', `${pci}/nvme/nvme7`), 'nvme-0000:01:00.0')
  t.equal(chipId('coretemp', '/sys/devices/platform/coretemp.1'), 'coretemp-coretemp.1')
  t.equal(chipId('jc42', `${pci}/i2c-3/3-0018`), 'jc42-0000:01:00.0-i2c-0018')
  t.equal(chipId('jc42', `${pci}/i2c-12/12-0018`), 'jc42-0000:01:00.0-i2c-0018')
  t.equal(chipId('BAT0', '/sys/devices/LNXSYSTM:00/PNP0C0A:00/power_supply/BAT0'), 'BAT0-PNP0C0A:00')
  t.equal(chipId('corsairpsu', `${pci}/usb1/1-2/1-2:1.0/0003:1B1C:1C0A.0001`), 'corsairpsu-1-2:1.0')
  t.equal(chipId('acpitz', '/sys/devices/virtual/thermal/thermal_zone0'), 'acpitz')
  t.equal(chipId('lm75', undefined), 'lm75')
  const unique = numbering()
  t.strictSame(['acpitz', 'nvme', 'acpitz', 'acpitz'].map(unique), ['acpitz', 'nvme', 'acpitz.2', 'acpitz.3'])
  t.strictSame(inOrder(['hwmon0', 'hwmon1', 'hwmon10', 'hwmon2']), ['hwmon0', 'hwmon1', 'hwmon2', 'hwmon10'])
})

t.test('a chip keeps its name when it gets another number', async t => {
  const made: string[][] = []
  for (const number of [1, 4]) {
    const host = sysfs(t, { 'hwmon/none': {} })
    const device = join(host.root, 'sys/devices/pci0000:00/0000:01:00.0')
    const folder = join(device, `hwmon/hwmon${number}`)
    mkdirSync(folder, { recursive: true })
    symlinkSync('../../../0000:01:00.0', join(folder, 'device'))
    writeFileSync(join(folder, 'name'), 'nvme\n')
    writeFileSync(join(folder, 'temp1_input'), '30850\n')
    symlinkSync(folder.replace(host.root, '../../..'), join(host.root, `sys/class/hwmon/hwmon${number}`))
    made.push(Object.keys((await readings(hwmon, defaults, host, 1))[0]!.values))
  }
  t.match(made[0], [/hw\.id=nvme-0000:01:00\.0\/temp1,/])
  t.strictSame(made[1], made[0])
})

t.test('what a thermal zone shows and a chip shows too is told once', async t => {
  const host = sysfs(t, {
    'hwmon/hwmon0': { name: 'coretemp', temp1_input: 50000, temp1_label: 'Package id 0' },
    'hwmon/hwmon1': { name: 'cpu_thermal', temp1_input: 51000 },
    'thermal/thermal_zone0': { type: 'x86_pkg_temp', temp: 50000 },
    'thermal/thermal_zone1': { type: 'cpu-thermal', temp: 51000 },
    'thermal/thermal_zone2': { type: 'acpitz', temp: 27800 },
    'thermal/thermal_zone10': { type: 'acpitz', temp: 29800 },
    'thermal/cooling_device0': { type: 'Processor', cur_state: 0 },
  })
  const [reading] = await readings(hwmon, defaults, host, 1)
  const zones = ['acpitz-thermal/temp1', 'acpitz-thermal.2/temp1']
  t.strictSame(ids(reading!.values), ['coretemp/temp1', 'cpu_thermal/temp1', ...zones])
  t.strictSame(Object.values(reading!.values), [50, 51, 27.8, 29.8])
  t.match(Object.keys(reading!.values)[0], /hw\.sensor_location=Package id 0/)
})

t.test('a disk is not asked for its temperature unless wanted', async t => {
  const host = sysfs(t, { 'hwmon/hwmon0': { name: 'drivetemp', temp1_input: 33000 } })
  t.strictSame((await readings(hwmon, defaults, host, 1))[0]!.values, {})
  const wanted = hwmon.options.read({ include: ['drive*'] }, new Place())
  t.strictSame(Object.values((await readings(hwmon, wanted, host, 1))[0]!.values), [33])
})

t.test('registers are read at each tick, devices every 10 s, limits every minute', async t => {
  const host = sysfs(t, {
    'hwmon/hwmon0': { name: 'k10temp', temp1_input: 50000, temp1_max: 70000 },
    'hwmon/hwmon1': { name: 'nvme', temp1_input: 40000, temp1_max: 80000 },
  })
  const options = hwmon.options.read({ interval: '1s' }, new Place())
  const made = await readings(hwmon, options, host, 121)
  const count = (value: number): number => made.flatMap(r => Object.values(r.values)).filter(v => v === value).length
  t.strictSame([50, 40, 70, 80].map(count), [121, 13, 3, 3])
})

t.test('a device that does not answer holds up no other, and is not asked for its other sensors', async t => {
  const host = sysfs(t, {
    'hwmon/hwmon0': { name: 'mlx5', temp1_input: 50000, temp2_input: 60000 },
    'hwmon/hwmon1': { name: 'nvme', temp1_input: 40000 },
  })
  const asked: string[] = []
  const slow: Host['slow'] = async path => {
    asked.push(path.slice('/sys/class/hwmon/'.length))
    if (path.includes('hwmon0') && asked.length < 5) throw new Error(`read ${path}: no answer within 2 s`)
    return host.slow(path)
  }
  const made = await readings(hwmon, defaults, { ...host, slow }, 3)
  t.strictSame(
    made.map(r => Object.values(r.values)),
    [[40], [40], [50, 60, 40]],
  )
  t.ok(made.every(r => r.success))
  t.strictSame(asked.slice(0, 4), [
    'hwmon0/temp1_input',
    'hwmon1/temp1_input',
    'hwmon0/temp1_input',
    'hwmon1/temp1_input',
  ])
  t.match(made.at(-1)!.said, [
    /^warning chip mlx5: read \S+hwmon0\/temp1_input: no answer/,
    /^info chip mlx5: works again/,
  ])
})

t.test('a chip that is busy or unreachable for a moment has no value, and nothing is said', async t => {
  const host = sysfs(t, { 'hwmon/hwmon0': { name: 'lm75', temp1_input: 50000, temp2_input: 51000 } })
  const slow: Host['slow'] = async path => {
    if (path.includes('temp1')) throw Object.assign(new Error('resource busy'), { code: 'EBUSY' })
    return host.slow(path)
  }
  const [reading] = await readings(hwmon, defaults, { ...host, slow }, 1)
  t.strictSame([Object.values(reading!.values), reading!.said], [[51], []])
})

t.test('the value of a sensor that its chip says is broken is no data, until it is well again', async t => {
  const host = sysfs(t, { 'hwmon/hwmon0': { name: 'k10temp', temp1_input: 42000, temp1_fault: 1 } })
  let n = 0
  const between = (): void => {
    if (++n === 2) writeFileSync(host.path('/sys/class/hwmon/hwmon0/temp1_fault'), '0\n')
  }
  const made = await readings(hwmon, defaults, host, 8, between)
  const found = made.map(r => Object.entries(r.values).flatMap(([key, v]) => (key.includes('hw.temperature') ? v : [])))
  t.strictSame([found[0], found[5], found[7]], [[], [], [42]])
  const failed = made.map(r => Object.entries(r.values).find(([key]) => key.includes('state=failed'))?.[1])
  t.strictSame([failed[0], failed[1], failed[6]], [1, undefined, 0])
})

t.test('values that cannot be are no data, those at the edge are', async t => {
  const impossible = { temp1: -128000, temp2: 255000, temp3: -273150, fan1: 65535, in1: 65535, humidity1: 100001 }
  const possible = { temp4: -40000, temp5: 127000, fan2: 22000, in2: -12100, in3: 0, humidity2: 100000 }
  const files = Object.entries({ ...impossible, ...possible }).map(([sensor, raw]) => [`${sensor}_input`, raw])
  const host = sysfs(t, { 'hwmon/hwmon0': { name: 'k10temp', ...Object.fromEntries(files) } })
  const [reading] = await readings(hwmon, defaults, host, 1)
  const found = new Set(ids(reading!.values).map(id => id.split('/')[1]))
  t.strictSame(found, new Set(Object.keys(possible)))
})

t.test('more sensors than any machine has are not read, which is said once', async t => {
  const files = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`temp${n}_input`, 30000]))
  const host = sysfs(t, {
    'hwmon/hwmon0': { name: 'k10temp', ...files },
    'hwmon/hwmon1': { name: 'coretemp', ...files },
  })
  const made = await readings(hwmon, defaults, host, 8)
  t.ok(made.every(r => Object.keys(r.values).length === 300))
  t.strictSame(made.at(-1)!.said, ['warning sensors: more than 512, the last chips are not read'])
})

t.test('no bytes make the parsers throw anything but an error that names the file, or make up a value', async t => {
  const random = seeded(t)
  const strange: string[] = []
  const check = (bytes: Buffer, parse: (file: string, bytes: Buffer) => unknown): void => {
    try {
      const value = parse('/sys/x', bytes)
      if (bytes.toString('utf8').trim() !== String(value))
        strange.push(`${JSON.stringify(bytes.toString())} gave ${value}`)
    } catch (error) {
      if (!/^\/sys\/x: expected/.test(String((error as Error).message))) strange.push(String(error))
    }
  }
  for (let n = 0; n < 20_000; n++) {
    const whole = Buffer.from(`${random.below(2e6) - 1e6}\n`)
    check(whole.subarray(0, random.below(whole.length + 1)), parseNumber)
    whole[random.below(whole.length)] = random.pick([0x0a, 0x20, 0x2d, 0x39, 0xff])
    check(Buffer.from(whole.toString('latin1').replace(/^(-?)0+(?=\d)/, '$1')), parseNumber)
    const any = Buffer.from(Array.from({ length: random.below(24) }, () => random.below(256)))
    check(any, parseNumber)
    check(any, parseText)
  }
  t.strictSame(strange, [])
  t.equal(parseNumber('/sys/x', Buffer.from('-12500\n')), -12500)
  t.equal(parseText('/sys/x', Buffer.from('Package id 0\n')), 'Package id 0')
})
