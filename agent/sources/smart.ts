// What drives tell of their health: the reports that `fieldline smart-reports`, a unit of its own with the rights for it,
// leaves in a folder. This source has no rights, and asks no drive. A report is told once, dated when the drives were asked.

import { troubles } from '../../core/log.ts'
import type { Observation } from '../../core/model.ts'
import { absolutePath, duration, object, optional } from '../../core/shape.ts'
import { interval, polled } from '../polled.ts'
import { nameOf, resolve } from '../smart/drives.ts'
import { openFolder } from '../smart/folder.ts'
import { formatMemory, type Memory, parseMemory } from '../smart/memory.ts'
import { metrics } from '../smart/metrics.ts'
import { compare, kinds } from '../smart/news.ts'
import { openSeries } from '../smart/series.ts'
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
      for (const one of seen) trouble(`${nameOf(one)}: SMART`, one.trouble ?? one.report?.complaint)
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
