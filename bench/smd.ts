// The detector `host` on labelled machines: many series of one host judged together, a sample at a time through the code that
// the collector runs. First the unlabelled rows of `train`, then `test`, whose minutes are scored; no point adjustment. Beside it
// a random score and two classical ones that are fitted on the whole of `train`: the error of reconstruction from principal
// components, and the plain distance in standard deviations (what the published score by PCA comes down to).
// Blame is measured on faults put into real rows, because which series the labels mean is not told.
// `--data FOLDER` (FIELDLINE_DATA/smd) of machines in that shape.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Series } from '../core/model.ts'
import { Place } from '../core/shape.ts'
import { host, hostScore } from '../judge/detect/host.ts'
import type { HostState } from '../judge/detect/host-state.ts'
import { median, table } from './process.ts'
import { blamedRightly, faults } from './smd-blame.ts'
import { type Machine, readSmd } from './smd-data.ts'
import { distance, generator, reconstruction } from './smd-rivals.ts'
import { averagePrecision, period, rocArea, volume } from './vus.ts'

export const minute = 60_000
export const start = Date.UTC(2026, 0, 5)
const minutesAWeek = 10_080
/** A finding so near to a labelled minute is none that is false. */
const near = 60
const seeds = 5
const measures = ['vus_pr', 'auc_pr', 'vus_roc', 'auc_roc'] as const
type Measures = Readonly<Record<(typeof measures)[number], number>>

export async function run(args: readonly string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({ args: [...args], options: { data: { type: 'string' } } })
  const folder = values.data ?? join(process.env.FIELDLINE_DATA ?? '../shared/data', 'smd')
  if (!existsSync(folder))
    throw new Error(`${folder} is missing: set FIELDLINE_DATA to the folder that has smd/, or --data`)
  const machines = readSmd(folder)
  const judged = machines.map(judge)
  const results = machines.map((machine, n) => resultsOf(machine, judged[n]!.scores))
  const scorers = Object.keys(results[0]!) as (keyof (typeof results)[number])[]
  for (const scorer of scorers) {
    const rows = machines.map(({ name }, n) => ({ scorer, machine: name, ...rounded(results[n]![scorer]) }))
    table([...rows, { scorer, machine: 'mean', ...rounded(meanOf(results.map(r => r[scorer]))) }])
  }
  table(machines.map((machine, n) => ({ machine: machine.name, ...judged[n]!.told, bytes: judged[n]!.bytes })))
  const blame = machines.flatMap((machine, n) => blamedRightly(machine, judged[n]!.moments))
  table(faults.map(fault => ({ fault, ...blameOf(blame.filter(b => b.fault === fault)) })))
  const told = judged.map(j => j.told)
  const weeks = told.reduce((sum, { weeks }) => sum + weeks, 0)
  return {
    ...rounded(meanOf(results.map(r => r.host))),
    per_machine: Object.fromEntries(machines.map(({ name }, n) => [name, rounded(results[n]!.host)])),
    ...Object.fromEntries(scorers.slice(1).map(s => [s, rounded(meanOf(results.map(r => r[s])))])),
    blame_top3: blameOf(blame).in_top_3,
    false_alarms_a_week: round(told.reduce((sum, one) => sum + one.false, 0) / weeks),
    bytes: median(judged.map(j => j.bytes)),
  }
}

function judge(machine: Machine) {
  const detector = host.open(host.options.read({}, new Place()))
  const state = detector.start(undefined) as HostState
  const series = seriesOf(machine)
  const scores: number[] = []
  const moments = new Map<number, string>()
  const opened = new Set<number>()
  const every = Math.floor(machine.test.length / 20)
  for (const [n, row] of [...machine.train, ...machine.test].entries()) {
    const at = n - machine.train.length
    if (at > 0 && at % every === 0) moments.set(at, JSON.stringify(state))
    const verdict = stepRow(detector, state, series, n, row)
    if (verdict !== undefined && 'since' in verdict) opened.add((verdict.since - start) / minute - machine.train.length)
    if (at >= 0) scores.push(hostScore(state))
  }
  const told = toldOf(machine, [...opened].map(Math.floor))
  return { scores, moments, told, bytes: JSON.stringify(state).length }
}

export function seriesOf({ test }: Machine): readonly Series[] {
  return Array.from(test[0]!, (_, n) => ({ name: `metric.${n}`, unit: '', kind: 'gauge', attributes: {} }))
}

/** A row's samples, and the second in which its minute is over. */
export function stepRow(
  detector: ReturnType<typeof host.open>,
  state: HostState,
  series: readonly Series[],
  n: number,
  row: ArrayLike<number>,
) {
  for (const [s, one] of series.entries()) {
    if (Number.isFinite(row[s])) detector.step(state, start + n * minute, row[s]!, one)
  }
  return detector.idle?.(state, start + (n + 1) * minute)
}

/** Findings in `test` near a labelled minute, and the others: false ones, a week of minutes that are not near any. */
function toldOf({ labels }: Machine, opened: readonly number[]) {
  const isNear = (at: number): boolean => labels.slice(Math.max(0, at - near), at + near + 1).includes(1)
  const inTest = opened.filter(at => at >= 0)
  const calm = labels.filter((_, at) => !isNear(at)).length
  const right = inTest.filter(isNear).length
  return { found: right, false: inTest.length - right, weeks: round(calm / minutesAWeek) }
}

function resultsOf(machine: Machine, scores: readonly number[]) {
  const widest = 2 * period(machine.test.map(row => row[0]!))
  const measure = (scores: ArrayLike<number>) => measured(scores, machine.labels, widest)
  const random = Array.from({ length: seeds }, (_, seed) => {
    const next = generator(seed + 1)
    return measure(machine.labels.map(next))
  })
  return {
    host: measure(scores),
    pca: measure(reconstruction(machine.train, machine.test)),
    distance: measure(distance(machine.train, machine.test)),
    random: meanOf(random),
  }
}

function measured(scores: ArrayLike<number>, labels: readonly number[], widest: number): Measures {
  const { pr, roc } = volume(scores, labels, widest)
  return { vus_pr: pr, auc_pr: averagePrecision(scores, labels), vus_roc: roc, auc_roc: rocArea(scores, labels) }
}

function meanOf(all: readonly Measures[]): Measures {
  const mean = (key: keyof Measures): number => all.reduce((sum, one) => sum + one[key], 0) / all.length
  return { vus_pr: mean('vus_pr'), auc_pr: mean('auc_pr'), vus_roc: mean('vus_roc'), auc_roc: mean('auc_roc') }
}

function blameOf(cases: readonly { readonly share: number; readonly first: boolean }[]) {
  const mean = (of: (one: (typeof cases)[number]) => number) =>
    round(cases.reduce((s, c) => s + of(c), 0) / cases.length)
  return { cases: cases.length, in_top_3: mean(c => c.share), first: mean(c => Number(c.first)) }
}

function rounded(values: Measures): Measures {
  const entries = measures.map(key => [key, round(values[key])] as const)
  return Object.fromEntries(entries) as Record<(typeof measures)[number], number>
}

function round(value: number): number {
  return Number(value.toFixed(3))
}
