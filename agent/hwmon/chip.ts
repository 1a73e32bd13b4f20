// One chip and its sensors, made from the names in its folder.

import type { Attributes, Series } from '../../core/model.ts'
import { type Kind, kinds, states, status } from './kinds.ts'

export interface Chip {
  readonly id: string
  /** The driver's. */
  readonly name: string
  /** Its real path: what is later at the same link is not taken for it. */
  readonly folder: string
  readonly sensors: readonly Sensor[]
}

export interface Sensor {
  readonly kind: Kind
  readonly series: Series
  readonly input: string
  readonly limits: readonly { readonly series: Series; readonly file: string }[]
  readonly alarms: readonly Alarm[]
  /** In the order of `states`; none where the chip raises no alarm. */
  readonly status: readonly Series[]
}

interface Alarm {
  readonly file: string
  /** What it means when it is raised. */
  readonly state: 'degraded' | 'failed'
  /** The sensor itself is broken or missing: its value means nothing. */
  readonly fault: boolean
}

/** `label` gives what a file of the folder says. */
export function chipOf(
  { id, name, folder }: Omit<Chip, 'sensors'>,
  files: readonly string[],
  label: (file: string) => string | undefined,
): Chip {
  const sensors = [...grouped(files)].flatMap(([sensor, properties]) => {
    const kind = kinds.find(k => sensor.replace(/\d+$/, '') === k.prefix)
    const value = kind?.inputs.find(input => properties.has(input))
    if (kind === undefined || value === undefined) return []
    const location = properties.has('label') ? label(`${folder}/${sensor}_label`) : undefined
    const about = { 'hw.id': `${id}/${sensor}`, 'hw.name': `${name} ${sensor}`, 'hw.parent': id, ...located(location) }
    return [sensorOf(kind, about, value, properties, property => `${folder}/${sensor}_${property}`)]
  })
  return { id, name, folder, sensors }
}

function located(location: string | undefined): Attributes {
  return location === undefined ? {} : { 'hw.sensor_location': location }
}

function sensorOf(
  kind: Kind,
  about: Attributes,
  value: string,
  properties: ReadonlySet<string>,
  file: (property: string) => string,
): Sensor {
  const typed: Attributes = { ...about, 'hw.type': kind.type ?? kind.prefix }
  const alarms = [...properties].filter(property => /(^|_)alarm$|^fault$/.test(property))
  const limits = Object.entries(kind.limits).filter(([property]) => properties.has(property))
  return {
    kind,
    series: kind.metric.of(kind.metric.attributes.includes('hw.type') ? typed : about),
    input: file(value),
    limits: limits.map(([property, type]) => ({
      series: kind.limit!.of({ ...about, 'hw.limit_type': type }),
      file: file(property),
    })),
    alarms: alarms.map(property => ({
      file: file(property),
      state: /crit|emergency|fault/.test(property) ? 'failed' : 'degraded',
      fault: property === 'fault',
    })),
    status: alarms.length === 0 ? [] : states.map(state => status.of({ ...typed, 'hw.state': state })),
  }
}

/** `temp1_max_alarm`: the property `max_alarm` of the sensor `temp1`. */
function grouped(files: readonly string[]): Map<string, Set<string>> {
  const sensors = new Map<string, Set<string>>()
  for (const file of files) {
    const [, sensor, property] = /^([a-z]+\d+)_(\w+)$/.exec(file) ?? []
    if (sensor === undefined || property === undefined) continue
    sensors.set(sensor, (sensors.get(sensor) ?? new Set()).add(property))
  }
  return sensors
}
