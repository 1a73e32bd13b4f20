// What an NVIDIA GPU can tell, and where it stands in the document of `nvidia-smi -q -x`, of which every driver has its
// own layout: a value may have several places, and the first that holds a number counts.

import type { Attributes } from '../../core/model.ts'
import type { Metric } from '../metric.ts'
import { declaring } from './declaring.ts'
import { parseFlag, parseQuantity, type Quantity } from './quantity.ts'

const { gpu, all } = declaring('nvidia-smi -q -x')

const task = 'hw.gpu.task'
const clock = 'hw.gpu.clock'
const limitType = 'hw.limit_type'
const place = 'hw.sensor_location'
const typed = { 'hw.type': 'gpu' }

const utilization = gpu('hw.gpu.utilization', '1', 'part of the time that it was at work at this task', [task])
const memoryLimit = gpu('hw.gpu.memory.limit', 'By', 'size of its memory')
const memoryUsage = gpu('hw.gpu.memory.usage', 'By', 'memory in use')
const memoryFree = gpu('hw.gpu.memory.free', 'By', 'memory free')
const memoryReserved = gpu('hw.gpu.memory.reserved', 'By', 'memory held by driver and firmware')
const barLimit = gpu('hw.gpu.bar1.limit', 'By', 'size of the window through which others reach its memory')
const barUsage = gpu('hw.gpu.bar1.usage', 'By', 'part of that window in use')
const protectedLimit = gpu('hw.gpu.protected_memory.limit', 'By', 'memory set aside for confidential computing')
const protectedUsage = gpu('hw.gpu.protected_memory.usage', 'By', 'part of it in use')
const power = gpu('hw.power', 'W', 'power drawn now', ['hw.type'])
const averagePower = gpu('hw.gpu.power.average', 'W', 'power drawn, mean of a second')
const memoryPower = gpu('hw.gpu.memory.power', 'W', 'power drawn by its memory')
const modulePower = gpu('hw.gpu.module.power', 'W', 'power drawn by the module it is part of')
const powerLimit = gpu('hw.gpu.power.limit', 'W', 'power limits; enforced is what holds', [limitType])
const modulePowerLimit = gpu('hw.gpu.module.power.limit', 'W', 'power limits of its module', [limitType])
const frequency = gpu('hw.gpu.clock.frequency', 'Hz', 'clock as it runs', [clock])
const frequencyLimit = gpu('hw.gpu.clock.limit', 'Hz', 'highest clock', [clock])
const application = gpu('hw.gpu.clock.application', 'Hz', 'clock that applications asked for', [clock])
const temperature = gpu('hw.temperature', 'Cel', 'temperature', [place])
const temperatureLimit = gpu(
  'hw.temperature.limit',
  'Cel',
  'high.critical shuts down, throttled slows down, max is the highest for work, target is aimed at',
  [place, limitType],
)
const margin = gpu('hw.gpu.temperature.margin', 'Cel', 'degrees left until it slows down')
const marginLimit = gpu('hw.gpu.temperature.margin.limit', 'Cel', 'margins at which something happens', [
  place,
  limitType,
])
const fan = gpu('hw.fan.speed_ratio', '1', 'speed the fan is told to have')
const voltage = gpu('hw.voltage', 'V', 'core voltage', [place])
const generation = gpu('hw.gpu.pcie.generation', '1', 'PCIe generation in use; low while idle')
const generationLimit = gpu('hw.gpu.pcie.generation.limit', '1', 'highest that GPU and slot can do')
const lanes = gpu('hw.gpu.pcie.lanes', '{lane}', 'PCIe lanes in use')
const lanesLimit = gpu('hw.gpu.pcie.lanes.limit', '{lane}', 'PCIe lanes that GPU and slot have')
const ioRate = gpu('hw.gpu.io.rate', 'By/s', 'PCIe traffic of the last moments', ['network.io.direction'])
const sessions = gpu('hw.gpu.sessions', '{session}', 'running encoder or frame capture sessions', [task])
const performance = gpu('hw.gpu.performance_state', '1', '0 is the fastest (P0), 15 the slowest')
const eccEnabled = gpu('hw.gpu.ecc.enabled', '1', 'whether memory errors are corrected')
const migEnabled = gpu('hw.gpu.mig.enabled', '1', 'whether it is split into instances')
const remapped = gpu(
  'hw.gpu.memory.remapped_rows',
  '{row}',
  'rows of memory replaced by spare ones',
  ['error.type'],
  'counter',
)
const remappedInactive = gpu('hw.gpu.memory.remapped_rows.inactive', '{row}', 'remapped rows not in effect any more', [
  'error.type',
])
const remapBanks = gpu('hw.gpu.memory.remap_banks', '{bank}', 'banks by how many spare rows they have left', [
  'hw.gpu.availability',
])
const retired = gpu('hw.gpu.memory.retired_pages', '{page}', 'pages taken out of use', ['error.type'], 'counter')

