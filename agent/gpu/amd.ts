// What AMD's programs print as JSON. Values are texts, with units in their names or beside them, and each release has
// names of its own; what is no number (`N/A (Secondary die)`) is no value.

import type { Attributes } from '../../core/model.ts'
import type { Metric } from '../metric.ts'
import { amd } from './amd-metrics.ts'
import { parseQuantity, type Quantity } from './quantity.ts'

export interface Value {
  readonly metric: Metric
  readonly value: number
  readonly attributes: Attributes
}

export interface AmdGpu {
  readonly id: string
  readonly name: string
  readonly model: string | undefined
  readonly address: string | undefined
  readonly values: readonly Value[]
}

type Fields = Readonly<Record<string, unknown>>

interface Rule {
  readonly metric: Metric
  readonly quantity: Quantity
  /** Of the number as printed; the unit stands in the name. */
  readonly unit?: string
  readonly attributes?: Attributes
}

const most = 64
const typed = { 'hw.type': 'gpu' }

const percent = { quantity: 'ratio', unit: '%' } as const
const bytes = { quantity: 'bytes', unit: 'B' } as const
const watts = { quantity: 'power', unit: 'W' } as const
const clockOf = (name: string): Rule => ({
  metric: amd.frequency,
  quantity: 'frequency',
  attributes: { 'hw.gpu.clock': name },
})

/** By the names of rocm-smi in lower case and without the last colon. */
const rules: Readonly<Record<string, Rule>> = {
  'gpu use (%)': { metric: amd.utilization, ...percent, attributes: { 'hw.gpu.task': 'general' } },
  'gpu memory use (%)': { metric: amd.utilization, ...percent, attributes: { 'hw.gpu.task': 'memory' } },
  'gpu memory read/write activity (%)': {
    metric: amd.utilization,
    ...percent,
    attributes: { 'hw.gpu.task': 'memory' },
  },
  'vram total memory (b)': { metric: amd.memoryLimit, ...bytes },
  'vram total used memory (b)': { metric: amd.memoryUsage, ...bytes },
  'vis_vram total memory (b)': { metric: amd.barLimit, ...bytes },
  'vis_vram total used memory (b)': { metric: amd.barUsage, ...bytes },
  'gtt total memory (b)': { metric: amd.gttLimit, ...bytes },
  'gtt total used memory (b)': { metric: amd.gttUsage, ...bytes },
  'current socket graphics package power (w)': { metric: amd.power, ...watts, attributes: typed },
  'average graphics package power (w)': { metric: amd.power, ...watts, attributes: typed },
  'max graphics package power (w)': { metric: amd.powerLimit, ...watts, attributes: { 'hw.limit_type': 'enforced' } },
  'accumulated energy (uj)': { metric: amd.energy, quantity: 'energy', unit: 'uJ', attributes: typed },
  'sclk clock speed': clockOf('graphics'),
  'mclk clock speed': clockOf('memory'),
  'socclk clock speed': clockOf('soc'),
  'fclk clock speed': clockOf('fabric'),
  'dcefclk clock speed': clockOf('display'),
  'fan speed (%)': { metric: amd.fanRatio, ...percent },
  'fan rpm': { metric: amd.fan, quantity: 'count' },
  'voltage (mv)': {
    metric: amd.voltage,
    quantity: 'voltage',
    unit: 'mV',
    attributes: { 'hw.sensor_location': 'graphics' },
  },
  'pcie replay count': { metric: amd.errors, quantity: 'count', attributes: { ...typed, 'error.type': 'pcie_replay' } },
  'xgmi error count': { metric: amd.xgmi, quantity: 'count' },
}

/** @throws Error that names the program. */
export function parseRocmSmi(printed: string): readonly AmdGpu[] {
  const all = json('rocm-smi', printed)
  const driver = isFields(all.system) ? said(all.system['Driver version']) : undefined
  const used = new Set<string>()
  return Object.entries(all)
    .filter((e): e is [string, Fields] => /^card\d{1,3}$/.test(e[0]) && isFields(e[1]))
    .slice(0, most)
    .map(([card, fields]) => cardOf(card, fields, driver, used))
}

function cardOf(card: string, fields: Fields, driver: string | undefined, used: Set<string>): AmdGpu {
  const address = said(fields['PCI Bus'])
  const unique = said(fields['Unique ID'])
  // Two dies of one card may show the same.
  const id = (unique !== undefined && !used.has(unique) ? unique : address) ?? card
  used.add(id)
  const model = ['Card Series', 'Card series', 'Device Name']
    .map(key => said(fields[key]))
    .find(m => m && !/^0x/.test(m))
  const info = {
    'hw.serial_number': said(fields['Serial Number']),
    'hw.vendor': 'AMD',
    'hw.driver_version': driver,
    'hw.firmware_version': said(fields['VBIOS version']),
    'hw.gpu.pci_address': address,
  }
  return { id, name: card, model, address, values: complete(readRocm(fields), info) }
}

