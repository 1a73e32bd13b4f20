// What an edge tells of itself in-band, beside what its sources read: how full the spool is, and what it gave up.

import type { Observation, Sample, Series, SeriesKind } from '../core/model.ts'
import type { SpoolStats } from './spool.ts'

const own = (name: string, unit: string, kind: SeriesKind): Series => ({
  name: `fieldline.${name}`,
  unit,
  kind,
  attributes: {},
})

const readings: readonly [Series, (s: SpoolStats) => number][] = [
  [own('spool.size', 'By', 'gauge'), s => s.bytes],
  [own('spool.envelopes', '{envelope}', 'gauge'), s => s.envelopes],
  [own('spool.dropped', '{sample}', 'counter'), s => s.dropped_samples],
  [own('spool.refused', '{envelope}', 'counter'), s => s.refused_envelopes],
]
const uptime = own('uptime', 's', 'gauge')

export function selfObservation(stats: SpoolStats, time: number, startedAt: number): Observation {
  const samples: Sample[] = readings.map(([series, value]) => ({ series, time, value: value(stats) }))
  samples.push({ series: uptime, time, value: Math.max(0, time - startedAt) / 1000 })
  return { samples, events: [] }
}