/** Of which the names of the series lie in the document. */
export const named = {
  throttle: gpu('hw.gpu.throttle', '1', 'whether clocks are held down for this reason', ['hw.gpu.throttle.reason']),
  throttleTime: gpu('hw.gpu.throttle.time', 's', 'time clocks were held down', ['hw.gpu.throttle.reason'], 'counter'),
  errors: gpu(
    'hw.errors',
    '{error}',
    'memory errors of its life, and replays on PCIe and NVLink',
    ['hw.type', 'error.type', 'hw.gpu.error.location', 'hw.gpu.link'],
    'counter',
  ),
  volatileErrors: gpu(
    'hw.gpu.errors.volatile',
    '{error}',
    'memory errors since the driver was loaded',
    ['error.type', 'hw.gpu.error.location'],
    'counter',
  ),
  sramSources: gpu(
    'hw.gpu.errors.sram',
    '{error}',
    'uncorrected errors of SRAM by unit',
    ['hw.gpu.error.location'],
    'counter',
  ),
  repairPending: gpu('hw.gpu.repair.pending', '1', 'whether a repair waits for a reset', ['hw.gpu.repair']),
  repairFailed: gpu('hw.gpu.repair.failed', '1', 'whether memory cannot be repaired', ['hw.gpu.repair']),
  recovery: gpu('hw.gpu.recovery.required', '1', 'whether it asks to be reset, drained or rebooted'),
  status: gpu('hw.status', '1', 'by repairs and recovery', ['hw.type', 'hw.state']),
  fabric: gpu('hw.gpu.fabric.ready', '1', 'whether it has joined the NVLink fabric'),
  memoryUtilization: gpu('hw.gpu.memory.utilization', '1', 'part of the memory in use'),
  migMemory: gpu('hw.gpu.mig.memory.usage', 'By', 'memory in use in an instance', ['hw.gpu.mig.id']),
  migLimit: gpu('hw.gpu.mig.memory.limit', 'By', 'memory of an instance', ['hw.gpu.mig.id']),
  migProcessors: gpu('hw.gpu.mig.processors', '{processor}', 'multiprocessors of an instance', ['hw.gpu.mig.id']),
  migErrors: gpu(
    'hw.gpu.mig.errors',
    '{error}',
    'uncorrected SRAM errors of an instance',
    ['hw.gpu.mig.id'],
    'counter',
  ),
  processes: gpu('hw.gpu.process.count', '{process}', 'processes by program; the least are (others)', [
    'process.executable.name',
  ]),
  processMemory: gpu('hw.gpu.process.memory.usage', 'By', 'memory held by program; the least are (others)', [
    'process.executable.name',
  ]),
  info: gpu('hw.gpu.info', '1', 'always 1: what it is, and by what it is driven', [
    'hw.serial_number',
    'hw.vendor',
    'hw.driver_version',
    'hw.firmware_version',
    'hw.gpu.cuda_version',
    'hw.gpu.pci_address',
    'hw.gpu.architecture',
  ]),
  linkUp: gpu('hw.gpu.nvlink.up', '1', 'whether the link is active', ['hw.gpu.link']),
  linkLimit: gpu('hw.gpu.nvlink.bandwidth.limit', 'By/s', 'speed of the link', ['hw.gpu.link']),
} as const

