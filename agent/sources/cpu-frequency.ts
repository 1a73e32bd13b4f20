// How fast the CPUs run and how often heat slowed them: /sys/devices/system/cpu/cpu*/{cpufreq,thermal_throttle},
// Documentation/ABI/testing/sysfs-devices-system-cpu of the kernel; where nothing there scales, /proc/cpuinfo.

import type { Host, HostFile } from '../../core/host.ts'
import type { Sample, Series } from '../../core/model.ts'
import { bool, object, optional } from '../../core/shape.ts'
import { metric } from '../metric.ts'
import { interval, polled } from '../polled.ts'
import { Scan } from '../scan.ts'
import type { Source } from '../source.ts'

interface Options {
  readonly interval: number
  /** `system.cpu.frequency` of each CPU instead of their mean. */
  readonly per_cpu: boolean
}

const folder = '/sys/devices/system/cpu'
/** CPUs beyond this are not read; and how many files stay open between two readings. */
const most = 4096
const keptOpen = 256
/** CPUs come and go seldom, and two files of each count how often it was slowed; ms. */
const slowly = 60_000

const frequency = metric(
  'system.cpu.frequency',
  'Hz',
  'gauge',
  ['cpu.logical_number'],
  `${folder}/cpu*/cpufreq/scaling_cur_freq, /proc/cpuinfo`,
  'mean of all CPUs, or of each with `per_cpu`',
)
const throttles = metric(
  'system.cpu.throttles',
  '{event}',
  'counter',
  ['system.cpu.package', 'system.cpu.throttle.scope'],
  `${folder}/cpu*/thermal_throttle/*_throttle_count`,
  'how often heat slowed the whole package, and its cores',
)

export const cpuFrequency: Source<Options> = {
  name: 'cpu-frequency',
  options: object({ interval, per_cpu: optional(bool, false) }),
  metrics: [frequency, throttles],
  open({ interval, per_cpu }, at) {
    const cpus = openCpus(at.host, all => at.say('warning', `${folder}: only ${most} of ${all} CPUs are read`))
    const cpuinfo = at.host.file('/proc/cpuinfo')
    const told = per_cpu ? ofEach() : ofAll()
    const throttled = ofPackages()
    let slowAt = Number.NEGATIVE_INFINITY

    const speeds = (): readonly Speed[] => {
      const scaled = cpus.speeds()
      const bytes = scaled.length > 0 ? undefined : cpuinfo.read()
      return bytes === undefined ? scaled : parseCpuinfo(bytes)
    }
    const slow = (time: number): readonly Sample[] => {
      if (Math.abs(time - slowAt) < slowly) return []
      slowAt = time
      cpus.list()
      return throttled(cpus.throttles(), time)
    }
    const read = (time: number) => {
      const seldom = slow(time)
      return { samples: [...told(speeds(), time), ...seldom], events: [] }
    }
    const close = (): void => {
      cpuinfo.close()
      cpus.close()
    }
    return polled({ ...at, interval, read, close })
  },
}

interface Speed {
  readonly cpu: number
  readonly hertz: number
}

function ofAll() {
  const series = frequency.of()
  return (speeds: readonly Speed[], time: number): Sample[] => {
    const sum = speeds.reduce((sum, { hertz }) => sum + hertz, 0)
    return sum > 0 ? [{ series, time, value: sum / speeds.length }] : []
  }
}

function ofEach() {
  const known = new Map<number, Series>()
  return (speeds: readonly Speed[], time: number): Sample[] =>
    speeds.map(({ cpu, hertz }) => {
      const series = known.get(cpu) ?? frequency.of({ 'cpu.logical_number': cpu })
      known.set(cpu, series)
      return { series, time, value: hertz }
    })
}

/** Since the boot, as one CPU counts them. */
interface Throttled {
  readonly package: number
  readonly core: number
  readonly ofPackage: number | undefined
  readonly ofCore: number | undefined
}

