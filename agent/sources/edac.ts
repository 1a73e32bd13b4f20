// Memory errors by controller and module, /sys/devices/system/edac, Documentation/admin-guide/RAS of the kernel; and errors
// of PCIe links, /sys/bus/pci/devices/*/aer_dev_*, Documentation/ABI/testing/sysfs-bus-pci-devices-aer_stats.

import { reason } from '../../core/errors.ts'
import type { Host, HostFile } from '../../core/host.ts'
import { type Trouble, troubles } from '../../core/log.ts'
import type { Attributes, Sample, Series } from '../../core/model.ts'
import { object } from '../../core/shape.ts'
import { metric } from '../metric.ts'
import { interval, polled } from '../polled.ts'
import { Scan } from '../scan.ts'
import { seldom } from '../seldom.ts'
import type { Source } from '../source.ts'
import { inOrder, parseNumber, parseText } from '../sysfs.ts'

const controllers = '/sys/devices/system/edac/mc'
const pciDevices = '/sys/bus/pci/devices'

/** More modules than any board has; each costs two descriptors. */
const mostModules = 128
/** A large server has some hundreds. */
const mostPciDevices = 1024

const errors = metric(
  'hw.errors',
  '{error}',
  'counter',
  ['hw.id', 'hw.name', 'hw.parent', 'hw.type', 'error.type'],
  `${controllers}/mc*, ${pciDevices}/*/aer_dev_*`,
  'memory: corrected, uncorrected; PCIe, once a minute: corrected, nonfatal, fatal',
)
const byKind = metric(
  'hw.pci.errors',
  '{error}',
  'counter',
  ['hw.id', 'hw.type', 'error.type'],
  `${pciDevices}/*/aer_dev_*`,
  'of one kind, such as BadTLP, since its first; once a minute',
)

export const edac: Source<{ readonly interval: number }> = {
  name: 'edac',
  options: object({ interval }),
  metrics: [errors, byKind],
  open({ interval }, at) {
    const trouble = troubles(at.say)
    const isTimeToLook = seldom()
    const links = openLinks(at.host, trouble)
    let counters: ReadonlyMap<string, Counter> = new Map()

    const close = (): void => {
      for (const { file } of counters.values()) file.close()
    }
    const read = (time: number) => {
      const looks = isTimeToLook(time)
      if (looks) counters = findCounters(at.host, counters, trouble)
      const memory = [...counters.values()].flatMap(counter => sampleOf(counter, trouble, time))
      return { samples: looks ? [...memory, ...links.read(time)] : memory, events: [] }
    }
    return polled({ ...at, interval, read, close })
  },
}

interface Counter {
  readonly path: string
  readonly file: HostFile
  readonly series: Series
}

function sampleOf({ path, file, series }: Counter, trouble: Trouble, time: number): Sample[] {
  try {
    const bytes = file.read()
    const value = bytes && parseCount(path, bytes)
    trouble(path, undefined)
    return value === undefined ? [] : [{ series, time, value }]
  } catch (error) {
    trouble(path, reason(error))
    return []
  }
}

function parseCount(file: string, bytes: Buffer): number {
  const value = parseNumber(file, bytes)
  if (value < 0) throw new Error(`${file}: expected a count, got ${value}`)
  return value
}

/** A controller or a module. */
interface Part {
  readonly folder: string
  readonly about: Attributes
  /** Files of its corrected and uncorrected errors. */
  readonly files: readonly [corrected: string, uncorrected: string]
}

const errorTypes = ['corrected', 'uncorrected'] as const

/** Counters that were known before stay the same objects. */
function findCounters(host: Host, known: ReadonlyMap<string, Counter>, trouble: Trouble): ReadonlyMap<string, Counter> {
  const parts = inOrder(host.list(controllers).filter(name => /^mc\d+$/.test(name))).flatMap(mc =>
    partsOf(host, mc, trouble),
  )
  trouble('memory modules', parts.length > mostModules ? `more than ${mostModules}, the last are not read` : undefined)
  const found = new Map<string, Counter>()
  for (const { folder, about, files } of parts.slice(0, mostModules)) {
    for (const [n, type] of errorTypes.entries()) {
      const path = `${folder}/${files[n]}`
      const series = errors.of({ ...about, 'error.type': type })
      const before = known.get(path)
      found.set(path, isSame(before?.series, series) ? before! : { path, file: host.file(path), series })
    }
  }
  for (const [path, { file }] of known) if (found.get(path)?.file !== file) file.close()
  return found
}

function isSame(a: Series | undefined, b: Series): boolean {
  return a !== undefined && JSON.stringify(a.attributes) === JSON.stringify(b.attributes)
}