export const nvidiaMetrics: readonly Metric[] = all

export interface Leaf {
  readonly places: readonly (readonly string[])[]
  readonly metric: Metric
  readonly attributes: Attributes
  /** Changes so seldom that it is told once a minute. */
  readonly slow: boolean
  parse(text: string): number | undefined
}

type Parse = Leaf['parse']

function leaf(
  places: string | readonly string[],
  metric: Metric,
  parse: Quantity | Parse,
  attributes: Attributes = {},
): Leaf {
  const paths = (typeof places === 'string' ? [places] : places).map(path => path.split('/'))
  const read: Parse = typeof parse === 'string' ? text => parseQuantity(text, parse) : parse
  return { places: paths, metric, attributes, slow: /limit$|remap_banks$/.test(metric.name), parse: read }
}

/** A state such as `P8`. */
const state: Parse = text => (/^P(\d|1[0-5])$/.test(text) ? Number(text.slice(1)) : undefined)
/** `16x` */
const width: Parse = text => (/^\d{1,2}x$/.test(text) ? Number.parseInt(text, 10) : undefined)
/** A voltage of 0 is what drivers print that measure none. */
const volts: Parse = text => parseQuantity(text, 'voltage') || undefined

const tasks = { general: 'gpu', memory: 'memory', encoder: 'encoder', decoder: 'decoder', jpeg: 'jpeg', ofa: 'ofa' }
const clocks = { graphics: 'graphics_clock', sm: 'sm_clock', memory: 'mem_clock', video: 'video_clock' }
/** `enforced` and the others by the names of old drivers and of new ones. */
const powerLimits = {
  enforced: ['enforced_power_limit', 'current_power_limit'],
  requested: ['power_limit', 'requested_power_limit'],
  default: ['default_power_limit'],
  min: ['min_power_limit'],
  max: ['max_power_limit'],
}
const thresholds = [
  { at: 'gpu_temp_max_threshold', location: 'gpu', type: 'high.critical' },
  { at: 'gpu_temp_slow_threshold', location: 'gpu', type: 'throttled' },
  { at: 'gpu_temp_max_gpu_threshold', location: 'gpu', type: 'max' },
  { at: 'gpu_target_temperature', location: 'gpu', type: 'target' },
  { at: 'gpu_temp_max_mem_threshold', location: 'memory', type: 'max' },
] as const
const marginThresholds = [
  { at: 'gpu_temp_max_tlimit_threshold', location: 'gpu', type: 'high.critical' },
  { at: 'gpu_temp_slow_tlimit_threshold', location: 'gpu', type: 'throttled' },
  { at: 'gpu_temp_max_gpu_tlimit_threshold', location: 'gpu', type: 'max' },
  { at: 'gpu_temp_max_mem_tlimit_threshold', location: 'memory', type: 'max' },
] as const
const link = 'pci/pci_gpu_link_info'
const retirements = { corrected: 'multiple_single_bit_retirement', uncorrected: 'double_bit_retirement' }
const histogram = ['max', 'high', 'partial', 'low', 'none'] as const

