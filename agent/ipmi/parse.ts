// What ipmitool prints of a BMC: its sensors and its event log. Pure; a line that is none of theirs is passed over, since
// every version has some of its own, and a list without any line of its kind is an error.

export interface Sensor {
  readonly name: string
  /** Hexadecimal, of the sensor; with the entity it is unique. */
  readonly number: string
  /** Kind and instance of what it belongs to, as `10.1`: IPMI 2.0, table 43-13. */
  readonly entity: string
  /** `ok`, `nc`, `cr`, `nr`, or `ns` where there is nothing to read. */
  readonly state: string
  /** `21 degrees C`, `No Reading`, or the states that a discrete sensor is in. */
  readonly reading: string
}

const most = 1000

/** `Inlet Temp       | 01h | ok  |  7.1 | 21 degrees C` */
export function parseSensors(printed: string): readonly Sensor[] {
  const sensors: Sensor[] = []
  for (const line of linesOf(printed)) {
    const m = /^(.*?)\s*\|\s*([0-9A-Fa-f]{2})h\s*\|\s*(\w+)\s*\|\s*(\d+\.\d+)\s*\|\s*(.*?)\s*$/.exec(line)
    if (m && sensors.length < most) {
      sensors.push({
        name: m[1]!.slice(0, 64),
        number: m[2]!.toLowerCase(),
        state: m[3]!,
        entity: m[4]!,
        reading: m[5]!,
      })
    }
  }
  if (sensors.length === 0 && printed.trim() !== '') fail('sdr elist', 'sensors', printed)
  return sensors
}

/** `21 degrees C` as a number and its unit. */
export function parseReading(reading: string): { readonly value: number; readonly unit: string } | undefined {
  const m = /^(-?\d{1,12}(?:\.\d{1,9})?) (degrees [CF]|Volts|Amps|Watts|RPM|percent)$/.exec(reading)
  return m === null ? undefined : { value: Number(m[1]), unit: m[2]! }
}

export const limitTypes = [
  'low.fatal',
  'low.critical',
  'low.degraded',
  'high.degraded',
  'high.critical',
  'high.fatal',
] as const

export type Limits = readonly (readonly [type: (typeof limitTypes)[number], value: number])[]

/**
 * Thresholds by the sensor's name; of names that there are twice, none.
 * `Inlet Temp | 21.000 | degrees C | ok | 0.000 | 0.000 | 0.000 | 45.000 | 50.000 | 60.000`
 */
export function parseLimits(printed: string): ReadonlyMap<string, Limits> {
  const found = new Map<string, Limits>()
  const twice = new Set<string>()
  for (const line of linesOf(printed)) {
    const [name, value, unit, , ...thresholds] = line.split('|').map(part => part.trim())
    if (name === undefined || thresholds.length !== 6 || found.size >= most || !/^(na|-?[\d.]+)$/.test(value!)) continue
    if (found.has(name)) twice.add(name)
    found.set(name, limitsOf(thresholds, /^degrees/.test(unit!)))
  }
  for (const name of twice) found.delete(name)
  return found
}

/** A BMC shows 0 for what is not set; only a temperature may have a lower limit of 0, where another one is set too. */
function limitsOf(thresholds: readonly string[], isTemperature: boolean): Limits {
  const values = thresholds.map(text => (/^-?\d{1,12}(\.\d{1,9})?$/.test(text) ? Number(text) : undefined))
  const mayBeZero = isTemperature && values.slice(0, 3).some(value => value !== undefined && value !== 0)
  return limitTypes.flatMap((type, n): Limits => {
    const value = values[n]
    return value === undefined || (value === 0 && !(n < 3 && mayBeZero)) ? [] : [[type, value]]
  })
}

export interface LogInfo {
  readonly entries: number
  /** Part of the room that is used; undefined where the BMC does not know. */
  readonly used: number | undefined
  /** Changes with each entry. */
  readonly mark: string
}

export function parseLogInfo(printed: string): LogInfo {
  const of = (key: string): string | undefined => new RegExp(`^${key}\\s*:\\s*(.*?)\\s*$`, 'm').exec(printed)?.[1]
  const entries = of('Entries')
  if (entries === undefined || !/^\d{1,5}$/.test(entries)) return fail('sel info', 'the number of entries', printed)
  const percent = /^(\d{1,3})%$/.exec(of('Percent Used') ?? '')
  const mark = `${entries} ${of('Last Add Time')} ${of('Last Del Time')}`
  return { entries: Number(entries), used: percent ? Number(percent[1]) / 100 : undefined, mark }
}

export interface LogEntry {
  /** Unlike that of any other: number and time. */
  readonly key: string
  readonly id: number
  /** As the BMC's clock has it, or `Pre-Init` when that was not set. */
  readonly at: string
  readonly sensor: string
  readonly text: string
  readonly asserted: boolean
}

/** `   1 | 11/25/26 | 23:19:46 UTC | Temperature #0x05 | Upper Critical going high | Asserted | Reading 97 ...` */
export function parseLog(printed: string): readonly LogEntry[] {
  const entries: LogEntry[] = []
  for (const line of linesOf(printed)) {
    const [id, date, time, sensor, text, direction, detail] = line.split('|').map(part => part.trim())
    if (!/^[0-9a-f]{1,4}$/.test(id ?? '') || sensor === undefined) continue
    const at = /^Pre-Init/.test(date!) ? 'Pre-Init' : `${date} ${time}`
    const whole = [text, detail].filter(part => part !== undefined && part !== '').join(', ')
    entries.push({
      key: `${id} ${date} ${time}`,
      id: Number.parseInt(id!, 16),
      at,
      sensor: sensor.slice(0, 128),
      text: whole.slice(0, 300),
      asserted: direction !== 'Deasserted',
    })
  }
  if (entries.length === 0 && !/SEL has no entries/.test(printed)) fail('sel elist', 'entries', printed)
  return entries
}

function linesOf(printed: string): readonly string[] {
  return printed.split('\n').map(line => line.slice(0, 500))
}

function fail(command: string, expected: string, printed: string): never {
  throw new Error(`ipmitool ${command}: expected ${expected}, got ${JSON.stringify(printed.trim().slice(0, 60))}`)
}
