// Which drives will fail within 30 days: the committed model on drives it was not trained on (by drive), and its twin on a
// time it was not trained on (by time), replayed through the code that runs in production, one reading after another.
// `--data FILE` scores any file of that shape instead of hds_dev (and the later days of hds_train). `--compare` trains the
// rivals, other seeds (`--seeds N`, 3) and without a vendor each as well: many minutes.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { levels, type Model, unpack } from '../judge/disks/model.ts'
import { calibrated } from '../judge/disks/score.ts'
import { weights } from '../judge/disks/weights.ts'
import { compare } from './disks/compare.ts'
import { dataFolder, readAll } from './disks/data.ts'
import { figuresOf, type Judged, judge, leadAt, only } from './disks/judged.ts'
import type { Figures } from './disks/measures.ts'
import { splitDays } from './disks/train.ts'
import { weights as weightsByTime } from './disks/weights-by-time.ts'
import { table } from './process.ts'

const options = {
  data: { type: 'string' },
  compare: { type: 'boolean', default: false },
  seeds: { type: 'string', default: '3' },
} as const

export async function run(args: readonly string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({ args: [...args], options })
  const file = values.data ?? join(dataFolder(), 'hds_dev.csv.gz')
  if (!existsSync(file)) {
    console.log(`no data: ${file} is absent (FIELDLINE_DATA names the folder with disks/ in it)`)
    return { absent: true }
  }
  const drives = await readAll(file)
  const train =
    values.data !== undefined && !values.compare ? [] : await readAll(join(dataFolder(), 'hds_train.csv.gz'))
  const model = unpack(weights)
  const twin = unpack(weightsByTime)
  const byDrive = judge(drives, x => calibrated(model, x))
  const later = values.data === undefined ? [...train, ...drives] : drives
  const byTime = judge(later, x => calibrated(twin, x), splitDays.from)
  for (const [name, judged] of [
    ['by drive', byDrive],
    ['by time', byTime],
  ] as const)
    show(name, judged)
  table(calibration(byDrive))
  table(levels.map(level => warned(level, model, byDrive)))
  const found = { by_drive: withLead(byDrive), by_time: withLead(byTime) }
  if (!values.compare) return found
  return { ...found, ...(await compare(train, drives, Number(values.seeds))) }
}

function withLead(judged: Judged): Record<string, number> {
  const { share, median_days } = leadAt(judged, 0.005)
  return rounded({ ...figuresOf(judged), lead_median_days: median_days, lead_share: share })
}

function rounded(figures: Figures | Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(figures).map(([key, value]) => [key, Number(value.toFixed(4))]))
}

/** All, each vendor, and the drives that never showed any damage before. */
function show(name: string, judged: Judged): void {
  const vendors = [...new Set(judged.drives.map(drive => drive.vendor))]
  const parts = [
    ['all', judged] as const,
    ...vendors.map(v => [v, only(judged, n => judged.drives[n]!.vendor === v)] as const),
  ]
  table(
    parts.map(([part, those]) => {
      const positives = those.labels.filter(label => label === 1).length
      const head = { [name]: part, snapshots: those.labels.length, positives }
      return positives < 10 ? head : { ...head, ...withLead(those) }
    }),
  )
}

/** What was foretold beside what came, by tenfold steps of probability. */
function calibration({ scores, labels }: Judged): Record<string, string | number>[] {
  const steps = [0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1]
  return steps.slice(1).map((to, k) => {
    const from = steps[k]!
    let [many, foretold, failed] = [0, 0, 0]
    scores.forEach((odds, n) => {
      const p = 1 / (1 + Math.exp(-odds))
      if (p < from || p >= to) return
      many++
      foretold += p
      failed += labels[n]!
    })
    const each = (sum: number) => Number((sum / Math.max(1, many)).toPrecision(3))
    return { 'probability from': from, to, snapshots: many, foretold: each(foretold), failed: each(failed) }
  })
}

/** What the limits kept with the model do on drives that it never saw. */
function warned(level: (typeof levels)[number], { limits }: Model, { scores, labels }: Judged) {
  const share = (label: 0 | 1) => {
    const those = scores.filter((_, n) => labels[n] === label)
    return Number((those.filter(odds => odds > limits[level]).length / those.length).toFixed(4))
  }
  return { level, false_positive_rate: share(0), recall: share(1) }
}
