// The attributes of ATA SMART. Their numbers have no standard: what one counts, and how, differs with the vendor.

import type { Fields } from './fields.ts'
import { metrics } from './metrics.ts'
import { unpack } from './raw.ts'
import { isSaid, read, write } from './statistics.ts'
import type { Counter, Told } from './told.ts'
import { tellSpare, tellWear } from './wear.ts'

type Growth = Pick<Counter, 'severity' | 'falls'>

/** Attributes whose growth is news; of the others many drives count what is part of normal life. */
const watched: Readonly<Record<number, Growth>> = {
  5: { severity: 'warning', falls: false },
  10: { severity: 'warning', falls: false },
  184: { severity: 'error', falls: false },
  187: { severity: 'error', falls: false },
  188: { severity: 'warning', falls: false },
  196: { severity: 'warning', falls: false },
  197: { severity: 'warning', falls: true },
  198: { severity: 'error', falls: true },
  199: { severity: 'warning', falls: false },
}
/** Those whose numbers differ with the vendor. */
const failures = [
  /^(Program|Erase)_Fail_(Count|Cnt|Ct)(_Total|_Chip)?$/,
  /^Runtime_Bad_Block$/,
  /^Grown_(Bad|Failing)_Block_(Ct|Count)$/,
]
/** What drives of other vendors keep under the number of a watched one; it is no count of errors. */
const otherwise: Readonly<Record<number, RegExp>> = {
  5: /_Rate$/,
  196: /^(Spare_Blocks|.*Erase)/,
  199: /^(?!.*(CRC|DMA))/,
}

export function tellAttributes(report: Fields, told: Told): void {
  const seagateDisk = isSeagateDisk(report)
  const met = new Set<number>()
  for (const one of report.map('ata_smart_attributes').list('table')) {
    const id = one.count('id')
    if (id === undefined || id === 0 || id > 255 || met.has(id)) continue
    met.add(id)
    attribute(id, one, seagateDisk, report, told)
  }
}

function attribute(id: number, one: Fields, seagateDisk: boolean, report: Fields, told: Told): void {
  const name = one.text('name') ?? 'Unknown_Attribute'
  const of = { 'hw.physical_disk.smart_attribute': name, 'hw.physical_disk.smart_id': id }
  const raw = one.map('raw').count('value')
  const text = one.map('raw').text('string')
  const value = raw === undefined ? undefined : unpack(id, text ?? String(raw), raw, seagateDisk)
  told.value(metrics.smart, value, of)
  told.value(metrics.smartRaw, raw, of)
  told.value(metrics.smartNormalized, one.count('value'), of)
  const growth = watch(id, name)
  if (growth !== undefined) told.counter({ key: String(id), name: `${id} ${name}`, ...growth }, value)
  if (one.text('when_failed') === 'now') {
    const failing = one.map('flags').flag('prefailure') === true
    told.is(failing ? 'predicted_failure' : 'degraded', `attribute ${id} ${name} is below its threshold`)
  }
  written(id, name, value, report, told)
  wear(name, one, told)
}

const life = /^(Media_Wearout_Indicator|SSD_Life_Left|Percent_Life(time)?_Remain(ing)?|Remaining_Lifetime_Perc)$/
const reserve = /^(Available_Reservd_Space|Available_Reserved_Space)$/

/**
 * The normalized values of these are percents of what is left, from 100 down. Some drives say it in the raw value and leave
 * the normalized one alone: where the two do not agree nobody knows.
 */
function wear(name: string, one: Fields, told: Told): void {
  const [percent, raw] = [one.count('value'), one.map('raw').count('value')]
  if (percent === undefined || percent > 100 || raw === undefined) return
  const isSilent = raw === 0 && name !== 'SSD_Life_Left'
  if (!isSilent && raw !== percent && raw !== 100 - percent) return
  if (life.test(name)) tellWear(told, 100 - percent)
  if (reserve.test(name)) tellSpare(told, percent, one.count('thresh'))
}

function watch(id: number, name: string): Growth | undefined {
  const byNumber = otherwise[id]?.test(name) === true ? undefined : watched[id]
  const isNamed = failures.some(pattern => pattern.test(name))
  return byNumber ?? (isNamed ? { severity: 'warning', falls: false } : undefined)
}

const seagate = { model: /^ST\d{2,}/, family: /^Seagate\b/, oui: 0x000c50 }

/** Those before ATA-8 do not say that they rotate; SSDs say that they do not. */
function isSeagateDisk(report: Fields): boolean {
  const [model = '', family = ''] = [report.text('model_name'), report.text('model_family')]
  const isSeagate = seagate.model.test(model) || seagate.family.test(family)
  return (isSeagate || report.map('wwn').count('oui') === seagate.oui) && report.number('rotation_rate') !== 0
}

const units: Readonly<Record<string, number>> = {
  '32MiB': 32 * 1024 ** 2,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  GB: 1e9,
  TB: 1e12,
}

/**
 * Data read and written where the name has its unit, or where the drive is in smartctl's database and its name says LBAs.
 * The device statistics, where they say it, come first.
 */
function written(id: number, name: string, value: number | undefined, report: Fields, told: Told): void {
  if (value === undefined || ![225, 241, 242, 246].includes(id)) return
  const match = /^(?:Host|Lifetime|Total)_(Writes|Reads|LBAs_Written|LBAs_Read)(?:_(32MiB|MiB|GiB|GB|TB))?$/.exec(name)
  if (match === null) return
  const known = report.flag('in_smartctl_database') === true
  const unit = match[2] === undefined ? lba(match[1]!, known, report) : units[match[2]]
  const direction = /^(Writes|LBAs_Written)$/.test(match[1]!) ? write : read
  const direct = told.values.some(v => v.metric === metrics.io && v.attributes === direction)
  if (unit !== undefined && !direct && !isSaid(report, direction)) {
    told.value(metrics.io, value * unit, direction)
  }
}

function lba(what: string, known: boolean, report: Fields): number | undefined {
  return known && what.startsWith('LBAs') ? report.count('logical_block_size') : undefined
}