function readRocm(fields: Fields): Value[] {
  return Object.entries(fields).flatMap(([key, printed]): Value[] => {
    const name = key.toLowerCase().replace(/:$/, '')
    const location = /^temperature \(sensor ([a-z0-9 ]{1,20})\) \(c\)$/.exec(name)?.[1]
    const rule: Rule | undefined =
      location === undefined
        ? Object.hasOwn(rules, name)
          ? rules[name]
          : undefined
        : { metric: amd.temperature, quantity: 'celsius', unit: 'C', attributes: { 'hw.sensor_location': location } }
    if (name === 'pcie clock level') return link(String(printed))
    if (rule === undefined) return []
    const text = `${String(printed).replace(/^\((.*)\)$/, '$1')}${rule.unit ?? ''}`
    return one(rule.metric, parseQuantity(text, rule.quantity), rule.attributes)
  })
}

/** `1 (16.0GT/s x16)` */
function link(text: string): Value[] {
  const m = /^\d+ \((\d+(?:\.\d+)?)GT\/s x(\d{1,2})\)$/.exec(text)
  return m === null ? [] : [...one(amd.transferRate, Number(m[1]) * 1e9), ...one(amd.lanes, Number(m[2]))]
}

function one(metric: Metric, value: number | undefined, attributes: Attributes = {}): Value[] {
  return value === undefined ? [] : [{ metric, value, attributes }]
}

/** With what follows from the values, and each series once: of two names for one thing the first counts. */
function complete(values: readonly Value[], info: Readonly<Record<string, string | undefined>>): readonly Value[] {
  const series = new Map<string, Value>()
  for (const value of values) {
    const key = [value.metric.name, ...Object.values(value.attributes)].join(' ')
    if (!series.has(key)) series.set(key, value)
  }
  const of = (metric: Metric): number | undefined => series.get(metric.name)?.value
  const [used, total] = [of(amd.memoryUsage), of(amd.memoryLimit)]
  const share = used !== undefined && total !== undefined && total > 0 ? used / total : undefined
  const known = Object.fromEntries(Object.entries(info).filter((e): e is [string, string] => e[1] !== undefined))
  return [...series.values(), ...one(amd.memoryUtilization, share), ...one(amd.info, 1, known)]
}

/** By the path in an answer of `amd-smi metric`; each leaf is a number, or `{ value, unit }`. */
const paths: readonly { readonly path: string; readonly rule: Rule }[] = [
  {
    path: 'usage.gfx_activity',
    rule: { metric: amd.utilization, ...percent, attributes: { 'hw.gpu.task': 'general' } },
  },
  {
    path: 'usage.umc_activity',
    rule: { metric: amd.utilization, ...percent, attributes: { 'hw.gpu.task': 'memory' } },
  },
  { path: 'usage.mm_activity', rule: { metric: amd.utilization, ...percent, attributes: { 'hw.gpu.task': 'media' } } },
  { path: 'power.socket_power', rule: { metric: amd.power, ...watts, attributes: typed } },
  { path: 'power.current_socket_power', rule: { metric: amd.power, ...watts, attributes: typed } },
  { path: 'power.average_socket_power', rule: { metric: amd.power, ...watts, attributes: typed } },
  {
    path: 'power.gfx_voltage',
    rule: { metric: amd.voltage, quantity: 'voltage', unit: 'mV', attributes: { 'hw.sensor_location': 'graphics' } },
  },
  ...Object.entries({ graphics: 'gfx_0', memory: 'mem_0', soc: 'socclk_0', fabric: 'fclk_0', video: 'vclk_0' }).flatMap(
    ([name, at]) => [
      { path: `clock.${at}.clk`, rule: { ...clockOf(name), unit: 'MHz' } },
      { path: `clock.${at}.max_clk`, rule: { ...clockOf(name), metric: amd.frequencyLimit, unit: 'MHz' } },
    ],
  ),
  ...Object.entries({ edge: 'edge', hotspot: 'junction', mem: 'memory' }).map(([at, location]) => ({
    path: `temperature.${at}`,
    rule: {
      metric: amd.temperature,
      quantity: 'celsius' as const,
      unit: 'C',
      attributes: { 'hw.sensor_location': location },
    },
  })),
  { path: 'pcie.width', rule: { metric: amd.lanes, quantity: 'count' } },
  {
    path: 'pcie.replay_count',
    rule: { metric: amd.errors, quantity: 'count', attributes: { ...typed, 'error.type': 'pcie_replay' } },
  },
  { path: 'fan.rpm', rule: { metric: amd.fan, quantity: 'count' } },
  { path: 'fan.usage', rule: { metric: amd.fanRatio, ...percent } },
  { path: 'mem_usage.total_vram', rule: { metric: amd.memoryLimit, quantity: 'bytes', unit: 'MB' } },
  { path: 'mem_usage.used_vram', rule: { metric: amd.memoryUsage, quantity: 'bytes', unit: 'MB' } },
  { path: 'mem_usage.total_visible_vram', rule: { metric: amd.barLimit, quantity: 'bytes', unit: 'MB' } },
  { path: 'mem_usage.used_visible_vram', rule: { metric: amd.barUsage, quantity: 'bytes', unit: 'MB' } },
  { path: 'mem_usage.total_gtt', rule: { metric: amd.gttLimit, quantity: 'bytes', unit: 'MB' } },
  { path: 'mem_usage.used_gtt', rule: { metric: amd.gttUsage, quantity: 'bytes', unit: 'MB' } },
  {
    path: 'energy.total_energy_consumption',
    rule: { metric: amd.energy, quantity: 'energy', unit: 'J', attributes: typed },
  },
]

