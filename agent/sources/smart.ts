// What drives tell of their health: the reports that `fieldline smart-reports`, a unit of its own with the rights for it,
// leaves in a folder. This source has no rights, and asks no drive. A report is told once, dated when the drives were asked.

import { reason } from '../../core/errors.ts'
import type { Host } from '../../core/host.ts'
import { type Trouble, troubles } from '../../core/log.ts'
import type { Observation, Sample, Series } from '../../core/model.ts'
import { absolutePath, duration, object, optional } from '../../core/shape.ts'
import { interval, polled } from '../polled.ts'
import { type Drive, nameOf, resolve, type Seen } from '../smart/drives.ts'
import { formatMemory, type Memory, parseMemory } from '../smart/memory.ts'
import { metrics } from '../smart/metrics.ts'
import { attributesOf, compare, kinds } from '../smart/news.ts'
import { indexName, mostDrives, parsePass } from '../smart/pass.ts'
import { parseReport, type Report } from '../smart/report.ts'
import { states, type Value } from '../smart/told.ts'
import type { Source } from '../source.ts'

interface Options {
  readonly interval: number
  /** Where the reports are. */
  readonly folder: string
  /** ms; older reports are no data. */
  readonly max_age: number
}

const day = 86_400_000
const nothing: Observation = { samples: [], events: [] }

export const smart: Source<Options> = {
  name: 'smart',
  options: object({
    interval,
    folder: optional(absolutePath, '/run/fieldline/smart'),
    // The timer asks every ten minutes.
    max_age: optional(duration(60_000, 36_500 * day), 1_800_000),
  }),
  metrics: Object.values(metrics),
  events: Object.values(kinds),
  open({ interval, folder, max_age }, at) {
    const trouble = troubles(at.say)
    const reports = openFolder(folder, at.host, trouble)
    const series = openSeries()
    let memory: Memory | undefined
    let loaded = false
    let unsaved = false

    const read = (time: number): Observation => {
      if (!loaded) memory = parseMemory(at.keep.load())
      loaded = true
      const pass = reports.read(time)
      if (pass === undefined || !isFresh(pass.time, time)) return nothing
      if (pass.time === memory?.time) return nothing
      const seen = pass.seen(max_age)
      for (const one of seen) trouble(`${nameOf(one)}: SMART`, one.trouble)
      const drives = resolve(seen, memory?.drives ?? new Map())
      const dated = Math.min(pass.time, time)
      const news = compare(memory, drives, dated, pass.whole)
      const samples = drives.flatMap(drive => series.of(drive, dated))
      series.keep(new Set(drives.map(d => d.id)))
      memory = { ...news.memory, time: pass.time }
      unsaved = true
      return { samples, events: news.events }
    }
    const isFresh = (of: number, time: number): boolean => {
      const fresh = Math.abs(time - of) <= max_age
      const stale = `the reports are of ${new Date(of).toISOString()}, too old to be data: is fieldline-smart.timer running?`
      trouble(folder, fresh ? undefined : stale)
      return fresh
    }
    const committed = (): void => {
      if (unsaved && memory !== undefined) at.keep.save(formatMemory(memory))
      unsaved = false
    }
    return polled({ ...at, interval, read, committed })
  },
}

interface Reports {
  readonly time: number
  /** All drives of the host were looked for. */
  readonly whole: boolean
  seen(maxAge: number): readonly Seen[]
}

/** Without an index the folder is somebody else's: its reports are looked through once a minute. */
const looseEvery = 60_000

