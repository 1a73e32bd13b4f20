// The kinds of sensors, Documentation/hwmon/sysfs-interface.rst of the kernel, as OpenTelemetry's hw.* has them.

import { type Metric, metric } from '../metric.ts'

export interface Kind {
  /** How its files begin. */
  readonly prefix: string
  /** `hw.type`; absent where no file tells of its status. */
  readonly type?: string
  readonly metric: Metric
  /** What of its files has the value; the first that is there. */
  readonly inputs: readonly string[]
  /** How many of the file's units make one of the metric's. */
  readonly per: number
  /** Which of its files is a limit, and of which type. */
  readonly limit?: Metric
  readonly limits: Readonly<Record<string, string>>
  /** Whether a value, in the file's unit, can be one at all: chips give marks like 0x80 or 0xffff for what is not connected. */
  believable(raw: number): boolean
}

const sensor = ['hw.id', 'hw.name', 'hw.parent', 'hw.sensor_location']
const limited = [...sensor, 'hw.limit_type']

const measured = (name: string, unit: string, files: string, brief: string) =>
  metric(name, unit, 'gauge', sensor, `/sys/class/hwmon/*/${files}`, brief)
const limitOf = (name: string, unit: string, files: string) =>
  metric(`${name}.limit`, unit, 'gauge', limited, `/sys/class/hwmon/*/${files}`, 'once a minute')

const power = metric('hw.power', 'W', 'gauge', [...sensor, 'hw.type'], '/sys/class/hwmon/*/power*_{input,average}', '')
const energy = metric('hw.energy', 'J', 'counter', [...sensor, 'hw.type'], '/sys/class/hwmon/*/energy*_input', '')

/** One series for each of `states`, 1 for the one that holds: the alarms that the chip itself raises. */
export const status = metric(
  'hw.status',
  '1',
  'gauge',
  [...sensor, 'hw.type', 'hw.state'],
  '/sys/class/hwmon/*/*_{alarm,fault}',
  'failed: fault or critical alarm; degraded: another alarm; once a minute',
)
export const states = ['ok', 'degraded', 'failed'] as const

const degrees = { min: 'low.degraded', max: 'high.degraded', lcrit: 'low.critical', crit: 'high.critical' }
/** 16 bits, all set. */
const unconnected = 65_535

export const kinds: readonly Kind[] = [
  {
    prefix: 'temp',
    type: 'temperature',
    metric: measured('hw.temperature', 'Cel', 'temp*_input', 'also of /sys/class/thermal where no chip shows it'),
    inputs: ['input'],
    per: 1000,
    limit: limitOf('hw.temperature', 'Cel', 'temp*_{min,max,lcrit,crit}'),
    limits: degrees,
    // -128 and 255 are 0x80 and 0xff of 8 bits, -273.15 is 0 K of an NVMe drive without that sensor, 65262 its lack of a limit.
    believable: raw => raw > -100_000 && raw < 250_000,
  },
  {
    prefix: 'fan',
    type: 'fan',
    metric: measured('hw.fan.speed', 'rpm', 'fan*_input', ''),
    inputs: ['input'],
    per: 1,
    limit: limitOf('hw.fan.speed', 'rpm', 'fan*_{min,max}'),
    limits: { min: 'low.degraded', max: 'max' },
    believable: raw => raw >= 0 && raw < unconnected,
  },
  {
    prefix: 'in',
    type: 'voltage',
    metric: measured('hw.voltage', 'V', 'in*_input', ''),
    inputs: ['input'],
    per: 1000,
    limit: limitOf('hw.voltage', 'V', 'in*_{min,max,lcrit,crit}'),
    limits: degrees,
    believable: raw => raw !== unconnected,
  },
  {
    prefix: 'curr',
    type: 'current',
    metric: measured('hw.current', 'A', 'curr*_input', ''),
    inputs: ['input'],
    per: 1000,
    limit: limitOf('hw.current', 'A', 'curr*_{min,max,lcrit,crit}'),
    limits: degrees,
    believable: raw => raw !== unconnected,
  },
  {
    prefix: 'power',
    type: 'power',
    metric: power,
    inputs: ['input', 'average'],
    per: 1_000_000,
    limit: limitOf('hw.power', 'W', 'power*_{cap,max,crit}'),
    limits: { cap: 'throttled', max: 'high.degraded', crit: 'high.critical' },
    // A megawatt is more than any board takes; the mark for "unlimited" is above it.
    believable: raw => raw >= 0 && raw < 1e12,
  },
  { prefix: 'energy', metric: energy, inputs: ['input'], per: 1_000_000, limits: {}, believable: raw => raw >= 0 },
  {
    prefix: 'humidity',
    metric: measured('hw.humidity', '1', 'humidity*_input', 'relative'),
    inputs: ['input'],
    per: 100_000,
    limits: {},
    believable: raw => raw >= 0 && raw <= 100_000,
  },
]

export const metrics: readonly Metric[] = [
  ...kinds.map(kind => kind.metric),
  ...kinds.flatMap(kind => kind.limit ?? []),
  status,
]
