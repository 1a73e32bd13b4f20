// One GPU of a document of `nvidia-smi -q -x`: its series, made once, its values, and what is wrong with it.

import type { Attributes, Sample, Series } from '../../core/model.ts'
import type { Metric } from '../metric.ts'
import { leaves, named } from './nvidia-metrics.ts'
import { parseFlag, parseQuantity, type Quantity } from './quantity.ts'
import { type Element, find } from './xml.ts'

export interface Versions {
  readonly driver: string | undefined
  readonly cuda: string | undefined
}

/** Something wrong that lasts a while; `active` is undefined where the GPU does not say. */
export interface Condition {
  readonly event: string
  readonly attributes: Attributes
  readonly active: boolean | undefined
  /** For a person, beyond the name. */
  readonly detail?: string
}

export interface GpuReading {
  readonly samples: readonly Sample[]
  readonly conditions: readonly Condition[]
  /** Memory errors that could not be corrected, of its life where known, else since the driver was loaded. */
  readonly uncorrected: number | undefined
}

const mostPrograms = 20
const mostInstances = 16
const mostReasons = 32
/** Limits and names hardly ever change: they are told this often, ms. */
const slowEvery = 60_000
/** Series of programs that are gone are forgotten beyond this. */
const mostSeries = 500

/** What programs print in place of a text they have not. */
const noText =
  /^$|^\[?(N\/A|Not Supported|Not Found|Unknown Error|ERR!|GPU is lost|Requested functionality has been deprecated|Insufficient Permissions)\]?$/i

export function text(element: Element, ...path: readonly string[]): string | undefined {
  const found = find(element, path)?.text
  return found === undefined || noText.test(found) ? undefined : found
}

export class Gpu {
  /** hw.id, hw.name and hw.model. */
  readonly attributes: Attributes
  readonly #fixed: (Series | undefined)[] = leaves.map(() => undefined)
  readonly #series = new Map<string, Series>()
  #slowAt = Number.NEGATIVE_INFINITY

  constructor(attributes: Attributes) {
    this.attributes = attributes
  }