function openFolder(folder: string, host: Host, trouble: Trouble): { read(time: number): Reports | undefined } {
  let lookedAt = Number.NEGATIVE_INFINITY

  const report = (name: string): Report | undefined => {
    const file = `${folder}/${name}`
    try {
      const bytes = host.read(file)
      const found = bytes && parseReport(file, bytes)
      trouble(
        file,
        bytes === undefined ? 'is missing' : found?.strange.length === 0 ? undefined : found?.strange.join(', '),
      )
      return found
    } catch (error) {
      trouble(file, reason(error))
      return undefined
    }
  }

  const indexed = (bytes: Buffer): Reports => {
    const pass = parsePass(`${folder}/${indexName}`, bytes)
    const seen = (): Seen[] =>
      pass.drives
        .map(({ device, type, file, trouble }) => ({
          device,
          type,
          ...(file === undefined ? { trouble: trouble! } : seenIn(report(file))),
        }))
        .map(withWwid)
    return { time: pass.time, whole: true, seen }
  }

  /** The kernel knows who a disk is without asking it. */
  const withWwid = (one: Seen): Seen => {
    const name = one.report?.identity === undefined ? /^\/dev\/(sd[a-z]+)$/.exec(one.device)?.[1] : undefined
    const wwid = name && host.read(`/sys/block/${name}/device/wwid`)?.toString('latin1').trim()
    return wwid ? { ...one, wwid } : one
  }

  const loose = (names: readonly string[], time: number): Reports | undefined => {
    if (names.length === 0 || Math.abs(time - lookedAt) < looseEvery) return undefined
    lookedAt = time
    const found = names.slice(0, mostDrives).flatMap(name => report(name) ?? [])
    if (found.length === 0) return undefined
    const newest = Math.max(...found.map(r => r.time ?? time))
    const seen = (maxAge: number): Seen[] =>
      found
        .filter(r => newest - (r.time ?? time) <= maxAge)
        .map(r => withWwid({ device: r.device, type: r.type, ...seenIn(r) }))
    return { time: newest, whole: false, seen }
  }

  const read = (time: number): Reports | undefined => {
    const index = host.read(`${folder}/${indexName}`)
    if (index !== undefined) return indexed(index)
    return loose(
      host.list(folder).filter(name => /^\w.*\.json$/.test(name)),
      time,
    )
  }
  return { read }
}

function seenIn(report: Report | undefined): Pick<Seen, 'report' | 'trouble'> {
  if (report === undefined) return { trouble: 'its report cannot be read' }
  return { report, ...(report.trouble !== undefined && { trouble: report.trouble }) }
}

/** The series of each drive, made once. */
function openSeries() {
  const known = new Map<string, Map<string, Series>>()

  const seriesOf = ({ id, identity }: Drive, { metric, attributes }: Value): Series => {
    const own = known.get(id) ?? new Map<string, Series>()
    known.set(id, own)
    const all = { ...attributesOf(identity), ...attributes }
    const key = `${metric.name} ${JSON.stringify(all)}`
    const series = own.get(key) ?? metric.of(all)
    own.set(key, series)
    return series
  }

  const of = (drive: Drive, time: number): Sample[] => {
    // A value that a report has in two places is told once.
    const samples = new Map<Series, Sample>()
    for (const value of valuesOf(drive)) {
      const series = seriesOf(drive, value)
      if (!samples.has(series)) samples.set(series, { series, time, value: value.value })
    }
    return [...samples.values()]
  }

  const keep = (ids: ReadonlySet<string>): void => {
    for (const id of known.keys()) if (!ids.has(id)) known.delete(id)
  }
  return { of, keep }
}

/** A drive that gives no report has no values; one that sleeps has none but that. */
function valuesOf(drive: Drive): readonly Value[] {
  const { report, trouble } = drive
  if (report === undefined || trouble !== undefined) return []
  const awake = { metric: metrics.awake, attributes: { 'hw.name': nameOf(drive) }, value: report.asleep ? 0 : 1 }
  const { state } = report.told
  const status = states.map(s => ({
    metric: metrics.status,
    attributes: { 'hw.state': s },
    value: s === state ? 1 : 0,
  }))
  return [awake, ...(state === undefined ? [] : status), ...report.told.values]
}