/** Each CPU of a package counts its events, and each thread of a core the core's: the highest count misses the least. */
function ofPackages() {
  const known = new Map<string, Series>()
  const seriesOf = (of: number, scope: 'package' | 'core'): Series => {
    const series = known.get(`${of} ${scope}`)
    if (series !== undefined) return series
    const made = throttles.of({ 'system.cpu.package': of, 'system.cpu.throttle.scope': scope })
    known.set(`${of} ${scope}`, made)
    return made
  }
  return (all: readonly Throttled[], time: number): Sample[] =>
    [...Map.groupBy(all, one => one.package)].flatMap(([of, cpus]) => {
      const cores = [...Map.groupBy(cpus, one => one.core).values()].map(core => highest(core.map(one => one.ofCore)))
      const counted = cores.filter(count => count !== undefined)
      const ofPackage = highest(cpus.map(one => one.ofPackage))
      const samples: Sample[] = []
      if (ofPackage !== undefined) samples.push({ series: seriesOf(of, 'package'), time, value: ofPackage })
      if (counted.length > 0)
        samples.push({ series: seriesOf(of, 'core'), time, value: counted.reduce((a, b) => a + b) })
      return samples
    })
}

function highest(counts: readonly (number | undefined)[]): number | undefined {
  const known = counts.filter(count => count !== undefined)
  return known.length > 0 ? Math.max(...known) : undefined
}

function openCpus(host: Host, tooMany: (all: number) => void) {
  const cpus = new Map<number, HostFile>()
  let told = false

  const list = (): void => {
    const numbers = host
      .list(folder)
      .flatMap(name => (/^cpu\d{1,5}$/.test(name) ? [Number(name.slice('cpu'.length))] : []))
    if (numbers.length > most && !told) tooMany(numbers.length)
    told ||= numbers.length > most
    const present = new Set(numbers.sort((a, b) => a - b).slice(0, most))
    for (const [cpu, file] of cpus) {
      if (present.has(cpu)) continue
      file.close()
      cpus.delete(cpu)
    }
    for (const cpu of present) if (!cpus.has(cpu)) cpus.set(cpu, host.file(speedFile(cpu)))
  }
  const speeds = (): Speed[] => {
    const found: Speed[] = []
    let open = 0
    for (const [cpu, file] of cpus) {
      const bytes = file.read()
      const kilohertz = bytes && new Scan(speedFile(cpu), bytes).integer()
      // A driver that cannot tell writes 0.
      if (kilohertz) found.push({ cpu, hertz: kilohertz * 1000 })
      if (bytes !== undefined && ++open > keptOpen) file.close()
    }
    return found
  }
  const close = (): void => {
    for (const file of cpus.values()) file.close()
  }
  return { list, speeds, throttles: () => [...cpus.keys()].flatMap(cpu => throttledOf(cpu, host)), close }
}

function speedFile(cpu: number): string {
  return `${folder}/cpu${cpu}/cpufreq/scaling_cur_freq`
}

function throttledOf(cpu: number, host: Host): Throttled[] {
  const count = (what: string): number | undefined => {
    const name = `${folder}/cpu${cpu}/${what}`
    const bytes = host.read(name)
    return bytes && new Scan(name, bytes).integer()
  }
  const ofCore = count('thermal_throttle/core_throttle_count')
  const ofPackage = count('thermal_throttle/package_throttle_count')
  if (ofCore === undefined && ofPackage === undefined) return []
  const [core, inPackage] = [count('topology/core_id'), count('topology/physical_package_id')]
  return core === undefined || inPackage === undefined ? [] : [{ package: inPackage, core, ofPackage, ofCore }]
}

const [newline, colon] = [0x0a, 0x3a]
const processor = Buffer.from('processor\t: ')
const megahertz = Buffer.from('cpu MHz\t\t: ')

/** `processor : 0` and, on x86, `cpu MHz : 2596.136`; other processors tell no frequency here. */
export function parseCpuinfo(bytes: Buffer): readonly Speed[] {
  const speeds: Speed[] = []
  let cpu: number | undefined
  const scan = new Scan('/proc/cpuinfo', bytes)
  while (scan.more) {
    if (scan.takes(processor)) cpu = scan.integer()
    else if (scan.takes(megahertz)) {
      if (cpu === undefined) return scan.fail('a processor before its frequency')
      speeds.push({ cpu, hertz: Math.round(scan.decimal() * 1e6) })
      cpu = undefined
    } else if (scan.byte !== newline) scan.until(colon)
    scan.line()
  }
  return speeds
}