  read(element: Element, versions: Versions, time: number): GpuReading {
    if (this.#series.size > mostSeries) this.#series.clear()
    const isSlow = Math.abs(time - this.#slowAt) >= slowEvery
    if (isSlow) this.#slowAt = time
    const samples: Sample[] = []
    const add = (metric: Metric, value: number | undefined, attributes: Attributes = {}): void => {
      if (value !== undefined) samples.push({ series: this.#of(metric, attributes), time, value })
    }
    this.#leaves(element, isSlow, time, samples)
    memory(element, add)
    const reasons = throttling(element, add)
    const uncorrected = errors(element, add)
    instances(element, add)
    processes(element, add)
    add(named.fabric, fabric(element))
    if (isSlow) add(named.info, 1, info(element, versions))
    return { samples, conditions: [...slowdowns(reasons), ...repairs(element, add)], uncorrected }
  }

  /** One of its series, the same object at each reading. */
  #of(metric: Metric, attributes: Attributes): Series {
    const key = `${metric.name} ${Object.values(attributes).join('\0')}`
    const known = this.#series.get(key) ?? metric.of({ ...this.attributes, ...attributes })
    this.#series.set(key, known)
    return known
  }

  #leaves(element: Element, isSlow: boolean, time: number, samples: Sample[]): void {
    const parts = new Map(element.children.map(part => [part.name, part]))
    for (const [n, { places, metric, attributes, slow, parse }] of leaves.entries()) {
      if (slow && !isSlow) continue
      for (const [part, ...path] of places) {
        const inside = parts.get(part!)
        const value = inside && parse(find(inside, path)?.text ?? '')
        if (value === undefined) continue
        this.#fixed[n] ??= metric.of({ ...this.attributes, ...attributes })
        samples.push({ series: this.#fixed[n], time, value })
        break
      }
    }
  }

  /** A series of a link, for what `nvidia-smi nvlink` tells. */
  of(metric: Metric, attributes: Attributes): Series {
    return this.#of(metric, attributes)
  }
}

type Add = (metric: Metric, value: number | undefined, attributes?: Attributes) => void

function quantity(element: Element, kind: Quantity, ...path: readonly string[]): number | undefined {
  const found = find(element, path)
  return found && parseQuantity(found.text, kind)
}

function memory(element: Element, add: Add): void {
  const used = quantity(element, 'bytes', 'fb_memory_usage', 'used')
  const total = quantity(element, 'bytes', 'fb_memory_usage', 'total')
  if (used !== undefined && total !== undefined && total > 0) add(named.memoryUtilization, used / total)
}

/** The reasons of old drivers are `throttle`, of new ones `event` reasons; both are read as they are named. */
function throttling(element: Element, add: Add): ReadonlyMap<string, boolean> {
  const reasons = new Map<string, boolean>()
  const list = find(element, ['clocks_event_reasons']) ?? find(element, ['clocks_throttle_reasons'])
  for (const { name, text } of list?.children.slice(0, mostReasons) ?? []) {
    const reason = /^clocks_(?:event|throttle)_reason_(\w+)$/.exec(name)?.[1]
    const active = parseFlag(text)
    if (reason === undefined || active === undefined) continue
    reasons.set(reason, active === 1)
    add(named.throttle, active, { 'hw.gpu.throttle.reason': reason })
  }
  for (const { name, text } of find(element, ['clocks_event_reasons_counters'])?.children.slice(0, mostReasons) ?? []) {
    const reason = /^clocks_event_reasons_counters_(\w+)$/.exec(name)?.[1]
    if (reason === undefined) continue
    add(named.throttleTime, parseQuantity(text, 'time'), { 'hw.gpu.throttle.reason': longNames[reason] ?? reason })
  }
  return reasons
}

/** The counters have shorter names than the reasons they count. */
const longNames: Readonly<Record<string, string>> = {
  sw_therm_slowdown: 'sw_thermal_slowdown',
  hw_therm_slowdown: 'hw_thermal_slowdown',
  hw_power_brake: 'hw_power_brake_slowdown',
}

/** What the hardware does by itself; the general reason is told of only where no closer one is. */
function slowdowns(reasons: ReadonlyMap<string, boolean>): Condition[] {
  const close = ['hw_thermal_slowdown', 'hw_power_brake_slowdown']
  const any = reasons.get('hw_slowdown')
  const condition = (reason: string, active: boolean | undefined): Condition => ({
    event: 'hw.gpu.slowdown',
    attributes: { 'hw.gpu.throttle.reason': reason },
    active,
  })
  return [
    ...close.map(reason => condition(reason, reasons.get(reason))),
    condition('hw_slowdown', any && !close.some(reason => reasons.get(reason))),
  ]
}

const spans = [
  { at: 'aggregate', metric: named.errors, typed: { 'hw.type': 'gpu' } },
  { at: 'volatile', metric: named.volatileErrors, typed: {} },
] as const

/** Gives the sum of uncorrected errors. */
function errors(element: Element, add: Add): number | undefined {
  const sums = spans.map(({ at, metric, typed }) => {
    const counts = countsOf(find(element, ['ecc_errors', at]))
    for (const { type, location, count } of counts)
      add(metric, count, { ...typed, 'error.type': type, 'hw.gpu.error.location': location })
    const uncorrected = counts.filter(c => c.type.startsWith('uncorrected'))
    return uncorrected.length === 0 ? undefined : uncorrected.reduce((sum, c) => sum + c.count, 0)
  })
  for (const { name, text } of find(element, ['ecc_errors', 'aggregate_uncorrectable_sram_sources'])?.children ?? []) {
    const location = /^sram_(\w+)$/.exec(name)?.[1]
    if (location !== undefined)
      add(named.sramSources, parseQuantity(text, 'count'), { 'hw.gpu.error.location': location })
  }
  return sums[0] ?? sums[1]
}

interface Count {
  readonly type: string
  readonly location: string
  readonly count: number
}

/** `sram_uncorrectable_parity` of new drivers, `double_bit/l2_cache` of old ones. */
function countsOf(span: Element | undefined): readonly Count[] {
  const counts: Count[] = []
  for (const { name, text, children } of span?.children ?? []) {
    const m = /^(sram|dram)_(un)?correctable(_parity|_secded)?$/.exec(name)
    const count = parseQuantity(text, 'count')
    if (m && count !== undefined) counts.push({ type: `${m[2] ?? ''}corrected${m[3] ?? ''}`, location: m[1]!, count })
    if (name === 'single_bit' || name === 'double_bit') counts.push(...places(name, children))
  }
  return counts
}

/** The total is the sum of the places, and counts only where no place is given. */
function places(bits: 'single_bit' | 'double_bit', children: readonly Element[]): readonly Count[] {
  const type = bits === 'single_bit' ? 'corrected' : 'uncorrected'
  const all = children.slice(0, mostReasons).flatMap(({ name, text }): Count[] => {
    const count = parseQuantity(text, 'count')
    return count === undefined || !/^\w+$/.test(name) ? [] : [{ type, location: name, count }]
  })
  const known = all.filter(c => c.location !== 'total')
  return known.length > 0 ? known : all
}

/** Each way it is told of, by drivers old and new. */
const pending: Readonly<Record<string, readonly string[][]>> = {
  row_remap: [['remapped_rows', 'remapped_row_pending']],
  page_retirement: [
    ['retired_pages', 'pending_retirement'],
    ['retired_pages', 'pending_blacklist'],
  ],
  channel: [['ecc_errors', 'channel_repair_pending']],
  tpc: [['ecc_errors', 'tpc_repair_pending']],
}
const failed: Readonly<Record<string, readonly string[][]>> = {
  row_remap: [['remapped_rows', 'remapped_row_failure']],
  memory: [['ecc_errors', 'unrepairable_memory']],
  sram: [['ecc_errors', 'aggregate', 'sram_threshold_exceeded']],
}

function repairs(element: Element, add: Add): Condition[] {
  const conditions = (table: typeof pending, metric: Metric): Condition[] =>
    Object.entries(table).map(([repair, paths]) => {
      const value = paths.map(path => parseFlag(find(element, path)?.text ?? '')).find(flag => flag !== undefined)
      const attributes = { 'hw.gpu.repair': repair }
      add(metric, value, attributes)
      return { event: metric.name, attributes, active: value === undefined ? undefined : value === 1 }
    })
  const waiting = conditions(pending, named.repairPending)
  const broken = conditions(failed, named.repairFailed)
  const recovery = recoveryOf(element)
  add(named.recovery, recovery.active === undefined ? undefined : Number(recovery.active))
  status(broken, [...waiting, recovery], add)
  return [...waiting, ...broken, recovery]
}

/** New drivers name what to do, old ones say whether a reset is due. */
function recoveryOf(element: Element): Condition {
  const action = text(element, 'gpu_recovery_action')
  const due = ['reset_required', 'drain_and_reset_recommended'].map(name => ({
    name,
    flag: parseFlag(find(element, ['gpu_reset_status', name])?.text ?? ''),
  }))
  const told = action ?? due.find(({ flag }) => flag === 1)?.name
  const known = action !== undefined || due.some(({ flag }) => flag !== undefined)
  const active = known ? told !== undefined && told !== 'None' : undefined
  return { event: named.recovery.name, attributes: {}, active, ...(active && { detail: told! }) }
}

function status(broken: readonly Condition[], worn: readonly Condition[], add: Add): void {
  const known = [...broken, ...worn].some(c => c.active !== undefined)
  if (!known) return
  const isFailed = broken.some(c => c.active)
  const isDegraded = !isFailed && worn.some(c => c.active)
  const states = { ok: !isFailed && !isDegraded, degraded: isDegraded, failed: isFailed }
  for (const [state, is] of Object.entries(states))
    add(named.status, Number(is), { 'hw.type': 'gpu', 'hw.state': state })
}

function fabric(element: Element): number | undefined {
  const state = text(element, 'fabric', 'state')
  return state === undefined
    ? undefined
    : Number(state === 'Completed' && text(element, 'fabric', 'status') === 'Success')
}

function instances(element: Element, add: Add): void {
  for (const mig of find(element, ['mig_devices'])?.children.slice(0, mostInstances) ?? []) {
    const [gpu, compute] = [text(mig, 'gpu_instance_id'), text(mig, 'compute_instance_id')]
    if (mig.name !== 'mig_device' || gpu === undefined || compute === undefined) continue
    const which = { 'hw.gpu.mig.id': `${gpu}/${compute}` }
    add(named.migMemory, quantity(mig, 'bytes', 'fb_memory_usage', 'used'), which)
    add(named.migLimit, quantity(mig, 'bytes', 'fb_memory_usage', 'total'), which)
    add(named.migProcessors, quantity(mig, 'count', 'device_attributes', 'shared', 'multiprocessor_count'), which)
    add(named.migErrors, quantity(mig, 'count', 'ecc_error_count', 'volatile_count', 'sram_uncorrectable'), which)
  }
}

interface Program {
  count: number
  bytes: number | undefined
}

/** By program and not by process, of which a busy host has new ones all the time. */
function processes(element: Element, add: Add): void {
  const list = find(element, ['processes'])
  if (list === undefined) return
  const programs = new Map<string, Program>()
  for (const one of list.children) {
    // Processes of other users may have no name to see; what they hold is held all the same.
    const name = text(one, 'process_name')
    const bytes = quantity(one, 'bytes', 'used_memory')
    if (one.name === 'process_info')
      merge(programs, name === undefined ? '(unknown)' : executable(name), { count: 1, bytes })
  }
  const ranked = [...programs].sort(([, a], [, b]) => (b.bytes ?? 0) - (a.bytes ?? 0))
  for (const [, program] of ranked.splice(mostPrograms)) merge(programs, '(others)', program)
  const others = programs.get('(others)')
  for (const [name, { count, bytes }] of others ? [...ranked, ['(others)', others] as const] : ranked) {
    add(named.processes, count, { 'process.executable.name': name })
    add(named.processMemory, bytes, { 'process.executable.name': name })
  }
}

function merge(programs: Map<string, Program>, name: string, { count, bytes }: Program): void {
  const program = programs.get(name) ?? { count: 0, bytes: undefined }
  program.count += count
  if (bytes !== undefined) program.bytes = (program.bytes ?? 0) + bytes
  programs.set(name, program)
}

/** The last part of the path, without arguments: `/usr/lib/xorg/Xorg :0` is `Xorg`. */
function executable(command: string): string {
  const program = command.split(/\s/, 1)[0]!
  return (program.split(/[/\\]/).at(-1) || program).slice(0, 64)
}

function info(element: Element, { driver, cuda }: Versions): Attributes {
  const known = {
    'hw.serial_number': text(element, 'serial'),
    'hw.vendor': 'NVIDIA',
    'hw.driver_version': driver,
    'hw.firmware_version': text(element, 'vbios_version'),
    'hw.gpu.cuda_version': cuda,
    'hw.gpu.pci_address': text(element, 'pci', 'pci_bus_id') ?? element.attributes.id,
    'hw.gpu.architecture': text(element, 'product_architecture'),
  }
  return Object.fromEntries(Object.entries(known).filter((e): e is [string, string] => e[1] !== undefined))
}
