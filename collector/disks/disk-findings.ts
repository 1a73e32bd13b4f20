// A drive's alarms as findings: what they are about, what they say, and the numbers they rest on.

import type { Attributes, Finding, Series, Severity } from '../../core/model.ts'
import { type Alarm, gradeOf } from '../../judge/disks/alarm.ts'
import { type Drive, holds, type Rule } from '../../judge/disks/drive.ts'
import { factsOf } from '../../judge/disks/facts.ts'
import { day, grownWithin } from '../../judge/disks/past.ts'
import { damage } from '../../judge/disks/reading.ts'

/** What the collector adds to what a drive tells: its score, once a day and whenever it is scored. */
export function probabilityOf(drive: Drive): Series {
  return about(drive, 'hw.physical_disk.failure_probability', {})
}

function about({ hardware, who, simulated }: Drive, name: string, more: Attributes): Series {
  const { vendor, model, serial } = who
  const attributes = {
    'hw.id': hardware,
    'hw.type': 'physical_disk',
    ...(vendor !== undefined && { 'hw.vendor': vendor }),
    ...(model !== undefined && { 'hw.model': model }),
    ...(serial !== undefined && { 'hw.serial_number': serial }),
    ...more,
    ...(simulated && { simulated }),
  }
  return { name, unit: '1', kind: 'gauge', attributes }
}

/** A series of the drive: it tells its findings from those of another drive of the node. */
export function subjectOf(drive: Drive, rule: Rule): Series {
  if (rule === 'disk-failing') return probabilityOf(drive)
  if (rule === 'disk-self-reported') return about(drive, 'hw.status', { 'hw.state': 'ok' })
  return about(drive, 'hw.physical_disk.endurance_utilization', { 'hw.physical_disk.state': 'used' })
}

export function findingOf(drive: Drive, rule: Rule, alarm: Alarm): Finding {
  const severity: Severity = gradeOf(alarm, drive.at, holds[rule]) ?? 'warning'
  const subject = { node: drive.home.node, series: subjectOf(drive, rule) }
  const { who, home, id } = drive
  const name = [home.device, who.model, who.serial].filter(Boolean).join(' ') || id
  const evidence = { ...evidenceOf(drive, rule), disk: id }
  const message = `${name}: ${sentenceOf(drive, rule)}`
  return { rule, kind: rule, subject, severity, since: alarm.since, message, evidence }
}

function sentenceOf(drive: Drive, rule: Rule): string {
  if (rule === 'disk-failing') return drive.assessment?.sentence ?? ''
  if (rule === 'disk-worn') return drive.worn?.sentence ?? ''
  const facts = factsOf(drive.said, drive.media, drive.at)
  return facts.length === 0
    ? 'what it said of itself is over, since less than a day'
    : facts.map(f => f.words).join('; ')
}

function evidenceOf(drive: Drive, rule: Rule): Finding['evidence'] {
  const { assessment, worn, said } = drive
  if (rule === 'disk-failing') {
    const odds = assessment?.known ? { probability: assessment.probability, trend: assessment.trend } : {}
    return { ...odds, ...countsOf(drive) }
  }
  if (rule === 'disk-worn') {
    return { used: said.used ?? 0, ...(worn?.known && worn.at !== undefined && { worn_out: dateOf(worn.at) }) }
  }
  const told = (['spare', 'spare_limit', 'media_errors'] as const).flatMap(word => {
    const value = said[word]
    return value === undefined ? [] : [[word, value] as const]
  })
  return Object.fromEntries(told)
}

function countsOf({ past, at }: Drive): Finding['evidence'] {
  const told = damage.flatMap(name => {
    const count = past.counts[name]
    if (count === undefined || count.value === 0) return []
    return [[name, count.value] as const, [`${name}_grown_30d`, grownWithin(count, at, 30 * day)] as const]
  })
  return Object.fromEntries(told)
}

function dateOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10)
}
