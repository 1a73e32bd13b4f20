// The detector `anomaly` on labelled series of real machines, scored as the Numenta Anomaly Benchmark does: one sample at a
// time through the code that the collector runs. Two thresholds: the one that serves all series best in hindsight, as
// published results are given, and the detector's own default. `--data FOLDER` (FIELDLINE_DATA/nab) of series in that shape,
// `--write FOLDER` writes what the benchmark's own scorer reads, `--splits N` (100) random halves on one of which the
// threshold is chosen and on the other judged.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Place } from '../core/shape.ts'
import { anomaly, anomalyScore } from '../judge/detect/anomaly.ts'
import type { AnomalyState } from '../judge/detect/anomaly-state.ts'
import { type NabSeries, readNab, writeNab } from './nab-data.ts'
import { bestOf, type Profile, partAt, profiles, type Scored, scoreAt } from './nab-score.ts'
import { table } from './process.ts'

type Row = Readonly<Record<string, string | number>>

const names = Object.keys(profiles) as Profile[]

export async function run(args: readonly string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({
    args: [...args],
    options: { data: { type: 'string' }, write: { type: 'string' }, splits: { type: 'string', default: '100' } },
  })
  const folder = values.data ?? join(process.env.FIELDLINE_DATA ?? '../shared/data', 'nab')
  if (!existsSync(folder))
    throw new Error(`${folder} is missing: set FIELDLINE_DATA to the folder that has nab/, or --data`)
  const series = readNab(folder)
  const scored = series.map(judge)
  const write = values.write
  if (write !== undefined) for (const [n, one] of series.entries()) writeNab(write, one, scored[n]!.scores)
  const fixed = 1 / (1 + defaults().false_alarms)
  const best = bestOf(scored, 'standard').threshold
  table(scored.map(one => rowOf(one, best, fixed)))
  const rows = names.map(profile => profileRow(scored, profile, fixed, Number(values.splits)))
  table(rows)
  return figures(scored, fixed, rows)
}

function defaults() {
  return anomaly.options.read({}, new Place())
}

/** As the collector does: state by state, sample by sample. */
function judge({ name, times, values, windows }: NabSeries): Scored {
  const detector = anomaly.open(defaults())
  const state = detector.start({ name, unit: '', kind: 'gauge', attributes: {} }) as AnomalyState
  const scores = new Float64Array(values.length)
  for (const [n, value] of values.entries()) {
    if (!Number.isFinite(value)) continue
    detector.step(state, times[n]!, value)
    scores[n] = anomalyScore(state)
  }
  return { name, scores, windows }
}

function rowOf(one: Scored, best: number, fixed: number): Row {
  const [hindsight, standing] = [best, fixed].map(threshold => partAt(one, threshold, 'standard'))
  return {
    series: one.name,
    rows: one.scores.length,
    windows: one.windows.length,
    best_found: hindsight!.found,
    best_false: hindsight!.false_alarms,
    best_points: round(hindsight!.points),
    fixed_found: standing!.found,
    fixed_false: standing!.false_alarms,
    fixed_points: round(standing!.points),
  }
}

function profileRow(scored: readonly Scored[], profile: Profile, fixed: number, splits: number) {
  const { threshold, score } = bestOf(scored, profile)
  const others = halves(scored, splits).map(([one, other]) => scoreAt(other, bestOf(one, profile).threshold, profile))
  others.sort((a, b) => a - b)
  const mean = others.reduce((sum, value) => sum + value, 0) / others.length
  return {
    profile,
    best: round(score),
    best_threshold: round(threshold, 4),
    fixed: round(scoreAt(scored, fixed, profile)),
    fixed_threshold: round(fixed, 4),
    other_half: round(mean),
    p10: round(others[Math.floor(others.length * 0.1)] ?? 0),
    p90: round(others[Math.floor(others.length * 0.9)] ?? 0),
  }
}

function figures(scored: readonly Scored[], fixed: number, rows: readonly ReturnType<typeof profileRow>[]) {
  const of = (key: 'best' | 'fixed' | 'other_half' | 'p10' | 'p90') =>
    Object.fromEntries(rows.map(row => [row.profile, row[key]]))
  const alarms = scored.reduce((sum, one) => sum + partAt(one, fixed, 'standard').false_alarms, 0)
  return {
    ...of('best'),
    fixed: of('fixed'),
    other_half: { ...of('other_half'), p10: of('p10'), p90: of('p90') },
    series: scored.length,
    windows: scored.reduce((sum, one) => sum + one.windows.length, 0),
    fixed_false_alarms: alarms,
  }
}

/** The same random halves in every run, each judged both ways. */
function halves(scored: readonly Scored[], count: number): readonly (readonly [Scored[], Scored[]])[] {
  let seed = 1
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed / 2_147_483_647
  }
  return Array.from({ length: Math.ceil(count / 2) }, () => {
    const drawn = scored.map(one => [random(), one] as const).sort(([a], [b]) => a - b)
    const all = drawn.map(([, one]) => one)
    const middle = all.length / 2
    return [all.slice(0, middle), all.slice(middle)] as const
  }).flatMap(([a, b]) => [[a, b] as const, [b, a] as const])
}

function round(value: number, digits = 2): number {
  return Number.isFinite(value) ? Number(value.toFixed(digits)) : value
}