export const leaves: readonly Leaf[] = [
  ...Object.entries(tasks).map(([name, at]) => leaf(`utilization/${at}_util`, utilization, 'ratio', { [task]: name })),
  leaf('fb_memory_usage/total', memoryLimit, 'bytes'),
  leaf('fb_memory_usage/used', memoryUsage, 'bytes'),
  leaf('fb_memory_usage/free', memoryFree, 'bytes'),
  leaf('fb_memory_usage/reserved', memoryReserved, 'bytes'),
  leaf('bar1_memory_usage/total', barLimit, 'bytes'),
  leaf('bar1_memory_usage/used', barUsage, 'bytes'),
  leaf('cc_protected_memory_usage/total', protectedLimit, 'bytes'),
  leaf('cc_protected_memory_usage/used', protectedUsage, 'bytes'),
  leaf(
    ['gpu_power_readings/instant_power_draw', 'gpu_power_readings/power_draw', 'power_readings/power_draw'],
    power,
    'power',
    typed,
  ),
  leaf('gpu_power_readings/average_power_draw', averagePower, 'power'),
  leaf('gpu_memory_power_readings/instant_power_draw', memoryPower, 'power'),
  leaf(['module_power_readings/instant_power_draw', 'module_power_readings/power_draw'], modulePower, 'power'),
  ...Object.entries(powerLimits).flatMap(([type, names]) => [
    leaf(
      names.flatMap(at => [`gpu_power_readings/${at}`, `power_readings/${at}`]),
      powerLimit,
      'power',
      { [limitType]: type },
    ),
    leaf(
      names.map(at => `module_power_readings/${at}`),
      modulePowerLimit,
      'power',
      { [limitType]: type },
    ),
  ]),
  ...Object.entries(clocks).flatMap(([name, at]) => [
    leaf(`clocks/${at}`, frequency, 'frequency', { [clock]: name }),
    leaf(`max_clocks/${at}`, frequencyLimit, 'frequency', { [clock]: name }),
    leaf(`applications_clocks/${at}`, application, 'frequency', { [clock]: name }),
  ]),
  leaf('temperature/gpu_temp', temperature, 'celsius', { [place]: 'gpu' }),
  leaf('temperature/memory_temp', temperature, 'celsius', { [place]: 'memory' }),
  ...thresholds.map(({ at, location, type }) =>
    leaf(`temperature/${at}`, temperatureLimit, 'celsius', { [place]: location, [limitType]: type }),
  ),
  leaf('temperature/gpu_temp_tlimit', margin, 'celsius'),
  ...marginThresholds.map(({ at, location, type }) =>
    leaf(`temperature/${at}`, marginLimit, 'celsius', { [place]: location, [limitType]: type }),
  ),
  leaf('fan_speed', fan, 'ratio'),
  leaf('voltage/graphics_volt', voltage, volts, { [place]: 'graphics' }),
  leaf(`${link}/pcie_gen/current_link_gen`, generation, 'count'),
  leaf(`${link}/pcie_gen/max_link_gen`, generationLimit, 'count'),
  leaf(`${link}/link_widths/current_link_width`, lanes, width),
  leaf(`${link}/link_widths/max_link_width`, lanesLimit, width),
  leaf('pci/tx_util', ioRate, 'rate', { 'network.io.direction': 'transmit' }),
  leaf('pci/rx_util', ioRate, 'rate', { 'network.io.direction': 'receive' }),
  leaf('pci/replay_counter', named.errors, 'count', { ...typed, 'error.type': 'pcie_replay' }),
  leaf('pci/replay_rollover_counter', named.errors, 'count', { ...typed, 'error.type': 'pcie_replay_rollover' }),
  leaf('encoder_stats/session_count', sessions, 'count', { [task]: 'encoder' }),
  leaf('fbc_stats/session_count', sessions, 'count', { [task]: 'frame_capture' }),
  leaf('performance_state', performance, state),
  leaf('ecc_mode/current_ecc', eccEnabled, parseFlag),
  leaf('mig_mode/current_mig', migEnabled, parseFlag),
  leaf('remapped_rows/remapped_row_corr', remapped, 'count', { 'error.type': 'corrected' }),
  leaf('remapped_rows/remapped_row_unc', remapped, 'count', { 'error.type': 'uncorrected' }),
  leaf('remapped_rows/remapped_row_corr_inactive', remappedInactive, 'count', { 'error.type': 'corrected' }),
  leaf('remapped_rows/remapped_row_unc_inactive', remappedInactive, 'count', { 'error.type': 'uncorrected' }),
  ...histogram.map(rest =>
    leaf(`remapped_rows/row_remapper_histogram/row_remapper_histogram_${rest}`, remapBanks, 'banks', {
      'hw.gpu.availability': rest,
    }),
  ),
  ...Object.entries(retirements).map(([type, at]) =>
    leaf([`retired_pages/${at}/retired_count`, `retired_pages/${at}/retired_page_count`], retired, 'count', {
      'error.type': type,
    }),
  ),
]
