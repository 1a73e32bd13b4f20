// What each kind of resource says: pure, from the resource and its path. A part that is absent or off has no readings,
// whatever number stands there: many BMCs show 0 for it.

import type { Attributes } from '../../core/model.ts'
import type { Metric } from '../metric.ts'
import { metrics, type Reading, statusOf } from './metrics.ts'
import { number, type Resource, resource, resources, text } from './resource.ts'

type Read = (path: string, body: Resource) => readonly Reading[]

export const kinds = [
  'thermal',
  'power',
  'thermalMetrics',
  'fan',
  'powerSubsystem',
  'powerSupply',
  'powerSupplyMetrics',
  'environment',
  'sensor',
  'drive',
  'storage',
  'volume',
  'system',
  'chassis',
] as const
export type Kind = (typeof kinds)[number]

/** Health and sizes change seldom, and a BMC is slow. */
export const seldom: ReadonlySet<Kind> = new Set([
  'drive',
  'volume',
  'storage',
  'system',
  'chassis',
  'powerSubsystem',
  'powerSupply',
])

export const readers: Readonly<Record<Kind, Read>> = {
  thermal: (path, body) => [
    ...each(path, body, 'Temperatures', temperature),
    ...each(path, body, 'Fans', (one, who) => fan(one, who)),
  ],
  power: (path, body) => [
    ...each(path, body, 'PowerControl', control),
    ...each(path, body, 'PowerSupplies', supply),
    ...each(path, body, 'Voltages', voltage),
  ],
  thermalMetrics,
  fan: (path, body) => speeds(body, identity(path, body)),
  powerSubsystem: (path, body) =>
    values(identity(path, body), [[metrics.hostLimit, number(body, 'CapacityWatts'), max]]),
  powerSupply: (path, body) => supply(body, identity(path, body)),
  powerSupplyMetrics,
  environment: (path, body) =>
    values(identity(path, body), [[metrics.hostPower, number(resource(body, 'PowerWatts'), 'Reading')]]),
  sensor,
  drive,
  volume,
  storage: (path, body) => [
    ...statusOf(resource(body, 'Status') ?? {}, 'disk_controller', identity(path, body)),
    ...each(path, body, 'StorageControllers', (one, who) =>
      statusOf(resource(one, 'Status') ?? {}, 'disk_controller', who),
    ),
  ],
  system,
  chassis: (path, body) => statusOf(resource(body, 'Status') ?? {}, 'enclosure', identity(path, body)),
}

const max = { 'hw.limit_type': 'max' }

/** Words of `Status.State` by which nothing can be measured. */
const off = new Set(['Absent', 'Disabled', 'UnavailableOffline', 'StandbyOffline'])

function isOff(of: Resource): boolean {
  return off.has(text(resource(of, 'Status'), 'State') ?? '')
}

type Value = readonly [metric: Metric, value: number | undefined, attributes?: Attributes]

function values(who: Attributes, all: readonly Value[]): Reading[] {
  return all.flatMap(([metric, value, attributes]) =>
    value === undefined ? [] : [{ metric, value, attributes: { ...who, ...attributes } }],
  )
}

function identity(path: string, of: Resource): Attributes {
  const name =
    text(of, 'Name') ?? text(of, 'FanName') ?? text(of, 'DeviceName') ?? text(of, 'MemberId') ?? text(of, 'Id')
  const where = text(of, 'PhysicalContext')
  return {
    'hw.id': path,
    ...(name !== undefined && { 'hw.name': name }),
    ...(where !== undefined && { 'hw.sensor_location': where }),
  }
}

/** Model and serial number of what can be replaced; instead of a place. */
function partIdentity(path: string, of: Resource): Attributes {
  const { 'hw.sensor_location': _, ...who } = identity(path, of)
  const [model, serial] = [text(of, 'Model'), text(of, 'SerialNumber')]
  return { ...who, ...(model && { 'hw.model': model }), ...(serial && { 'hw.serial_number': serial }) }
}

/** The members of an array within a resource, which have a place of their own or are counted. */
function each(
  path: string,
  body: Resource,
  key: string,
  read: (one: Resource, who: Attributes, n: number) => readonly Reading[],
): readonly Reading[] {
  const seen = new Set<string>()
  return resources(body, key).flatMap((one, n) => {
    const own = one['@odata.id']
    const id = typeof own === 'string' && own !== '' && !seen.has(own) ? own.slice(0, 300) : `${path}#${key}/${n}`
    seen.add(id)
    return read(one, identity(id, one), n)
  })
}

const thresholds = {
  LowerThresholdFatal: 'low.fatal',
  LowerThresholdCritical: 'low.critical',
  LowerThresholdNonCritical: 'low.degraded',
  UpperThresholdNonCritical: 'high.degraded',
  UpperThresholdCritical: 'high.critical',
  UpperThresholdFatal: 'high.fatal',
} as const

