// The values of drives as samples.

import type { Sample, Series } from '../../core/model.ts'
import { type Drive, nameOf } from './drives.ts'
import { metrics } from './metrics.ts'
import { attributesOf } from './news.ts'
import { states, type Value } from './told.ts'

/** The series of each drive, made once. */
export function openSeries() {
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
