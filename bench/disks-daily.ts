// What it costs a collector to follow drives, and what it tells of real ones when they are scored every day: drives of
// hds_dev replayed through the collector's code, a report a day. `--hosts N` (500) of 12 drives for the cost,
// `--every N` (8): every so manieth drive for what is told; `--data FILE` another file of that shape.

import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Disks } from '../collector/disks/disks.ts'
import { diskModel } from '../collector/disks/model.ts'
import { openHistory } from '../collector/store/history.ts'
import { Records } from '../collector/store/records.ts'
import { gradeOf } from '../judge/disks/alarm.ts'
import { beginDrive, holds, silence, take } from '../judge/disks/drive.ts'
import type { Model } from '../judge/disks/model.ts'
import { day } from '../judge/disks/past.ts'
import type { Said } from '../judge/disks/report.ts'
import { type Saying, sayingOf } from '../judge/disks/saying.ts'
import { type Drive, dataFolder, readDrives } from './disks/data.ts'
import { table } from './process.ts'

const options = {
  hosts: { type: 'string', default: '500' },
  every: { type: 'string', default: '8' },
  data: { type: 'string' },
} as const

const perHost = 12
const start = Date.UTC(2026, 0, 5)
const reportsADay = 144

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

export async function run(args: readonly string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({ args: [...args], options })
  const model = await diskModel()
  const cost = costOf(model, Number(values.hosts))
  table([cost])
  const file = values.data ?? join(dataFolder(), 'hds_dev.csv.gz')
  if (!existsSync(file)) return { cost, told: { absent: true } }
  const told = await toldOf(model, file, Number(values.every))
  table([told])
  return { cost, told }
}

/** A report of each drive after the other; then the same an hour later, when no score is due. */
function costOf(model: Model, hosts: number): Record<string, number> {
  const folder = mkdtempSync(join(tmpdir(), 'fieldline-disks-'))
  const history = openHistory({ folder, say: () => {}, now: () => start })
  const records = new Records({ db: history.db })
  const judging = { attach: () => {}, step: () => {} }
  const fleet = Array.from({ length: hosts }, (_, n) => hostOf(n))
  const disks = new Disks({ model, history, records, judging })
  const before = heap()
  const days = 35
  const sum = { report: 0, score: 0 }
  for (let n = 0; n < days; n++) {
    sum.score += spent(() => pass(disks, fleet, start + n * day, n))
    sum.score += spent(() => fold(history, disks))
    if (n === 0) continue
    sum.report += spent(() => pass(disks, fleet, start + n * day + 3_600_000, n))
    sum.report += spent(() => fold(history, disks))
  }
  const drives = hosts * perHost
  const bytes = (heap() - before) / drives
  history.close()
  rmSync(folder, { recursive: true })
  const report = (sum.report / (days - 1) / drives) * 1e6
  const score = (sum.score / days / drives) * 1e6 - report
  const fleetOf = 120_000
  return {
    us_per_report: round(report),
    us_per_score: round(score),
    bytes_per_drive: Math.round(bytes),
    cores_for_120000: Number((((report * reportsADay + score) * fleetOf) / 86_400e6).toFixed(4)),
  }
}

const sound: readonly [number, number][] = [
  ...([5, 10, 187, 188, 189, 197, 198] as const).map((id): [number, number] => [id, 0]),
  [12, 7],
  [9, 20_000],
]

function hostOf(host: number): readonly (readonly (readonly [Saying, number])[])[] {
  return Array.from({ length: perHost }, (_, n) => {
    const id = {
      'hw.id': `wwn-0x5000c500${host}x${n}`,
      'hw.type': 'physical_disk',
      'hw.model': 'ST4000DM000',
      'hw.serial_number': `Z${host}${n}`,
    }
    const told = sound.map(
      ([smart, value]) => ['hw.physical_disk.smart', { 'hw.physical_disk.smart_id': smart }, value] as const,
    )
    const size = ['hw.physical_disk.size', { 'hw.physical_disk.type': 'HDD' }, 4e12] as const
    const all = [...told, size, ['hw.physical_disk.awake', { 'hw.name': `/dev/sd${n}` }, 1] as const]
    return all.flatMap(([name, more, value]) => {
      const saying = sayingOf(`store-${host}`, { name, unit: '1', kind: 'gauge', attributes: { ...id, ...more } })
      return saying === undefined ? [] : [[saying, value] as const]
    })
  })
}

