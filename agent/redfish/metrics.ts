// What a BMC tells by Redfish, under the hardware conventions of OpenTelemetry.

import type { Attributes, SeriesKind } from '../../core/model.ts'
import { type EventKind, type Metric, metric } from '../metric.ts'
import type { Resource } from './resource.ts'
import { text } from './resource.ts'

/** One value, still without its series. */
export interface Reading {
  readonly metric: Metric
  readonly attributes: Attributes
  readonly value: number
}

/** `server.address` is the BMC's, as one agent may ask several. */
const common = ['server.address', 'hw.id', 'hw.name']
const declared: Metric[] = []

function hw(
  name: string,
  unit: string,
  origin: string,
  brief: string,
  keys: readonly string[] = [],
  kind: SeriesKind = 'gauge',
): Metric {
  const made = metric(name, unit, kind, [...common, ...keys], origin, brief)
  declared.push(made)
  return made
}

const place = 'hw.sensor_location'
const limit = 'hw.limit_type'
const part = ['hw.model', 'hw.serial_number']

export const metrics = {
  temperature: hw('hw.temperature', 'Cel', 'Redfish Thermal, ThermalMetrics', 'temperature', [place]),
  temperatureLimit: hw('hw.temperature.limit', 'Cel', 'Redfish Thermal', 'thresholds', [place, limit]),
  ambient: hw('hw.host.ambient_temperature', 'Cel', 'Redfish ThermalMetrics', 'temperature around the machine'),
  fan: hw('hw.fan.speed', 'rpm', 'Redfish Thermal, Fan', 'speed of a fan', [place]),
  fanRatio: hw('hw.fan.speed_ratio', '1', 'Redfish Thermal, Fan', 'speed as a part of the highest', [place]),
  fanLimit: hw('hw.fan.speed.limit', 'rpm', 'Redfish Thermal', 'thresholds', [place, limit]),
  hostPower: hw('hw.host.power', 'W', 'Redfish Power, EnvironmentMetrics', 'power the whole machine draws'),
  hostLimit: hw(
    'hw.host.power.limit',
    'W',
    'Redfish Power, PowerSubsystem',
    'max by its supplies, throttled by a cap',
    [limit],
  ),
  hostWindow: hw('hw.host.power.window', 'W', 'Redfish Power', 'power over the last minutes that the BMC looks at', [
    'hw.statistic',
  ]),
  power: hw('hw.power', 'W', 'Redfish Power', 'power that a part of the machine draws', ['hw.type']),
  supplyOutput: hw('hw.power_supply.usage', 'W', 'Redfish Power, PowerSupplyMetrics', 'power it gives', part),
  supplyInput: hw('hw.power_supply.input', 'W', 'Redfish Power, PowerSupplyMetrics', 'power it takes', part),
  supplyLimit: hw('hw.power_supply.limit', 'W', 'Redfish Power, PowerSupply', 'the most it can give', [limit, ...part]),
  supplyUse: hw('hw.power_supply.utilization', '1', 'Redfish Power', 'part of the most it can give', part),
  frequency: hw('hw.power_supply.frequency', 'Hz', 'Redfish PowerSupplyMetrics', 'frequency of the mains', part),
  energy: hw('hw.energy', 'J', 'Redfish PowerSupplyMetrics', 'energy taken so far', ['hw.type', ...part], 'counter'),
  voltage: hw('hw.voltage', 'V', 'Redfish Power, PowerSupplyMetrics', 'voltage', [place, ...part]),
  voltageLimit: hw('hw.voltage.limit', 'V', 'Redfish Power', 'thresholds', [place, limit]),
  current: hw('hw.current', 'A', 'Redfish PowerSupplyMetrics', 'current', [place, ...part]),
  diskSize: hw('hw.physical_disk.size', 'By', 'Redfish Drive', 'size', part),
  diskLife: hw('hw.physical_disk.endurance_utilization', '1', 'Redfish Drive', 'what is left of the life of an SSD', [
    'hw.physical_disk.state',
    ...part,
  ]),
  volumeLimit: hw('hw.logical_disk.limit', 'By', 'Redfish Volume', 'size', ['hw.logical_disk.raid_level']),
  status: hw('hw.status', '1', 'Redfish Status of each', '1 for the state it is in, 0 for the others', [
    'hw.type',
    'hw.state',
    ...part,
  ]),
  powered: hw('hw.host.powered', '1', 'Redfish ComputerSystem', 'whether the machine is switched on'),
} as const

export const redfishMetrics: readonly Metric[] = declared

export const redfishEvents: readonly EventKind[] = [
  {
    name: 'hw.log.entry',
    attributes: ['server.address', 'hw.log.name'],
    origin: 'Redfish LogEntry',
    brief: 'an entry of an event log, once; body: id, message, messageId, created, sensor',
  },
]

const states = { OK: 'ok', Warning: 'degraded', Critical: 'failed' } as const

/** One series a state, of the `Status` that a resource has; none where it has none. */
export function statusOf(of: Resource, type: string, attributes: Attributes, failing = false): Reading[] {
  const health = text(of, 'Health') ?? text(of, 'HealthRollup')
  const state = health === undefined ? undefined : states[health as keyof typeof states]
  if (state === undefined) return []
  const names = type === 'physical_disk' ? [...Object.values(states), 'predicted_failure'] : Object.values(states)
  const now = failing && state !== 'failed' ? 'predicted_failure' : state
  return names.map(name => ({
    metric: metrics.status,
    attributes: { ...attributes, 'hw.type': type, 'hw.state': name },
    value: Number(name === now),
  }))
}