function limits(of: Resource, metric: Metric): Value[] {
  return Object.entries(thresholds).map(([key, type]) => [metric, number(of, key), { 'hw.limit_type': type }])
}

function temperature(one: Resource, who: Attributes): readonly Reading[] {
  if (isOff(one)) return []
  const all: Value[] = [[metrics.temperature, number(one, 'ReadingCelsius')], ...limits(one, metrics.temperatureLimit)]
  return [...values(who, all), ...statusOf(resource(one, 'Status') ?? {}, 'temperature', bare(who))]
}

/** `Reading` in RPM or percent; `CurrentReading` of old ones. A number without its unit is no speed. */
function fan(one: Resource, who: Attributes): readonly Reading[] {
  const status = statusOf(resource(one, 'Status') ?? {}, 'fan', bare(who))
  if (isOff(one)) return []
  const unit = text(one, 'ReadingUnits') ?? text(one, 'Units')
  const reading = number(one, 'Reading') ?? number(one, 'CurrentReading')
  if (unit === 'RPM') return [...values(who, [[metrics.fan, reading], ...limits(one, metrics.fanLimit)]), ...status]
  return [...values(who, [[metrics.fanRatio, unit === 'Percent' ? share(reading) : undefined]]), ...status]
}

/** Of the newer resource: `SpeedPercent` has both. */
function speeds(one: Resource, who: Attributes): readonly Reading[] {
  if (isOff(one)) return []
  const speed = resource(one, 'SpeedPercent')
  const all: Value[] = [
    [metrics.fanRatio, share(number(speed, 'Reading'))],
    [metrics.fan, number(speed, 'SpeedRPM')],
  ]
  return [...values(who, all), ...statusOf(resource(one, 'Status') ?? {}, 'fan', bare(who))]
}

function share(percent: number | undefined): number | undefined {
  return percent === undefined ? undefined : percent / 100
}

function bare({ 'hw.sensor_location': _, ...rest }: Attributes): Attributes {
  return rest
}

/** The first is the machine as a whole, others are parts of it. */
function control(one: Resource, located: Attributes, n: number): readonly Reading[] {
  const who = bare(located)
  const drawn = number(one, 'PowerConsumedWatts')
  if (n > 0) return values(who, [[metrics.power, drawn, { 'hw.type': 'enclosure' }]])
  const window = resource(one, 'PowerMetrics')
  return values(who, [
    [metrics.hostPower, drawn],
    [metrics.hostLimit, number(one, 'PowerCapacityWatts'), max],
    [metrics.hostLimit, number(resource(one, 'PowerLimit'), 'LimitInWatts'), { 'hw.limit_type': 'throttled' }],
    [metrics.hostWindow, number(window, 'AverageConsumedWatts'), { 'hw.statistic': 'mean' }],
    [metrics.hostWindow, number(window, 'MinConsumedWatts'), { 'hw.statistic': 'min' }],
    [metrics.hostWindow, number(window, 'MaxConsumedWatts'), { 'hw.statistic': 'max' }],
  ])
}

function supply(one: Resource, { 'hw.id': id }: Attributes): readonly Reading[] {
  const who = partIdentity(String(id), one)
  const status = statusOf(resource(one, 'Status') ?? {}, 'power_supply', who)
  if (isOff(one)) return status
  const output = number(one, 'PowerOutputWatts') ?? number(one, 'LastPowerOutputWatts')
  const capacity = number(one, 'PowerCapacityWatts')
  const used = output !== undefined && capacity !== undefined && capacity > 0 ? output / capacity : undefined
  const all: Value[] = [
    [metrics.supplyOutput, output],
    [metrics.supplyInput, number(one, 'PowerInputWatts')],
    [metrics.supplyLimit, capacity, max],
    [metrics.supplyUse, used],
    [metrics.voltage, number(one, 'LineInputVoltage'), { 'hw.sensor_location': 'input' }],
  ]
  return [...values(who, all), ...status]
}

/** One outside of the range that it says it has is no voltage: flags such as `power good` are shown like this. */
function voltage(one: Resource, who: Attributes): readonly Reading[] {
  if (isOff(one)) return []
  const [volts, low, high] = ['ReadingVolts', 'MinReadingRange', 'MaxReadingRange'].map(key => number(one, key))
  const isStrange = volts !== undefined && low !== undefined && high !== undefined && (volts < low || volts > high)
  const all: Value[] = isStrange ? [] : [[metrics.voltage, volts], ...limits(one, metrics.voltageLimit)]
  return [...values(who, all), ...statusOf(resource(one, 'Status') ?? {}, 'voltage', bare(who))]
}

function thermalMetrics(path: string, body: Resource): readonly Reading[] {
  const ambient = number(resource(body, 'TemperatureSummaryCelsius', 'Ambient'), 'Reading')
  return [
    ...each(path, body, 'TemperatureReadingsCelsius', (one, who) =>
      values(who, [[metrics.temperature, number(one, 'Reading')]]),
    ),
    ...values({ 'hw.id': path, 'hw.name': 'Ambient' }, [[metrics.ambient, ambient]]),
  ]
}

