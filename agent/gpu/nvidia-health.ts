// What is wrong with an NVIDIA GPU: why its clocks are held down, memory errors, repairs that wait or failed.

import type { Attributes } from '../../core/model.ts'
import type { Metric } from '../metric.ts'
import { named } from './nvidia-metrics.ts'
import { parseFlag, parseQuantity } from './quantity.ts'
import { type Element, find } from './xml.ts'

/** Something wrong that lasts a while; `active` is undefined where the GPU does not say. */
export interface Condition {
  readonly event: string
  readonly attributes: Attributes
  readonly active: boolean | undefined
  /** For a person, beyond the name. */
  readonly detail?: string
}

export type Add = (metric: Metric, value: number | undefined, attributes?: Attributes) => void

const mostReasons = 32

/** What programs print in place of a text they have not. */
const noText =
  /^$|^\[?(N\/A|Not Supported|Not Found|Unknown Error|ERR!|GPU is lost|Requested functionality has been deprecated|Insufficient Permissions)\]?$/i

export function text(element: Element, ...path: readonly string[]): string | undefined {
  const found = find(element, path)?.text
  return found === undefined || noText.test(found) ? undefined : found
}

/** The reasons of old drivers are `throttle`, of new ones `event` reasons; both are read as they are named. */
export function throttling(element: Element, add: Add): ReadonlyMap<string, boolean> {
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
export function slowdowns(reasons: ReadonlyMap<string, boolean>): Condition[] {
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
export function errors(element: Element, add: Add): number | undefined {
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

export function repairs(element: Element, add: Add): Condition[] {
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
