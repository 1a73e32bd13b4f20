// `node bench/disks/train.ts`: trains the model that the collector runs (hds_train) and its twin for the split by time
// (both files, before day 750), and writes both with where they come from. Same data, same seed: the same text.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { features } from '../../judge/disks/features.ts'
import { falsePositiveRate, type Level, levels, type Model, pack } from '../../judge/disks/model.ts'
import { type Forest, logOdds } from '../../judge/disks/trees.ts'
import { bin } from './bins.ts'
import { type Drive, dataFolder, readAll } from './data.ts'
import { type Growth, grow } from './grow.ts'
import { figuresOf, judge } from './judged.ts'
import { thresholdAt } from './measures.ts'
import { sample } from './sample.ts'
import type { Table } from './snapshots.ts'

export const growth: Growth = {
  trees: 240,
  rate: 0.05,
  leaves: 16,
  leastHessian: 2,
  leastGain: 0.01,
  ridge: 5,
  features: 0.3,
  rows: 0.7,
  bins: 64,
  seed: 1,
}

/** The split by time: trained before the first, tested from the second on. */
export const splitDays = { before: 750, from: 780 }

/** One drive in so many is kept back to calibrate. */
const keptBack = 5

export interface Plan {
  readonly before: number
  readonly growth: Growth
}

export function trainModel(drives: readonly Drive[], { before, growth }: Plan, about: Model['about']): Model {
  const back = (_: Drive, n: number) => n % keptBack === 0
  const judged = drives.filter(back)
  const trial = growOn(
    drives.filter((drive, n) => !back(drive, n)),
    before,
    growth,
  )
  const fitted = calibrate(trial, judged, before)
  return { forest: growOn(drives, before, growth), ...fitted, about: { ...about, drives: drives.length } }
}

export function growOn(drives: readonly Drive[], before: number, growth: Growth): Forest {
  return growFrom(sample(drives, { before, seed: growth.seed }), growth)
}

export function growFrom(table: Table, growth: Growth): Forest {
  const { x, width, y, weight } = table
  const data = { x, width, y, weight, directions: features.map(f => f.direction) }
  return grow(data, bin(data, growth.bins), growth)
}

/** Platt's: log-odds as a straight line of what the forest says, by Newton steps. */
function calibrate(
  forest: Forest,
  drives: readonly Drive[],
  before: number,
): Pick<Model, 'slope' | 'offset' | 'limits'> {
  const { scores, labels } = judge(drives, x => logOdds(forest, x), 0, before)
  let slope = 1
  let offset = 0
  for (let step = 0; step < 20; step++) {
    let [gs, go, ss, so, oo] = [0, 0, 1e-9, 0, 1e-9]
    scores.forEach((s, n) => {
      const p = 1 / (1 + Math.exp(-offset - slope * s))
      const missed = labels[n]! - p
      const h = p * (1 - p)
      gs += missed * s
      go += missed
      ss += h * s * s
      so += h * s
      oo += h
    })
    const det = ss * oo - so * so
    slope += (gs * oo - go * so) / det
    offset += (go * ss - gs * so) / det
  }
  const sound = Float64Array.from(scores.filter((_, n) => labels[n] === 0))
  const limits = levels.map(level => [level, offset + slope * thresholdAt(sound, falsePositiveRate[level])])
  return { slope, offset, limits: Object.fromEntries(limits) as Record<Level, number> }
}

async function main(): Promise<void> {
  const train = await readAll(join(dataFolder(), 'hds_train.csv.gz'))
  const dev = await readAll(join(dataFolder(), 'hds_dev.csv.gz'))
  const date = new Date().toISOString().slice(0, 10)
  const source = 'Backblaze Drive Stats 2013-04-10 .. 2016-09-30 by the R package dynamichazard'
  const common = { source, date, seed: growth.seed, trees: growth.trees, leaves: growth.leaves }
  const byDrive = trainModel(train, { before: 2000, growth }, { ...common, file: 'hds_train' })
  keep('judge/disks/weights.ts', byDrive, figures(byDrive, dev))
  const byTime = trainModel(
    [...train, ...dev],
    { before: splitDays.before, growth },
    { ...common, file: 'hds_train, hds_dev' },
  )
  keep('bench/disks/weights-by-time.ts', byTime, figures(byTime, [...train, ...dev], splitDays.from))
}

function figures({ forest }: Model, drives: readonly Drive[], from = 0): Record<string, number> {
  const all = Object.entries(figuresOf(judge(drives, x => logOdds(forest, x), from)))
  return Object.fromEntries(all.map(([key, value]) => [key, Number(value.toFixed(4))]))
}

function keep(file: string, model: Model, found: Record<string, number>): void {
  console.log(file, found)
  const text = pack({ ...model, about: { ...model.about, ...found } })
  const head = '// Written by `node bench/disks/train.ts`; what it was made of and how good it is stand at its end.\n\n'
  const path = fileURLToPath(new URL(`../../${file}`, import.meta.url))
  writeFileSync(path, `${head}export const weights =\n  '${text}'\n`)
}

if (import.meta.main) await main()
