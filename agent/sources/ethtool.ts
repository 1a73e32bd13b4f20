// What only the driver of an interface knows: pause frames, its own statistics, and the optics of a pluggable module.
// `ethtool` is asked once a minute, one interface after the other. An interface that has nothing of a kind is not asked
// for it again for a while; one that does not answer holds up nothing but itself.

import { reason } from '../../core/errors.ts'
import type { Host } from '../../core/host.ts'
import { troubles } from '../../core/log.ts'
import type { Attributes, Sample, Series } from '../../core/model.ts'
import { bool, duration, object, optional } from '../../core/shape.ts'
import { metrics, opticsMetrics } from '../ethtool/metrics.ts'
import { parseOptics } from '../ethtool/optics.ts'
import { parsePause, parseStatistics, priorityPauseOf, stormOf } from '../ethtool/statistics.ts'
import type { Metric } from '../metric.ts'
import { chooser, type Patterns, patterns } from '../patterns.ts'
import { polled } from '../polled.ts'
import { Scan } from '../scan.ts'
import { seldom } from '../seldom.ts'
import type { Source } from '../source.ts'

interface Options extends Patterns {
  readonly interval: number
  /** Which of the driver's statistics are told: none unless chosen. */
  readonly statistics: readonly RegExp[] | undefined
  readonly pause: boolean
  readonly optics: boolean
}

const folder = '/sys/class/net'
const timeout = 5000
const maxBytes = 512 * 1024
const mostInterfaces = 64
const mostStatistics = 256
/** Readings for which an interface is not asked again for what it does not have. */
const restFor = 10
/** ARPHRD_ETHER and ARPHRD_INFINIBAND of include/uapi/linux/if_arp.h. */
const types = [1, 32]

export const ethtool: Source<Options> = {
  name: 'ethtool',
  options: object({
    interval: optional(duration(1000, 86_400_000), 60_000),
    ...patterns,
    statistics: patterns.include,
    pause: optional(bool, true),
    optics: optional(bool, true),
  }),
  metrics: [
    ...Object.values(metrics),
    ...new Set(Object.values(opticsMetrics).flatMap(({ value, limit }) => [value, limit])),
  ],
  open(options, at) {
    const trouble = troubles(at.say)
    const known = new Map<string, Interface>()
    const isTime = seldom()
    let listing: string | undefined
    let found: readonly string[] = []
    /** Looked at when one came or went, and once a minute: two files each. */
    const find = (time: number): void => {
      const all = at.host.list(folder)
      const now = all.join(' ')
      if (!isTime(time) && now === listing) return
      listing = undefined
      found = all.filter(isAsked(at.host, options))
      listing = now
    }
    const watched = (): readonly Interface[] => {
      const names = found.slice(0, mostInterfaces)
      const left = `only ${mostInterfaces} of ${found.length} interfaces are asked`
      trouble('ethtool', found.length > names.length ? left : undefined)
      for (const name of known.keys()) if (!names.includes(name)) known.delete(name)
      return names.map(name => {
        const one = known.get(name) ?? openInterface(name, options)
        known.set(name, one)
        return one
      })
    }
    const read = async (time: number, signal: AbortSignal) => {
      const samples: Sample[] = []
      find(time)
      for (const one of watched()) {
        for (const question of one.questions) {
          const command = ['ethtool', ...question.args].join(' ')
          const subject = `source ${at.name}, ${question.args.join(' ')}`
          try {
            const answer = await ask(at.host, question, command, time, signal)
            samples.push(...answer.samples)
            trouble(subject, answer.excess)
          } catch (error) {
            if (signal.aborted) return { samples: [], events: [] }
            trouble(subject, reason(error))
          }
        }
      }
      return { samples, events: [] }
    }
    return polled({ ...at, interval: options.interval, read })
  },
}

/** Where the configuration names none, those with hardware behind them. */
function isAsked(host: Host, options: Options): (name: string) => boolean {
  const chosen = chooser(options, [])
  return name => {
    if (!chosen(name)) return false
    const path = `${folder}/${name}/type`
    const type = host.read(path)
    if (type === undefined || !types.includes(new Scan(path, type).integer())) return false
    return options.include !== undefined || host.list(`${folder}/${name}/device`).length > 0
  }
}

interface Question {
  readonly args: readonly string[]
  /** What is wanted of the answer. @throws Error that names the command. */
  parse(command: string, text: string, time: number): Answer
  /** Readings still to pass without asking. */
  rest: number
}