const joulesAKilowattHour = 3.6e6

function powerSupplyMetrics(path: string, body: Resource): readonly Reading[] {
  if (isOff(body)) return []
  // Of the power supply itself, so that what it gives and what it can give have one identity.
  const who = partIdentity(path.replace(/\/Metrics\/?$/, ''), body)
  const reading = (key: string): number | undefined => number(resource(body, key), 'Reading')
  const rails = (key: string, metric: Metric): Value[] =>
    resources(body, key, 32).map((one, n) => [metric, number(one, 'Reading'), { 'hw.sensor_location': `rail ${n}` }])
  const energy = reading('EnergykWh')
  return values(who, [
    [metrics.voltage, reading('InputVoltage'), { 'hw.sensor_location': 'input' }],
    [metrics.current, reading('InputCurrentAmps'), { 'hw.sensor_location': 'input' }],
    [metrics.supplyInput, reading('InputPowerWatts')],
    [metrics.supplyOutput, reading('OutputPowerWatts')],
    [metrics.frequency, reading('FrequencyHz')],
    [metrics.energy, energy === undefined ? undefined : energy * joulesAKilowattHour, { 'hw.type': 'power_supply' }],
    [metrics.temperature, reading('TemperatureCelsius')],
    [metrics.fanRatio, share(reading('FanSpeedPercent'))],
    [metrics.fan, number(resource(body, 'FanSpeedPercent'), 'SpeedRPM')],
    ...rails('RailVoltage', metrics.voltage),
    ...rails('RailCurrentAmps', metrics.current),
  ])
}

/** By `ReadingType` of Sensor v1, with the units it must have. */
const sensorKinds: Readonly<
  Record<string, { readonly metric: Metric; readonly unit: string; readonly limit?: Metric }>
> = {
  Temperature: { metric: metrics.temperature, unit: 'Cel', limit: metrics.temperatureLimit },
  Voltage: { metric: metrics.voltage, unit: 'V', limit: metrics.voltageLimit },
  Current: { metric: metrics.current, unit: 'A' },
  Rotational: { metric: metrics.fan, unit: 'RPM', limit: metrics.fanLimit },
}
const sensorThresholds = {
  LowerFatal: 'low.fatal',
  LowerCritical: 'low.critical',
  LowerCaution: 'low.degraded',
  UpperCaution: 'high.degraded',
  UpperCritical: 'high.critical',
  UpperFatal: 'high.fatal',
} as const

function sensor(path: string, body: Resource): readonly Reading[] {
  const type = text(body, 'ReadingType') ?? ''
  const kind = Object.hasOwn(sensorKinds, type) ? sensorKinds[type] : undefined
  if (kind === undefined || isOff(body) || text(body, 'ReadingUnits') !== kind.unit) return []
  const at = resource(body, 'Thresholds')
  const bounds = Object.entries(sensorThresholds).flatMap(([key, limit]): Value[] =>
    kind.limit === undefined ? [] : [[kind.limit, number(resource(at, key), 'Reading'), { 'hw.limit_type': limit }]],
  )
  return values(identity(path, body), [[kind.metric, number(body, 'Reading')], ...bounds])
}

function drive(path: string, body: Resource): readonly Reading[] {
  const who = partIdentity(path, body)
  const life = share(number(body, 'PredictedMediaLifeLeftPercent'))
  const status = statusOf(resource(body, 'Status') ?? {}, 'physical_disk', who, body.FailurePredicted === true)
  if (isOff(body)) return status
  const all: Value[] = [
    [metrics.diskSize, number(body, 'CapacityBytes')],
    [metrics.diskLife, life, { 'hw.physical_disk.state': 'remaining' }],
  ]
  return [...values(who, all), ...status]
}

function volume(path: string, body: Resource): readonly Reading[] {
  const who = identity(path, body)
  const level = text(body, 'RAIDType')
  const raid = level === undefined ? {} : { 'hw.logical_disk.raid_level': level }
  return [
    ...values(who, [[metrics.volumeLimit, number(body, 'CapacityBytes'), raid]]),
    ...statusOf(resource(body, 'Status') ?? {}, 'logical_disk', who),
  ]
}

function system(path: string, body: Resource): readonly Reading[] {
  const who = identity(path, body)
  const state = text(body, 'PowerState')
  const powered = state === 'On' ? 1 : state === 'Off' ? 0 : undefined
  const summary = (key: string, type: string): readonly Reading[] =>
    statusOf(resource(body, key, 'Status') ?? {}, type, { 'hw.id': `${path}#${key}` })
  return [
    ...values(who, [[metrics.powered, powered]]),
    ...statusOf(resource(body, 'Status') ?? {}, 'host', who),
    ...summary('MemorySummary', 'memory'),
    ...summary('ProcessorSummary', 'cpu'),
  ]
}
