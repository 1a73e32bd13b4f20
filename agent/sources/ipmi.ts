// A BMC through the kernel's IPMI device, by ipmitool: sensors, and each entry of its event log once. BMCs are slow, and
// a busy one hangs: all is asked seldom and in a bounded time. It needs root, or a rule that opens /dev/ipmi0 to it.

import { reason } from '../../core/errors.ts'
import { troubles } from '../../core/log.ts'
import type { Attributes, Event, Sample, Series, Severity } from '../../core/model.ts'
import { duration, object, optional } from '../../core/shape.ts'
import {
  type Limits,
  type LogEntry,
  parseLimits,
  parseLog,
  parseLogInfo,
  parseReading,
  parseSensors,
  type Sensor,
} from '../ipmi/parse.ts'
import { type EventKind, type Metric, metric } from '../metric.ts'
import { polled } from '../polled.ts'
import type { Source, Surroundings } from '../source.ts'

interface Options {
  readonly interval: number
}

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
const logUsed = metric(
  'hw.log.utilization',
  '1',
  'gauge',
  ['hw.log.name'],
  'ipmitool sel info',
  'part of the event log in use',
)
const logEntries = metric(
  'hw.log.entries',
  '{entry}',
  'gauge',
  ['hw.log.name'],
  'ipmitool sel info',
  'entries of the event log',
)

const sel = { 'hw.log.name': 'SEL' }
const events: readonly EventKind[] = [
  {
    name: 'hw.log.entry',
    attributes: ['hw.log.name'],
    origin: 'ipmitool sel elist',
    brief: 'an entry of the event log, once; body: id, at (by the clock of the BMC), sensor, message, asserted',
  },
  {
    name: 'hw.log.nearly_full',
    attributes: ['hw.log.name'],
    origin: 'ipmitool sel info',
    brief: 'the event log has little room left, and a full one takes no more entries; body: state begin or end, used',
  },
]

const timeout = 25_000
const limitsEvery = 3_600_000
const fullAt = 0.9
const roomAgainAt = 0.8
/** Asked for when something was added; the whole log only if none of them is known. */
const last = ['sel', 'elist', 'last', '100']

export const ipmi: Source<Options> = {
  name: 'ipmi',
  options: object({ interval: optional(duration(10_000, 86_400_000), 60_000) }),
  metrics: [temperature, voltage, current, power, fan, fanRatio, ...limits.values(), status, logUsed, logEntries],
  events,
  open({ interval }, at) {
    return polled({ ...at, interval, ...openBmc(at) })
  },
}

function openBmc({ host, say, keep }: Surroundings) {
  const trouble = troubles(say)
  const series = new Map<string, Series>()
  let known: ReadonlyMap<string, Limits> = new Map()
  let limitsAt = Number.NEGATIVE_INFINITY
  let log: Log | undefined
  let saved: string | undefined

  const ask = async (args: readonly string[], signal: AbortSignal): Promise<string | undefined> => {
    const answer = await host.run('ipmitool', args, { timeout, signal })
    if (answer === undefined) return undefined
    if (answer.status === 0) return answer.stdout.toString('utf8')
    const denied = /Permission denied/.test(answer.stderr) ? ' (it must be root, or be let read it)' : ''
    throw new Error(`ipmitool ${args.join(' ')}: ended with ${answer.status}: ${answer.stderr}${denied}`)
  }

  /** What fails beside the sensors is said once, and they are read all the same. */
  const apart = async <T>(subject: string, part: Promise<T>, otherwise: T, signal: AbortSignal): Promise<T> => {
    try {
      const value = await part
      trouble(subject, undefined)
      return value
    } catch (error) {
      if (signal.aborted) throw error
      trouble(subject, reason(error))
      return otherwise
    }
  }

  const of = (metric: Metric, attributes: Attributes): Series => {
    const key = `${metric.name} ${Object.values(attributes).join('\0')}`
    const one = series.get(key) ?? metric.of(attributes)
    series.set(key, one)
    return one
  }

  const look = async (signal: AbortSignal): Promise<boolean> => {
    if (host.monotonic() - limitsAt < limitsEvery) return false
    limitsAt = host.monotonic()
    known = parseLimits((await ask(['sensor'], signal)) ?? '')
    return true
  }

  const readLog = async (time: number, signal: AbortSignal): Promise<{ samples: Sample[]; events: Event[] }> => {
    const info = parseLogInfo((await ask(['sel', 'info'], signal)) ?? '')
    saved ??= keep.load()
    log ??= openLog(saved)
    const samples = [{ series: of(logEntries, sel), time, value: info.entries }]
    if (info.used !== undefined) samples.push({ series: of(logUsed, sel), time, value: info.used })
    const told = info.used === undefined ? [] : log.fill(info.used, time)
    if (!log.isNew(info.mark)) return { samples, events: told }
    const entries = info.entries === 0 ? [] : parseLog((await ask(last, signal)) ?? '')
    const whole = log.knows(entries) ? entries : parseLog((await ask(['sel', 'elist'], signal)) ?? '')
    return { samples, events: [...told, ...log.news(info.mark, whole, time)] }
  }

  const read = async (time: number, signal: AbortSignal) => {
    const device = host.list('/dev').some(name => /^ipmi0?$|^ipmidev$/.test(name))
    const printed = device ? await ask(['sdr', 'elist'], signal) : undefined
    if (printed === undefined) return { samples: [], events: [] }
    const sensors = parseSensors(printed)
    const withLimits = await apart('ipmitool sensor', look(signal), false, signal)
    const logged = await apart('ipmitool sel', readLog(time, signal), { samples: [], events: [] }, signal)
    const samples = sensors.flatMap(sensor =>
      readingsOf(sensor, withLimits ? known.get(sensor.name) : undefined).map(({ metric, attributes, value }) => ({
        series: of(metric, attributes),
        time,
        value,
      })),
    )
    const unique = [...new Map(samples.map(sample => [sample.series, sample])).values()]
    return { samples: [...unique, ...logged.samples], events: logged.events }
  }

  const committed = (): void => {
    const text = log?.text()
    if (text === undefined || text === saved) return
    keep.save(text)
    saved = text
  }
  return { read, committed }
}