interface Answer {
  readonly samples: readonly Sample[]
  /** What it had too much of. */
  readonly excess?: string | undefined
}

interface Interface {
  readonly questions: readonly Question[]
}

async function ask(
  host: Host,
  question: Question,
  command: string,
  time: number,
  signal: AbortSignal,
): Promise<Answer> {
  if (question.rest > 0) {
    question.rest--
    return { samples: [] }
  }
  const output = await host.run('ethtool', question.args, { timeout, maxBytes, signal })
  // Not installed, or nothing the driver has or this user may see.
  if (output?.status !== 0) {
    question.rest = restFor - 1
    return { samples: [] }
  }
  const answer = question.parse(command, output.stdout.toString('utf8'), time)
  if (answer.samples.length === 0) question.rest = restFor - 1
  return answer
}

function openInterface(name: string, { statistics, pause, optics }: Options): Interface {
  const own = { 'hw.id': name, 'network.interface.name': name }
  const known = new Map<string, Series>()
  const series = (of: Metric, attributes: Attributes): Series => {
    const key = `${of.name} ${Object.values(attributes)}`
    const one = known.get(key) ?? of.of({ ...own, ...attributes })
    known.set(key, one)
    return one
  }
  const questions: Question[] = []
  if (pause) {
    questions.push({ args: ['--include-statistics', '-a', name], rest: 0, parse: pausesTold(series) })
  }
  if (pause || statistics !== undefined) {
    questions.push({ args: ['-S', name], rest: 0, parse: statisticsTold(series, statistics ?? [], pause) })
  }
  if (optics) questions.push({ args: ['-m', name], rest: 0, parse: opticsTold(series) })
  return { questions }
}

type SeriesOf = (of: Metric, attributes: Attributes) => Series

function pausesTold(series: SeriesOf): Question['parse'] {
  return (command, text, time) => {
    const { enabled, frames } = parsePause(command, text)
    const way = (direction: string) => ({ 'network.io.direction': direction })
    const samples = [
      ...Object.entries(enabled).map(([direction, on]) => ({
        series: series(metrics.pauseEnabled, way(direction)),
        time,
        value: Number(on),
      })),
      ...Object.entries(frames).map(([direction, value]) => ({
        series: series(metrics.pauseFrames, way(direction)),
        time,
        value,
      })),
    ]
    return { samples }
  }
}

function statisticsTold(series: SeriesOf, wanted: readonly RegExp[], pause: boolean): Question['parse'] {
  return (command, text, time) => {
    const samples: Sample[] = []
    let chosen = 0
    // A name that a driver gives twice is told once.
    for (const [name, value] of new Map(parseStatistics(command, text))) {
      if (pause) samples.push(...ofPriorities(series, name, value, time))
      if (!wanted.some(pattern => pattern.test(name)) || ++chosen > mostStatistics) continue
      samples.push({ series: series(metrics.statistic, { 'ethtool.statistic': name }), time, value })
    }
    const excess = chosen > mostStatistics ? `only ${mostStatistics} of ${chosen} statistics are told` : undefined
    return { samples, excess }
  }
}

function ofPriorities(series: SeriesOf, name: string, value: number, time: number): Sample[] {
  const storm = stormOf(name)
  if (storm !== undefined) return [{ series: series(metrics.storm, { severity: storm }), time, value }]
  const found = priorityPauseOf(name, value)
  if (found === undefined) return []
  const of = found.kind === 'time' ? metrics.priorityTime : metrics.priorityFrames
  const attributes = { 'network.io.direction': found.direction, 'network.priority': found.priority }
  return [{ series: series(of, attributes), time, value: found.value }]
}

function opticsTold(series: SeriesOf): Question['parse'] {
  return (command, text, time) => {
    const optics = parseOptics(command, text)
    if (optics === undefined) return { samples: [] }
    const samples: Sample[] = optics.values.map(({ of, channel, value }) => {
      const { value: metric, attributes } = opticsMetrics[of]
      const lane = channel === undefined ? {} : { 'network.transceiver.channel': channel }
      return { series: series(metric, { ...attributes, ...lane }), time, value }
    })
    for (const { of, limit, value } of optics.limits) {
      const { limit: metric, attributes } = opticsMetrics[of]
      samples.push({ series: series(metric, { ...attributes, 'hw.limit_type': limit }), time, value })
    }
    for (const [severity, value] of Object.entries(optics.raised ?? {})) {
      samples.push({ series: series(metrics.alarms, { severity }), time, value })
    }
    return { samples }
  }
}
