// A BMC through the kernel's IPMI device, by ipmitool: sensors, and each entry of its event log once. BMCs are slow, and
// a busy one hangs: all is asked seldom and in a bounded time. It needs root, or a rule that opens /dev/ipmi0 to it.

import { reason } from '../../core/errors.ts'
import { troubles } from '../../core/log.ts'
import type { Attributes, Event, Sample, Series } from '../../core/model.ts'
import { duration, object, optional } from '../../core/shape.ts'
import { type Log, logEntries, logEvents, logUsed, openLog, sel } from '../ipmi/log.ts'
import { type Limits, parseLimits, parseLog, parseLogInfo, parseSensors } from '../ipmi/parse.ts'
import { readingsOf, sensorMetrics } from '../ipmi/readings.ts'
import type { Metric } from '../metric.ts'
import { polled } from '../polled.ts'
import type { Source, Surroundings } from '../source.ts'

interface Options {
  readonly interval: number
}

const timeout = 25_000
const limitsEvery = 3_600_000
/** Asked for when something was added; the whole log only if none of them is known. */
const last = ['sel', 'elist', 'last', '100']

export const ipmi: Source<Options> = {
  name: 'ipmi',
  options: object({ interval: optional(duration(10_000, 86_400_000), 60_000) }),
  metrics: [...sensorMetrics, logUsed, logEntries],
  events: logEvents,
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
