// Which moments a model learns from. Drives are asked every 10 days, and every 5 in their last 40; each failing drive
// counts as one positive. Of moments in which nothing ever happened a few stand for all: they are weighted up.

import { day, type Past } from '../../judge/disks/past.ts'
import { damage } from '../../judge/disks/reading.ts'
import type { Drive } from './data.ts'
import { random } from './random.ts'
import { horizon, labelAt, replay, Table } from './snapshots.ts'

const step = 10
const lastDay = 1268
const shares = { recent: 1, sick: 0.3, sound: 0.06 }

export interface Part {
  /** Moments before this day only. */
  readonly before: number
  readonly seed: number
}

export function sample(drives: readonly Drive[], { before, seed }: Part): Table {
  const rng = random(seed)
  const table = new Table()
  for (const drive of drives) {
    const days = daysOf(drive, Math.min(before, lastDay), Math.floor(rng() * step))
    replay(drive, days, (past, time, at) => {
      const y = labelAt(drive, at)
      if (y === undefined) return
      const share = y === 1 ? 1 : shares[stateOf(past, time)]
      if (rng() >= share) return
      table.add(past, time, at, drive, y, (y === 1 ? step / 2 : step) / horizon / share)
    })
  }
  return table
}

function daysOf(drive: Drive, before: number, phase: number): number[] {
  const days: number[] = []
  for (let at = 30 + phase; at < Math.min(drive.to, before); at += drive.failed && drive.to - at < 40 ? step / 2 : step)
    if (at >= drive.from + 1) days.push(at)
  return days
}

function stateOf(past: Past, time: number): keyof typeof shares {
  const seen = damage.map(name => past.counts[name]).filter(count => count !== undefined)
  if (seen.some(({ risen }) => risen !== null && time - risen < 130 * day)) return 'recent'
  return seen.some(({ value }) => value > 0) ? 'sick' : 'sound'
}