function pass(disks: Disks, fleet: readonly ReturnType<typeof hostOf>[], time: number, days: number): void {
  for (const [n, host] of fleet.entries()) {
    for (const drive of host) {
      for (const [saying, value] of drive) disks.step(saying, time, saying.word === 'hours' ? value + days * 24 : value)
    }
    disks.take(`store-${n}`, time)
  }
}

function fold(history: ReturnType<typeof openHistory>, disks: Disks): void {
  history.fold(1, () => disks.write())
  disks.written()
}

/** Findings of `disk-failing` as they open and close, drive by drive. */
async function toldOf(model: Model, file: string, every: number): Promise<Record<string, number>> {
  const sum = { drives: 0, living: 0, living_days: 0, false: 0, false_critical: 0, failed: 0, found: 0, critical: 0 }
  const leads: number[] = []
  let at = 0
  for await (const drive of readDrives(file)) {
    if (at++ % every !== 0) continue
    const { opened, critical, lead, days } = lived(model, drive)
    sum.drives++
    if (drive.failed) {
      sum.failed++
      if (lead !== undefined) sum.found++
      if (critical > 0) sum.critical++
      if (lead !== undefined) leads.push(lead)
    } else {
      sum.living++
      sum.living_days += days
      sum.false += opened
      sum.false_critical += critical
    }
  }
  const years = sum.living_days / 365.25
  return {
    drives: sum.drives,
    drive_years: round(years),
    false_per_1000_drive_years: round((sum.false / years) * 1000),
    false_critical_per_1000_drive_years: round((sum.false_critical / years) * 1000),
    failed: sum.failed,
    open_when_it_failed: round(sum.found / sum.failed, 3),
    ever_critical_of_failed: round(sum.critical / sum.failed, 3),
    median_lead_days: round(leads.sort((a, b) => a - b)[leads.length >> 1] ?? Number.NaN),
  }
}

/** A report a day; `lead`: for how long its finding was open when the drive's record ended. */
function lived(model: Model, { serial, readings, from, to }: Drive) {
  const drive = beginDrive(serial, serial, {}, false, 'a')
  const first = readings[0]!
  const days = Math.floor(to - from)
  let [opened, critical, next, since] = [0, 0, 0, 0]
  let said: Said = {}
  for (let n = 0; n <= days; n++) {
    const time = first.time + n * day
    while (next < readings.length && readings[next]!.time <= time) said = saidOf(readings[next++]!)
    const hours = first.hours! + n * 24
    take(model, drive, {
      node: 'a',
      time,
      received: time,
      said: { ...said, hours },
      medium: 'spinning',
      device: undefined,
    })
    const alarm = drive.alarms['disk-failing']
    if (alarm !== undefined && alarm.since === time) opened++
    if (alarm !== undefined && alarm.since !== since && gradeOf(alarm, time, holds['disk-failing']) === 'critical') {
      since = alarm.since
      critical++
    }
  }
  const last = drive.alarms['disk-failing']
  const lead = last === undefined ? undefined : (drive.at - last.since) / day
  silence(drive)
  return { opened, critical, lead, days }
}

function saidOf({ counts, terabytes }: Drive['readings'][number]): Said {
  return { ...counts, ...(terabytes !== undefined && terabytes > 0 && { bytes: terabytes * 1e12 }) }
}

/** CPU seconds. */
function spent(work: () => void): number {
  const begun = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(begun)
  return (user + system) / 1e6
}

function heap(): number {
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

function round(value: number, places = 1): number {
  return Number(value.toFixed(places))
}