/** The controller and its modules: `dimmN` or `rankN`, with kernels before 3.6 rows of them, `csrowN`. */
function partsOf(host: Host, mc: string, trouble: Trouble): readonly Part[] {
  const folder = `${controllers}/${mc}`
  const names = host.list(folder)
  const part = (id: string, folder: string, type: string, files: Part['files'], label?: string): Part[] => {
    try {
      const name = label === undefined ? undefined : textOf(host, `${folder}/${label}`)
      trouble(id, undefined)
      const parent: Attributes = id === mc ? {} : { 'hw.parent': mc }
      const named: Attributes = name === undefined ? {} : { 'hw.name': name }
      return [{ folder, files, about: { 'hw.id': id, ...named, ...parent, 'hw.type': type } }]
    } catch (error) {
      trouble(id, reason(error))
      return []
    }
  }
  const modules = inOrder(names.filter(name => /^(dimm|rank)\d+$/.test(name))).flatMap(name =>
    part(`${mc}/${name}`, `${folder}/${name}`, 'memory', ['dimm_ce_count', 'dimm_ue_count'], 'dimm_label'),
  )
  const rows = inOrder(names.filter(name => /^csrow\d+$/.test(name))).flatMap(name =>
    part(`${mc}/${name}`, `${folder}/${name}`, 'memory', ['ce_count', 'ue_count']),
  )
  const whole = part(mc, folder, 'memory_controller', ['ce_count', 'ue_count'], 'mc_name')
  return [...whole, ...(modules.length > 0 ? modules : rows)]
}

/** Undefined too where nobody has told the board's labels. */
function textOf(host: Host, file: string): string | undefined {
  const bytes = host.read(file)
  return bytes === undefined || isBlank(bytes) ? undefined : parseText(file, bytes)
}

function isBlank(bytes: Buffer): boolean {
  return bytes.length === 1 && bytes[0] === newline
}

const [newline, space] = [0x0a, 0x20]

const severities = { correctable: 'corrected', nonfatal: 'nonfatal', fatal: 'fatal' } as const

/** The counters of PCIe's Advanced Error Reporting. */
function openLinks(host: Host, trouble: Trouble) {
  const series = new Map<string, Series>()
  const once = (key: string, make: () => Series): Series => {
    const known = series.get(key) ?? make()
    series.set(key, known)
    return known
  }

  const samplesOf = (device: string, file: string, severity: string, time: number): Sample[] => {
    const path = `${pciDevices}/${device}/${file}`
    const bytes = host.read(path)
    if (bytes === undefined) return []
    const { total, kinds } = parseAer(path, bytes)
    const about = { 'hw.id': device, 'hw.type': 'pci_device' }
    const sum = once(path, () => errors.of({ ...about, 'error.type': severity }))
    const each = [...kinds]
      .filter(([, count]) => count > 0)
      .map(([kind, value]) => {
        const type = `${severity}.${kind}`
        return { series: once(`${path} ${kind}`, () => byKind.of({ ...about, 'error.type': type })), time, value }
      })
    return [{ series: sum, time, value: total }, ...each]
  }

  const read = (time: number): Sample[] => {
    const devices = host.list(pciDevices)
    trouble(
      'PCI devices',
      devices.length > mostPciDevices ? `more than ${mostPciDevices}, the last are not read` : undefined,
    )
    return devices.slice(0, mostPciDevices).flatMap(device => {
      try {
        const all = Object.entries(severities).flatMap(([file, severity]) =>
          samplesOf(device, `aer_dev_${file}`, severity, time),
        )
        trouble(`PCI device ${device}`, undefined)
        return all
      } catch (error) {
        trouble(`PCI device ${device}`, reason(error))
        return []
      }
    })
  }
  return { read }
}

interface Aer {
  readonly total: number
  readonly kinds: ReadonlyMap<string, number>
}

/** Lines `BadTLP 0`, the last of them `TOTAL_ERR_COR 0`. */
export function parseAer(file: string, bytes: Buffer): Aer {
  const scan = new Scan(file, bytes)
  const kinds = new Map<string, number>()
  while (scan.more) {
    const start = scan.at
    const name = bytes.toString('latin1', start, scan.until(space))
    const value = scan.integer()
    scan.line()
    if (!/^\w{1,40}$/.test(name)) scan.fail('the name of an error', start)
    if (!name.startsWith('TOTAL_')) kinds.set(name, value)
    else if (scan.more) scan.fail('the end')
    else return { total: value, kinds }
  }
  return scan.fail('a total')
}
