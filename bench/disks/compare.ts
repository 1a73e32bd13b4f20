// The rivals on the same snapshots: a rule, a hazard model, an LSTM, boosted trees with and without directions; other
// seeds; and trees that never saw the vendor they are asked about.

import { features } from '../../judge/disks/features.ts'
import { logOdds } from '../../judge/disks/trees.ts'
import { median, table } from '../process.ts'
import { bin } from './bins.ts'
import type { Drive } from './data.ts'
import { grow } from './grow.ts'
import { figuresOf, type Judge, type Judged, judge } from './judged.ts'
import { covariates, dot, fitHazard, width } from './rivals/hazard.ts'
import { judgeByLstm } from './rivals/lstm-judge.ts'
import { byRule } from './rivals/rule.ts'
import { sample } from './sample.ts'
import { growth, splitDays } from './train.ts'

interface Split {
  readonly name: 'by_drive' | 'by_time'
  readonly train: readonly Drive[]
  readonly before: number
  readonly test: readonly Drive[]
  readonly from: number
}

export async function compare(
  train: readonly Drive[],
  dev: readonly Drive[],
  seeds: number,
): Promise<Record<string, unknown>> {
  const all = [...train, ...dev]
  const splits: Split[] = [
    { name: 'by_drive', train, before: 2000, test: dev, from: 0 },
    { name: 'by_time', train: all, before: splitDays.before, test: all, from: splitDays.from },
  ]
  const found: Record<string, unknown> = {}
  for (const split of splits) found[`${split.name}_seeds`] = compareOn(split, seeds)
  table(['ST', 'HGST', 'WDC'].map(vendor => without(vendor, train, dev)))
  return found
}

function compareOn(split: Split, seeds: number): Record<string, number[]> {
  const rows = sample(split.train, { before: split.before, seed: growth.seed })
  const hazard = fitHazard(rows)
  const x = new Float64Array(width)
  const told: Record<string, string | number>[] = []
  const say = (name: string, judged: Judged, limit = Math.log(9)) => {
    const figures = figuresOf(judged)
    told.push({ [split.name]: name, ...shortened(figures), 'warned of': above(judged, limit) })
    return figures
  }
  const on = (score: Judge) => judge(split.test, score, split.from)
  say(
    'rule of thumb',
    on((_, past) => byRule(past)),
    0.5,
  )
  say(
    'hazard',
    on(row => dot(hazard, covariates(row, x))),
  )
  say('LSTM', judgeByLstm(split.train, split.before, split.test, split.from))
  say('trees, free', on(treesOf(split, growth.seed, 'free')))
  const spread = Array.from({ length: seeds }, (_, n) => {
    const seed = growth.seed + 1 + n
    return say(`trees, seed ${seed}`, on(treesOf(split, seed, 'directed')))
  })
  table(told)
  const keys = Object.keys(spread[0] ?? {})
  return Object.fromEntries(keys.map(key => [key, spreadOf(spread.map(figures => figures[key]!))]))
}

/** Least, middle, most. */
function spreadOf(values: readonly number[]): number[] {
  return [Math.min(...values), median(values), Math.max(...values)].map(value => Number(value.toFixed(4)))
}

function treesOf({ train, before }: Split, seed: number, directed: 'directed' | 'free'): Judge {
  const { x, width, y, weight } = sample(train, { before, seed })
  const directions = features.map(f => (directed === 'directed' ? f.direction : 0))
  const forest = grow({ x, width, y, weight, directions }, bin({ x, width, y }, growth.bins), { ...growth, seed })
  return row => logOdds(forest, row)
}

function shortened(figures: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(figures).map(([key, value]) => [key, Number(value.toFixed(3))]))
}

/** Recall and false-positive rate of those above: of a probability of 0.9, as the field warns, or of the rule. */
function above({ scores, labels }: Judged, limit: number): string {
  const share = (label: 0 | 1) => {
    const those = scores.filter((_, n) => labels[n] === label)
    return those.filter(score => score > limit).length / those.length
  }
  return `${share(1).toFixed(3)} at ${share(0).toFixed(4)}`
}

/** Trained on the others' drives, asked about this vendor's. */
function without(vendor: string, train: readonly Drive[], dev: readonly Drive[]) {
  const others = train.filter(drive => drive.vendor !== vendor)
  const split: Split = { name: 'by_drive', train: others, before: 2000, test: dev, from: 0 }
  const judged = judge(
    dev.filter(drive => drive.vendor === vendor),
    treesOf(split, growth.seed, 'directed'),
  )
  return { 'trained without': vendor, ...shortened(figuresOf(judged)) }
}
