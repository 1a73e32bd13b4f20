// The kernel's log as events: what broke, is about to, or is well again. Read from /dev/kmsg, or from the journal where
// that is not ours to read; parsed by ../kernel-log. Each message is told once: how far the log was read is saved together
// with all that is still held back, once what was told is durable.

import { troubles } from '../../core/log.ts'
import type { Event, Observation, Sample, Series } from '../../core/model.ts'
import { duration, object, optional } from '../../core/shape.ts'
import { Flood } from '../kernel-log/flood.ts'
import { GpuConditions } from '../kernel-log/gpu-conditions.ts'
import { Interpreter, type Report } from '../kernel-log/interpreter.ts'
import { kernelMessages, openJournal } from '../kernel-log/journal.ts'
import { kmsgPath, openKmsg } from '../kernel-log/kmsg.ts'
import type { Log, Place } from '../kernel-log/line.ts'
import { events } from '../kernel-log/rules.ts'
import { type Metric, metric } from '../metric.ts'
import { chooser, type Patterns, patterns } from '../patterns.ts'
import { interval, polled } from '../polled.ts'
import type { Source, Surroundings } from '../source.ts'

/** The patterns choose by event name. */
interface Options extends Patterns {
  readonly interval: number
  /** How long the same is not told again, but counted. */
  readonly repeat: number
}

const told = metric(
  'system.kernel.log.events',
  '{event}',
  'counter',
  ['event.name'],
  '/dev/kmsg, journalctl',
  'messages that became events, those counted in one event too; absent until the first',
)
const lost = metric(
  'system.kernel.log.lost',
  '{record}',
  'counter',
  [],
  '/dev/kmsg',
  'messages overwritten before they could be read; absent while 0',
)

const metrics: readonly Metric[] = [told, lost]

/** Lines a reading: what is more waits for the next one. */
const most = 5000
/** Without anything to tell, the place is saved only this often, ms: a log that says nothing costs no writes. */
const savedEvery = 600_000

export const kernelLog: Source<Options> = {
  name: 'kernel-log',
  options: object({ interval, repeat: optional(duration(1000, 86_400_000), 60_000), ...patterns }),
  metrics,
  events,
  open(options, at) {
    let state: State | undefined
    const log = openLog(at, () => state?.place())
    const counts = openCounts()
    const chosen = chooser(options, [])

    const read = async (time: number, signal: AbortSignal): Promise<Observation> => {
      state ??= openState(options, at)
      const reports = state.reports(await log.read(signal), time).filter(report => chosen(report.event))
      for (const { event } of reports) counts.add(event)
      return { samples: counts.samples(time, log.lost), events: state.events(reports, time) }
    }
    const close = (): void => {
      log.close()
      state?.closing()
    }
    return polled({ ...at, interval: options.interval, read, committed: () => state?.committed(), close })
  },
}

type State = ReturnType<typeof openState>

/** What is remembered over restarts. */
function openState({ repeat }: Options, { keep, host }: Surroundings) {
  const { interpreter, gpus, flood, ...before } = remembered(keep.load(), repeat)
  let place = before.place
  let savedAt = Number.NEGATIVE_INFINITY
  /** There was something to tell since it was saved; and all that was read so far is durable. */
  let changed = false
  let durable = false

  const interpret = (text: string, time: number, reports: readonly Report[]): Report[] => [
    ...gpus.line(text, time),
    ...reports.flatMap(report => gpus.take(report)),
  ]

  const reports = (entries: Awaited<ReturnType<Log['read']>>, time: number): Report[] => {
    const all: Report[] = []
    durable = false
    for (const { line, place: next } of entries) {
      if (place !== undefined && place.boot !== next.boot) all.push(...gpus.booted(line.time))
      place = next
      all.push(...interpret(line.text, line.time, interpreter.take(line)))
    }
    all.push(...interpreter.settle(time).flatMap(report => gpus.take(report)))
    return all
  }

  const events = (told: readonly Report[], time: number): Event[] => {
    const now = [...told.flatMap(report => flood.take(report)), ...flood.due(time)]
    changed ||= told.length + now.length > 0
    return now
  }

  const save = (): void => {
    keep.save(JSON.stringify({ place, interpreter: interpreter.save(), gpus: gpus.save(), flood: flood.save() }))
    savedAt = host.now()
    changed = false
  }

  const committed = (): void => {
    durable = true
    if (place !== undefined && (changed || Math.abs(host.now() - savedAt) >= savedEvery)) save()
  }
  const closing = (): void => {
    if (durable && place !== undefined) save()
  }
  return { reports, events, committed, closing, place: () => place }
}

/** What was saved by another version, or is damaged, is as good as nothing. */
function remembered(text: string | undefined, repeat: number) {
  const parts = ({ interpreter, gpus, flood, place }: Readonly<Record<string, unknown>>) => ({
    interpreter: new Interpreter(interpreter),
    gpus: new GpuConditions(gpus),
    flood: new Flood(repeat, flood),
    place: typeof (place as Place | undefined)?.boot === 'string' ? (place as Place) : undefined,
  })
  try {
    return parts(JSON.parse(text ?? '{}') as Record<string, unknown>)
  } catch {
    return parts({})
  }
}

/** The log that there is, opened when first read. */
function openLog({ host, say, name }: Surroundings, place: () => Place | undefined) {
  const trouble = troubles(say)
  const unclear = (what: string): void => trouble(`source ${name}`, what)
  let log: Log | undefined
  let lostBefore = 0
  let lost = 0

  const open = (signal: AbortSignal): Log | undefined =>
    openKmsg(host, place(), unclear) ?? openJournal(host, kernelMessages(place()), signal, unclear)

  const close = (): void => {
    log?.close()
    log = undefined
    lostBefore = lost
  }

  const read = async (signal: AbortSignal) => {
    log ??= open(signal)
    if (log === undefined) return []
    try {
      const entries = await log.read(most, signal)
      lost = lostBefore + log.lost
      if (lost > lostBefore) trouble(`${name}: ${kmsgPath}`, 'messages were overwritten before they could be read')
      return entries
    } catch (error) {
      close()
      throw error
    }
  }
  return {
    read,
    close,
    get lost() {
      return lost
    },
  }
}

function openCounts() {
  const counts = new Map<string, { readonly series: Series; value: number }>()
  const lostSeries = lost.of()
  const add = (event: string): void => {
    const count = counts.get(event) ?? { series: told.of({ 'event.name': event }), value: 0 }
    counts.set(event, count)
    count.value++
  }
  const samples = (time: number, gone: number): Sample[] => {
    const all: Sample[] = [...counts.values()].map(({ series, value }) => ({ series, time, value }))
    return gone > 0 ? [...all, { series: lostSeries, time, value: gone }] : all
  }
  return { add, samples }
}
