// Temperatures, fans, voltages, currents, power, energy and humidity as the board's chips and the devices' drivers tell
// them. What gives an error or a value that cannot be one has no sample: most boards have inputs that nothing is connected to.

import { basename } from 'node:path'
import { reason } from '../../core/errors.ts'
import type { Host, HostFile } from '../../core/host.ts'
import { type Trouble, troubles } from '../../core/log.ts'
import type { Sample, Series } from '../../core/model.ts'
import { object } from '../../core/shape.ts'
import type { Chip, Sensor } from '../hwmon/chip.ts'
import { findChips } from '../hwmon/find.ts'
import { metrics, states } from '../hwmon/kinds.ts'
import { chooser, type Patterns, patterns } from '../patterns.ts'
import { interval, polled } from '../polled.ts'
import { seldom } from '../seldom.ts'
import type { Source } from '../source.ts'
import { parseNumber } from '../sysfs.ts'

/** The patterns choose by the name of the chip's driver. */
interface Options extends Patterns {
  readonly interval: number
}

/** Asking a disk for its temperature may reset its spin-down timer, Documentation/hwmon/drivetemp.rst. */
const usually = ['drivetemp']

/** Their values are registers of the CPU or the board. All others ask a device that may not answer. */
const registers =
  /^(coretemp|k(8|10)temp|zenpower|fam15h_power|amd_energy|via_cputemp|cpu_thermal|(it8|nct6|w836|f718)\w+)$/

/** How often a device that may not answer is asked at most, ms: it costs a thread's work each time. */
const slowlyEvery = 10_000

/** More have never been seen on one machine; each costs a descriptor. */
const mostSensors = 512

export const hwmon: Source<Options> = {
  name: 'hwmon',
  options: object({ interval, ...patterns }),
  metrics,
  open(options, at) {
    const { host } = at
    const trouble = troubles(at.say)
    const wanted = chooser(options, usually)
    const isTimeToLook = seldom()
    const isTimeForSlow = seldom(slowlyEvery)
    const files = keptFiles(host)
    let chips: ReadonlyMap<string, Chip> = new Map()
    let faulty = new Set<Sensor>()

    const look = (): void => {
      const found = bounded(findChips(host, chips, wanted, trouble), trouble)
      // What is behind an open descriptor may be gone, or another device.
      if ([...chips.values()].some(chip => found.get(chip.folder) !== chip)) files.close()
      chips = found
      faulty = new Set()
    }
    const askOf = ({ name }: Chip): Ask =>
      registers.test(name) ? { input: files.read, seldom: host.read } : { input: host.slow, seldom: host.slow }

    const read = async (time: number) => {
      const looks = isTimeToLook(time)
      if (looks) look()
      const slowly = isTimeForSlow(time) || looks
      const due = [...chips.values()].filter(chip => slowly || registers.test(chip.name))
      const all = await Promise.all(due.map(chip => readChip(chip, askOf(chip), trouble, looks, faulty)))
      return { samples: all.flat().map(({ series, value }) => ({ series, time, value })), events: [] }
    }
    return polled({ ...at, interval: options.interval, read, close: files.close })
  },
}

type Value = Omit<Sample, 'time'>

/** How a file is read: one that has the value, and one that is read seldom. */
interface Ask {
  input(file: string): Answer
  seldom(file: string): Answer
}
type Answer = Buffer | undefined | Promise<Buffer | undefined>

function keptFiles(host: Host) {
  const files = new Map<string, HostFile>()
  const read = (path: string): Buffer | undefined => {
    const file = files.get(path) ?? host.file(path)
    files.set(path, file)
    return file.read()
  }
  const close = (): void => {
    for (const file of files.values()) file.close()
    files.clear()
  }
  return { read, close }
}

function bounded(chips: ReadonlyMap<string, Chip>, trouble: Trouble): ReadonlyMap<string, Chip> {
  const first = new Map<string, Chip>()
  let sensors = 0
  for (const [folder, chip] of chips) {
    sensors += chip.sensors.length
    if (sensors <= mostSensors) first.set(folder, chip)
  }
  trouble('sensors', sensors > mostSensors ? `more than ${mostSensors}, the last chips are not read` : undefined)
  return first
}

type Numbers = (file: string, how: keyof Ask) => Promise<number | undefined>

/** A chip that does not answer is given up until the next reading. */
async function readChip(
  chip: Chip,
  ask: Ask,
  trouble: Trouble,
  looks: boolean,
  faulty: Set<Sensor>,
): Promise<readonly Value[]> {
  const number = numbersOf(chip, ask, trouble)
  const values: Value[] = []
  try {
    for (const sensor of chip.sensors) {
      if (looks) values.push(...(await limitsOf(sensor, number)), ...(await statusOf(sensor, number, faulty)))
      const raw = await number(sensor.input, 'input')
      if (!faulty.has(sensor)) values.push(...believed(sensor, sensor.series, raw))
    }
    trouble(`chip ${chip.id}`, undefined)
  } catch (error) {
    trouble(`chip ${chip.id}`, reason(error))
  }
  return values
}

/** What is damaged is said and has no value; only no answer at all is thrown. */
function numbersOf(chip: Chip, ask: Ask, trouble: Trouble): Numbers {
  const parsed = (file: string, bytes: Buffer | undefined): number | undefined => {
    const subject = `sensor ${chip.id} ${basename(file)}`
    try {
      const value = bytes && parseNumber(file, bytes)
      trouble(subject, undefined)
      return value
    } catch (error) {
      trouble(subject, reason(error))
      return undefined
    }
  }
  return async (file, how) => {
    try {
      const answer = ask[how](file)
      // What was read at once lies in a buffer shared by all: it is parsed before anybody else has a turn.
      return answer instanceof Promise ? parsed(file, await answer) : parsed(file, answer)
    } catch (error) {
      if (hasNoValue(error)) return undefined
      throw error
    }
  }
}

/** What drivers say, beside that there is none, of a value they cannot get now: busy, or an error on the way to the chip. */
const noValues: ReadonlySet<unknown> = new Set([
  'EAGAIN',
  'EBUSY',
  'ETIMEDOUT',
  'EREMOTEIO',
  'EPROTO',
  'EBADMSG',
  'EOVERFLOW',
])

function hasNoValue(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return ('code' in error && noValues.has(error.code)) || hasNoValue(error.cause)
}

function believed({ kind }: Sensor, series: Series, raw: number | undefined): Value[] {
  return raw === undefined || !kind.believable(raw) ? [] : [{ series, value: raw / kind.per }]
}

async function limitsOf(sensor: Sensor, number: Numbers): Promise<readonly Value[]> {
  const values: Value[] = []
  for (const { series, file } of sensor.limits) values.push(...believed(sensor, series, await number(file, 'seldom')))
  return values
}

/** None where an alarm cannot be read: the others do not tell whether all is well. */
async function statusOf(sensor: Sensor, number: Numbers, faulty: Set<Sensor>): Promise<readonly Value[]> {
  const raised = { degraded: 0, failed: 0 }
  for (const { file, state, fault } of sensor.alarms) {
    const alarm = await number(file, 'seldom')
    if (alarm === undefined) return []
    if (alarm !== 0) raised[state]++
    if (fault && alarm !== 0) faulty.add(sensor)
  }
  const now = raised.failed > 0 ? 'failed' : raised.degraded > 0 ? 'degraded' : 'ok'
  return sensor.status.map((series, n) => ({ series, value: states[n] === now ? 1 : 0 }))
}
