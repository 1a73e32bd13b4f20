// One GPU of a document of `nvidia-smi -q -x`: its series, made once, its values, and what is wrong with it.

import type { Attributes, Sample, Series } from '../../core/model.ts'
import type { Metric } from '../metric.ts'
import { type Add, type Condition, errors, repairs, slowdowns, text, throttling } from './nvidia-health.ts'
import { leaves, named } from './nvidia-metrics.ts'
import { parseQuantity, type Quantity } from './quantity.ts'
import { type Element, find } from './xml.ts'

export interface Versions {
  readonly driver: string | undefined
  readonly cuda: string | undefined
}

export interface GpuReading {
  readonly samples: readonly Sample[]
  readonly conditions: readonly Condition[]
  /** Memory errors that could not be corrected, of its life where known, else since the driver was loaded. */
  readonly uncorrected: number | undefined
}

const mostPrograms = 20
const mostInstances = 16
/** Limits and names hardly ever change: they are told this often, ms. */
const slowEvery = 60_000
/** Series of programs that are gone are forgotten beyond this. */
const mostSeries = 500

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

function quantity(element: Element, kind: Quantity, ...path: readonly string[]): number | undefined {
  const found = find(element, path)
  return found && parseQuantity(found.text, kind)
}

function memory(element: Element, add: Add): void {
  const used = quantity(element, 'bytes', 'fb_memory_usage', 'used')
  const total = quantity(element, 'bytes', 'fb_memory_usage', 'total')
  if (used !== undefined && total !== undefined && total > 0) add(named.memoryUtilization, used / total)
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