interface Reading {
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

function readingsOf({ name, number, entity, state, reading }: Sensor, bounds: Limits = []): readonly Reading[] {
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

type Log = ReturnType<typeof openLog>

interface Kept {
  /** Undefined before the log was first read: what was there then is no news. */
  readonly mark?: string
  readonly keys: readonly string[]
  readonly full: boolean
}

function openLog(saved: string | undefined) {
  let { mark, keys, full } = restored(saved)

  const fill = (used: number, time: number): Event[] => {
    const now = used >= fullAt || (full && used >= roomAgainAt)
    if (now === full) return []
    full = now
    const body = { state: now ? 'begin' : 'end', used }
    return [{ name: 'hw.log.nearly_full', time, severity: now ? 'warning' : 'info', body, attributes: sel }]
  }

  /** Whether these go back to what is known. */
  const knows = (entries: readonly LogEntry[]): boolean =>
    mark === undefined || keys.length === 0 || entries.length < 100 || entries.some(e => keys.includes(e.key))

  const news = (newMark: string, entries: readonly LogEntry[], time: number): Event[] => {
    const isFirst = mark === undefined
    const fresh = entries.slice(entries.findLastIndex(e => keys.includes(e.key)) + 1)
    mark = newMark
    keys = entries.slice(-100).map(e => e.key)
    return isFirst ? [] : fresh.map(entry => eventOf(entry, time))
  }

  const text = (): string => JSON.stringify({ mark, keys, full })
  return { fill, knows, news, isNew: (newMark: string) => newMark !== mark, text }
}

function eventOf({ id, at, sensor, text, asserted }: LogEntry, time: number): Event {
  const body = { id, at, sensor, message: text, asserted }
  return { name: 'hw.log.entry', time, severity: severityOf(text, asserted), body, attributes: sel }
}

function severityOf(text: string, asserted: boolean): Severity {
  if (!asserted) return 'info'
  if (/non-?recoverable|uncorrectable|fatal/i.test(text)) return 'critical'
  if (/non-?critical|predictive|correctable|redundancy|lost|degraded/i.test(text)) return 'warning'
  return /critical|fail|fault|error|over ?temp|thermal trip|IERR/i.test(text) ? 'error' : 'info'
}

function restored(saved: string | undefined): Kept {
  try {
    const { mark, keys, full } = JSON.parse(saved ?? '') as Kept
    return { ...(typeof mark === 'string' && { mark }), keys: [...keys], full: full === true }
  } catch {
    // Nothing was saved, or something else: begin with what is there.
    return { keys: [], full: false }
  }
}