/**
 * `metric` is the answer of `amd-smi metric --json`, `list` that of `amd-smi list --json`: who the GPUs are.
 * @throws Error that names the program.
 */
export function parseAmdSmi(metric: string, list: string): readonly AmdGpu[] {
  const known = new Map(gpus('amd-smi list', list).map(one => [one.gpu, one]))
  return gpus('amd-smi metric', metric)
    .slice(0, most)
    .map(fields => {
      const { bdf, uuid } = known.get(fields.gpu) ?? {}
      const [id, address] = [said(uuid), said(bdf)]
      const values = [...readPaths(fields), ...speed(fields), ...eccOf(fields), ...throttled(fields)]
      const info = { 'hw.vendor': 'AMD', 'hw.gpu.pci_address': address }
      const name = `gpu${Number(fields.gpu)}`
      return { id: id ?? address ?? name, name, model: undefined, address, values: complete(values, info) }
    })
}

/** A list, in newer releases within `gpu_data`. */
function gpus(program: string, printed: string): readonly Fields[] {
  const all = json(program, printed)
  const found = Array.isArray(all) ? all : all.gpu_data
  if (!Array.isArray(found)) throw new Error(`${program}: expected a list of GPUs`)
  return found.filter(isFields).filter(({ gpu }) => Number.isInteger(gpu))
}

function leaf(fields: Fields, path: string): string | undefined {
  let here: unknown = fields
  for (const step of path.split('.')) here = isFields(here) ? here[step] : undefined
  if (isFields(here)) return typeof here.value === 'number' ? `${here.value} ${here.unit ?? ''}`.trim() : undefined
  return typeof here === 'number' ? String(here) : undefined
}

function readPaths(fields: Fields): Value[] {
  return paths.flatMap(({ path, rule: { metric, quantity, unit, attributes } }) => {
    const text = leaf(fields, path)
    // A number alone is in the unit that the program has for it elsewhere.
    const whole = text !== undefined && !text.includes(' ') && unit !== undefined ? `${text} ${unit}` : text
    return whole === undefined ? [] : one(metric, parseQuantity(whole, quantity), attributes)
  })
}

function speed(fields: Fields): Value[] {
  const m = /^(\d+(?:\.\d+)?) GT\/s$/.exec(leaf(fields, 'pcie.speed') ?? '')
  return m === null ? [] : one(amd.transferRate, Number(m[1]) * 1e9)
}

const errorTypes = { correctable_count: 'corrected', uncorrectable_count: 'uncorrected', deferred_count: 'deferred' }

/** The totals are the sums of the blocks, and count only where there are no blocks. */
function eccOf(fields: Fields): Value[] {
  const blocks = isFields(fields.ecc_blocks) ? Object.keys(fields.ecc_blocks).slice(0, 32) : []
  const count = (path: string, type: string, location: string): Value[] => {
    const value = parseQuantity(leaf(fields, path) ?? '', 'count')
    return one(amd.errors, value, { ...typed, 'error.type': type, 'hw.gpu.error.location': location.toLowerCase() })
  }
  const types = Object.entries(errorTypes)
  const by = blocks
    .filter(block => /^\w{1,20}$/.test(block))
    .flatMap(block => types.flatMap(([key, type]) => count(`ecc_blocks.${block}.${key}`, type, block)))
  return by.length > 0 ? by : types.flatMap(([key, type]) => count(`ecc.total_${key}`, type, 'total'))
}

function throttled(fields: Fields): Value[] {
  const status = isFields(fields.power) ? fields.power.throttle_status : undefined
  const states: Readonly<Record<string, number>> = { THROTTLED: 1, UNTHROTTLED: 0 }
  const known = typeof status === 'string' && Object.hasOwn(states, status)
  return known ? one(amd.throttle, states[status], { 'hw.gpu.throttle.reason': 'any' }) : []
}

/** Both programs may print warnings before and after. */
function json(program: string, printed: string): Fields {
  const start = printed.search(/^[{[]/m)
  const end = Math.max(printed.lastIndexOf('}'), printed.lastIndexOf(']'))
  try {
    const value: unknown = JSON.parse(printed.slice(Math.max(0, start), end + 1))
    if (typeof value === 'object' && value !== null) return value as Fields
  } catch (cause) {
    throw new Error(`${program}: expected JSON, got ${JSON.stringify(printed.slice(0, 60))}`, { cause })
  }
  throw new Error(`${program}: expected JSON of GPUs`)
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function said(value: unknown): string | undefined {
  if (typeof value !== 'string' || /^$|^N\/A|^unknown$/i.test(value.trim())) return undefined
  return value.trim().slice(0, 128)
}
