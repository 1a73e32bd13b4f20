// What the sensors of a BMC say, under the hardware conventions of OpenTelemetry.

import type { Attributes } from '../../core/model.ts'
import { type Metric, metric } from '../metric.ts'
import { type Limits, parseReading, type Sensor } from './parse.ts'

const identity = ['hw.id', 'hw.name', 'hw.sensor_location']
const sdr = 'ipmitool sdr elist'
const hw = (name: string, unit: string, origin: string, brief: string, keys: readonly string[] = []): Metric =>
  metric(name, unit, 'gauge', [...identity, ...keys], origin, brief)

const temperature = hw('hw.temperature', 'Cel', sdr, 'temperature')
const voltage = hw('hw.voltage', 'V', sdr, 'voltage')
const current = hw('hw.current', 'A', sdr, 'current')
const power = hw('hw.power', 'W', sdr, 'power drawn', ['hw.type'])
const fan = hw('hw.fan.speed', 'rpm', sdr, 'speed of a fan')
const fanRatio = hw('hw.fan.speed_ratio', '1', sdr, 'speed as a part of the highest')
const limited = (of: Metric): Metric =>
  hw(`${of.name}.limit`, of.unit, 'ipmitool sensor', 'thresholds', ['hw.limit_type'])
const limits = new Map([temperature, voltage, current, fan].map(of => [of, limited(of)]))
const status = hw('hw.status', '1', sdr, '1 for the state it is in, 0 for the others', ['hw.type', 'hw.state'])
export const sensorMetrics: readonly Metric[] = [
  temperature,
  voltage,
  current,
  power,
  fan,
  fanRatio,
  ...limits.values(),
  status,
]

export interface Reading {
  readonly metric: Metric
  readonly attributes: Attributes
  readonly value: number
}

const kinds = {
  'degrees C': { metric: temperature, type: 'temperature', scale: (value: number) => value },
  'degrees F': { metric: temperature, type: 'temperature', scale: (value: number) => ((value - 32) * 5) / 9 },
  Volts: { metric: voltage, type: 'voltage', scale: (value: number) => value },
  Amps: { metric: current, type: 'current', scale: (value: number) => value },
  Watts: { metric: power, type: 'power', scale: (value: number) => value },
  RPM: { metric: fan, type: 'fan', scale: (value: number) => value },
  percent: { metric: fanRatio, type: 'fan', scale: (value: number) => value / 100 },
} as const

/** Kinds of entities, IPMI 2.0, table 43-13, whose power is not that of the whole machine. */
const parts: Readonly<Record<string, string>> = { 3: 'cpu', 8: 'memory', 10: 'power_supply', 32: 'memory' }

export function readingsOf({ name, number, entity, state, reading }: Sensor, bounds: Limits = []): readonly Reading[] {
  const who = { 'hw.id': `ipmi ${number}h ${entity}`, 'hw.name': name, 'hw.sensor_location': entity }
  const kind = entity.split('.', 1)[0]!
  const measured = parseReading(reading)
  if (state === 'ns') return []
  if (measured === undefined) return kind === '10' ? supply(reading, who) : []
  const { metric, type, scale } = kinds[measured.unit as keyof typeof kinds]
  // Of shares only those of fans are known for what they are.
  if (metric === fanRatio && !/^(29|30)$/.test(kind) && !/fan/i.test(name)) return []
  const attributes = metric === power ? { ...who, 'hw.type': parts[kind] ?? 'enclosure' } : who
  const limit = limits.get(metric)
  return [
    { metric, attributes, value: scale(measured.value) },
    ...(limit === undefined ? [] : bounds).map(([limitType, value]) => ({
      metric: limit!,
      attributes: { ...who, 'hw.limit_type': limitType },
      value: scale(value),
    })),
    ...statusOf(states[state], type, who),
  ]
}

const states: Readonly<Record<string, string>> = { ok: 'ok', nc: 'degraded', cr: 'failed', nr: 'failed' }

function statusOf(now: string | undefined, type: string, who: Attributes): readonly Reading[] {
  if (now === undefined) return []
  return ['ok', 'degraded', 'failed'].map(state => ({
    metric: status,
    attributes: { ...who, 'hw.type': type, 'hw.state': state },
    value: Number(state === now),
  }))
}

/** The states of a power supply, IPMI 2.0, table 42-3, sensor type 08h. */
function supply(reading: string, who: Attributes): readonly Reading[] {
  if (!/Presence detected/i.test(reading)) return []
  const isFailed = /Failure detected/i.test(reading)
  const isDegraded = /AC lost|Predictive failure|out-of-range|Config Error|Inactive/i.test(reading)
  return statusOf(isFailed ? 'failed' : isDegraded ? 'degraded' : 'ok', 'power_supply', who)
}
