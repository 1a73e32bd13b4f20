// Trains and asks the LSTM. It learns from a balanced sample: every positive moment, repeated until they
// are as many as the others, of which one in a hundred is taken.

import { begin, day, observe } from '../../../judge/disks/past.ts'
import { type Drive, epoch } from '../data.ts'
import type { Judged } from '../judged.ts'
import { random } from '../random.ts'
import { labelAt, scoredDays } from '../snapshots.ts'
import { days, metrics, metricsOf, type Sequences, trainLstm } from './lstm.ts'

const epochs = 6
const seed = 1
/** Of the moments without failure, so many are looked at for the sample. */
const share = 0.01

/** The last 30 days before `at`, a reading a day; nothing dated later is read. */
function sequenceOf(drive: Drive, at: number): Float32Array {
  const x = new Float32Array(days * metrics)
  const past = begin()
  let next = 0
  for (let d = 0; d < days; d++) {
    const time = epoch + (at - days + 1 + d) * day
    while (next < drive.readings.length && drive.readings[next]!.time < time) observe(past, drive.readings[next++]!)
    if (next > 0) metricsOf({ ...past, hours: past.hours! + (time - past.time) / 3_600_000 }, x, d * metrics)
  }
  return x
}

function sequences(drives: readonly Drive[], before: number): Sequences {
  const rng = random(seed)
  const x: Float32Array[] = []
  const y: number[] = []
  for (const drive of drives) {
    for (const at of scoredDays(drive)) {
      const label = labelAt(drive, at)
      if (at >= before || label === undefined || (label === 0 && rng() > share)) continue
      x.push(sequenceOf(drive, at))
      y.push(label)
    }
  }
  const positives = y.flatMap((label, n) => (label === 1 ? [n] : []))
  const others = y.flatMap((label, n) => (label === 0 ? [n] : []))
  const kept = [...others, ...Array.from(others, (_, n) => positives[n % positives.length]!)]
  return { x: kept.map(n => x[n]!), y: kept.map(n => y[n]!) }
}

export function judgeByLstm(train: readonly Drive[], before: number, test: readonly Drive[], from: number): Judged {
  const lstm = trainLstm(sequences(train, before), epochs, seed)
  const judged: Judged = { scores: [], labels: [], days: [], drives: [] }
  for (const drive of test) {
    for (const at of scoredDays(drive)) {
      const label = labelAt(drive, at)
      if (at < from || label === undefined) continue
      judged.scores.push(lstm.run(sequenceOf(drive, at)))
      judged.labels.push(label)
      judged.days.push(at)
      judged.drives.push(drive)
    }
  }
  return judged
}
