import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { cpuFrequency, parseCpuinfo } from '../../../agent/sources/cpu-frequency.ts'
import { Place } from '../../../core/shape.ts'
import { bearsDamage } from '../damaged.ts'
import { machine, readings, sourceContract } from '../source-contract.ts'

const folder = join(import.meta.dirname, 'cpu-frequency')
sourceContract(t, cpuFrequency, folder)

const recorded = readFileSync(join(folder, 'virtual-machine/input/proc/cpuinfo'))
bearsDamage(t, '/proc/cpuinfo', [recorded], parseCpuinfo)

const defaults = cpuFrequency.options.read({}, new Place())

function put(root: string, cpu: number, files: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(files)) {
    const path = join(root, `sys/devices/system/cpu/cpu${cpu}`, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, `${value}\n`)
  }
}

t.test('threads of one core count its events once, CPUs of one package the package’s', async t => {
  const { root, host } = machine(t, join(folder, 'one-cpu'))
  const cpu = (number: number, of: number, core: number, ofCore: number, ofPackage: number): void =>
    put(root, number, {
      'topology/physical_package_id': of,
      'topology/core_id': core,
      'thermal_throttle/core_throttle_count': ofCore,
      'thermal_throttle/package_throttle_count': ofPackage,
    })
  cpu(0, 0, 0, 10, 101)
  cpu(1, 0, 1, 7, 100)
  cpu(2, 1, 0, 0, 3)
  cpu(3, 0, 0, 9, 101)
  const [reading] = await readings(cpuFrequency, defaults, host, 1)
  const throttles = Object.entries(reading!.values).filter(([key]) => key.includes('throttles'))
  t.strictSame(
    throttles.map(([, value]) => value),
    [101, 17, 3, 0],
  )
})

t.test('the mean is of the CPUs that tell their frequency, and 0 is none', async t => {
  const { root, host } = machine(t, join(folder, 'one-cpu'))
  put(root, 1, { 'cpufreq/scaling_cur_freq': 1_000_000 })
  put(root, 2, { 'cpufreq/scaling_cur_freq': 0 })
  put(root, 3, { 'topology/core_id': 3 })
  const [reading] = await readings(cpuFrequency, defaults, host, 1)
  t.equal(reading!.values['gauge system.cpu.frequency Hz'], 2.1e9)
})

t.test('throttling is read once a minute, and CPUs that left are forgotten', async t => {
  const { root, host } = machine(t, join(folder, 'one-cpu'))
  put(root, 1, { 'cpufreq/scaling_cur_freq': 1_000_000 })
  const between = (): void => rmSync(join(root, 'sys/devices/system/cpu/cpu1'), { recursive: true, force: true })
  const made = await readings(cpuFrequency, defaults, host, 8, between)
  t.strictSame(
    made.map(r => r.samples.filter(s => s.series.name === 'system.cpu.throttles').length),
    [2, 0, 0, 0, 0, 0, 2, 0],
  )
  t.strictSame(
    made.map(r => r.values['gauge system.cpu.frequency Hz']! / 1e9),
    [2.1, 3.2, 3.2, 3.2, 3.2, 3.2, 3.2, 3.2],
  )
})
