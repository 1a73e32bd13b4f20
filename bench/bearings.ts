// Since when a bearing is worn and how long it lasts: the detector `remaining-useful-life` on bearings run to failure, one
// sample at a time. What is learned of the others (the level at the end) is learned without the bearing judged. Rivals see
// the same moments. `--data FILE` (FIELDLINE_DATA/bearings/features_10s.csv.gz) of that shape, `--feature NAME` (rms_h: the
// direction of the load) for the rivals and the figures at the end.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Forecast } from '../judge/detect/rul-forecast.ts'
import { type Bearing, readBearings } from './bearings/data.ts'
import { type Figures, measure, round, shares, shown, type Told } from './bearings/measures.ts'
import { foretold, type Moment, moments, type Run, replay } from './bearings/replay.ts'
import { mean, rivals } from './bearings/rivals.ts'
import { median, table } from './process.ts'

type Say = (moment: Moment, others: readonly Run[]) => Partial<Forecast> | undefined

/** A spread cannot be learned from fewer. */
const fewest = 3

export async function run(args: readonly string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({
    args: [...args],
    options: { data: { type: 'string' }, feature: { type: 'string', default: 'rms_h' } },
  })
  const file = values.data ?? join(process.env.FIELDLINE_DATA ?? '../shared/data', 'bearings/features_10s.csv.gz')
  if (!existsSync(file)) {
    console.log(`no data: ${file} is absent (FIELDLINE_DATA names the folder with bearings/ in it)`)
    return { absent: true }
  }
  const bearings = readBearings(file)
  const features = [...(bearings[0]?.features.keys() ?? [])]
  if (!features.includes(values.feature)) throw new Error(`${file} has no feature ${values.feature}`)
  table(features.map(feature => featureRow(bearings, feature)))
  const runs = bearings.map(bearing => replay(bearing, values.feature))
  table(runs.map(one => bearingRow(one, values.feature)))
  const compared = compare(runs, values.feature)
  table(Object.entries(compared).map(([name, figures]) => figuresRow(name, figures)))
  const { told, always, learned, ...others } = compared
  return { feature: values.feature, ...onsets(runs), ...told, always, learned, rivals: others }
}

/** What the detector says by itself; what it would have said where it says that it is unknown; and so on. */
const ours: Readonly<Record<string, Say>> = {
  told: moment => grounded(foretold(moment)),
  always: moment => foretold(moment),
  learned: (moment, others) => grounded(foretold(moment, learnEnd(others))),
}

function grounded(forecast: Forecast): Forecast | undefined {
  return forecast.groundless === undefined ? forecast : undefined
}

function learnEnd(others: readonly Run[]) {
  if (others.length < fewest) return undefined
  const rises = others.map(({ rise }) => rise)
  const middle = mean(rises)
  const variance = rises.reduce((sum, rise) => sum + (rise - middle) ** 2, 0) / (rises.length - 1)
  return { mean: middle, deviation: Math.sqrt(variance) }
}

function compare(runs: readonly Run[], feature: string): Record<string, Figures> {
  const stood = runs.filter(({ told }) => told !== undefined)
  const all = stood.flatMap(one => moments(one, feature, shares))
  const judged = (say: Say): readonly Told[] =>
    all.map(moment => {
      const others = stood.filter(other => other !== moment.run)
      return { share: moment.share, left: moment.left, said: say(moment, others) }
    })
  const sayings = stood.length > 1 ? { ...ours, ...rivals } : { told: ours.told!, always: ours.always! }
  return Object.fromEntries(Object.entries(sayings).map(([name, say]) => [name, measure(judged(say))]))
}

function onsets(runs: readonly Run[]) {
  const leads = runs.filter(({ told }) => told !== undefined).map(leadOf)
  const days = runs.reduce((sum, { times }) => sum + (times.at(-1)! - times[0]!) / 86_400_000, 0)
  const falseOnsets = runs.reduce((sum, one) => sum + one.falseOnsets, 0)
  return {
    bearings: runs.length,
    onsets: leads.length,
    false_onsets: falseOnsets,
    false_onsets_a_day: round(falseOnsets / days),
    lead_s: round(median(leads.map(([seconds]) => seconds)), 0),
    lead_least_s: Math.min(...leads.map(([seconds]) => seconds)),
    lead_share: round(median(leads.map(([, share]) => share)), 3),
  }
}

/** Between onset told and end of life: seconds, and the share of life. */
function leadOf({ times, told }: Run): readonly [number, number] {
  const end = times.at(-1)!
  return [(end - times[told!]!) / 1000, (end - times[told!]!) / (end - times[0]!)]
}

function featureRow(bearings: readonly Bearing[], feature: string) {
  const runs = bearings.map(bearing => replay(bearing, feature))
  const compared = compare(runs, feature)
  return { feature, ...onsets(runs), log_error: compared.told?.log_error ?? 0, told: compared.told?.told ?? 0 }
}

function bearingRow(run: Run, feature: string): Record<string, string | number> {
  const head = { bearing: run.bearing, life_s: (run.times.at(-1)! - run.times[0]!) / 1000, false: run.falseOnsets }
  if (run.told === undefined) return { ...head, lead_s: '-' }
  const [seconds, share] = leadOf(run)
  const cells = moments(run, feature, shown).map(moment => [`at ${moment.share * 100} %`, cell(moment)] as const)
  const end = round(Math.exp(run.rise), 1)
  return { ...head, 'end x healthy': end, lead_s: seconds, lead_share: round(share, 3), ...Object.fromEntries(cells) }
}

/** True: foretold (from .. to), seconds. */
function cell(moment: Moment): string {
  const { from, at, to, groundless } = foretold(moment)
  const [left, low, middle, high] = [moment.left, from, at, to].map(value => Math.round(value / 1000))
  return groundless === undefined ? `${left}: ${middle} (${low} .. ${high})` : `${left}: unknown`
}

function figuresRow(name: string, { relative_error, coverage, ...rest }: Figures) {
  return { forecast: name, ...relative_error, ...rest, coverage: coverage ?? '-' }
}
