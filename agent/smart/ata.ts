// What a report has of an ATA drive: the attributes of SMART, the device statistics (ACS-4, 9.5) and its logs.

import type { Fields } from './fields.ts'
import { metrics } from './metrics.ts'
import { unpack } from './raw.ts'
import { severityOf, type TestState, tellSelfTest } from './self-test.ts'
import { type Counter, defined, type Entry, type Told } from './told.ts'
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

export function tellAta(report: Fields, told: Told): void {
  attributes(report, told)
  statistics(report, told)
  errorLog(report.map('ata_smart_error_log'), told)
  selfTests(report, told)
  told.value(metrics.defects, report.map('ata_pending_defects_log').count('count'), pending)
  link(report.map('interface_speed'), told)
}

const [pending, read, write] = [
  { 'hw.physical_disk.defect': 'pending' },
  { 'disk.io.direction': 'read' },
  { 'disk.io.direction': 'write' },
]

function attributes(report: Fields, told: Told): void {
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

/** The normalized values of these are percents of what is left, from 100 down. */
function wear(name: string, one: Fields, told: Told): void {
  const [percent, thresh] = [one.count('value'), one.count('thresh')]
  if (percent === undefined || percent > 100) return
  if (life.test(name)) tellWear(told, 100 - percent)
  if (reserve.test(name)) tellSpare(told, percent, thresh)
}

function watch(id: number, name: string): Growth | undefined {
  const byNumber = otherwise[id]?.test(name) === true ? undefined : watched[id]
  const isNamed = failures.some(pattern => pattern.test(name))
  return byNumber ?? (isNamed ? { severity: 'warning', falls: false } : undefined)
}

function isSeagateDisk(report: Fields): boolean {
  const [model = '', family = ''] = [report.text('model_name'), report.text('model_family')]
  const rotates = (report.number('rotation_rate') ?? 0) > 0
  return rotates && (/^ST\d{2,}/.test(model) || /^Seagate /.test(`${family} `))
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
  if (unit !== undefined && !direct && sectors(report, direction) === undefined) {
    told.value(metrics.io, value * unit, direction)
  }
}

function lba(what: string, known: boolean, report: Fields): number | undefined {
  return known && what.startsWith('LBAs') ? report.count('logical_block_size') : undefined
}

/** The page of general statistics, ACS-4 table 246. */
function sectors(report: Fields, direction: typeof read): number | undefined {
  const name = direction === write ? 'Logical Sectors Written' : 'Logical Sectors Read'
  const general = report
    .map('ata_device_statistics')
    .list('pages')
    .find(p => p.count('number') === 1)
  const found = general?.list('table').find(s => s.text('name') === name)
  return found !== undefined && isValid(found) ? found.count('value') : undefined
}

/** Names as smartctl has them. */
const defects: Readonly<Record<string, string>> = {
  'Number of Reallocated Logical Sectors': 'grown',
  'Number of Realloc. Candidate Logical Sectors': 'pending',
}
const errorTypes: Readonly<Record<string, string>> = {
  'Number of Reported Uncorrectable Errors': 'uncorrected',
  'Number of Interface CRC Errors': 'crc',
}

function statistics(report: Fields, told: Told): void {
  const met = new Set<string>()
  for (const page of report.map('ata_device_statistics').list('pages')) {
    for (const one of page.list('table')) {
      const name = one.text('name')
      const value = isValid(one) ? one.number('value') : undefined
      if (name === undefined || value === undefined || met.has(name)) continue
      met.add(name)
      statistic(name, value, told)
    }
  }
  const block = report.count('logical_block_size')
  if (block === undefined) return
  for (const direction of [read, write]) {
    const count = sectors(report, direction)
    if (count !== undefined) told.value(metrics.io, count * block, direction)
  }
}

function statistic(name: string, value: number, told: Told): void {
  told.value(metrics.statistic, value, { 'hw.physical_disk.statistic': name })
  if (name === 'Percentage Used Endurance Indicator') tellWear(told, value)
  const defect = defects[name]
  const type = errorTypes[name]
  if (defect !== undefined) {
    told.value(metrics.defects, value, { 'hw.physical_disk.defect': defect })
    told.counter({ key: name, name, severity: 'warning', falls: defect === 'pending' }, value)
  }
  if (type !== undefined) {
    told.value(metrics.errors, value, { 'error.type': type })
    told.counter({ key: name, name, severity: type === 'crc' ? 'warning' : 'error', falls: false }, value)
  }
}

function isValid(statistic: Fields): boolean {
  return statistic.map('flags').flag('valid') === true
}

function errorLog(log: Fields, told: Told): void {
  const found = ['extended', 'summary'].filter(key => log.has(key)).map(key => log.map(key))
  const count = found.map(l => l.count('count')).find(c => c !== undefined)
  told.value(metrics.errors, count, { 'error.type': 'logged' })
  const first = found.find(l => l.count('count') !== undefined)
  if (first !== undefined) told.entries('errors', first.list('table').map(loggedError))
}

function loggedError(error: Fields): Entry {
  const registers = error.map('completion_registers')
  const [number, hours] = [error.count('error_number'), error.count('lifetime_hours')]
  const body = defined({
    error_number: number,
    lifetime_hours: hours,
    description: error.text('error_description'),
    lba: registers.count('lba'),
    error_register: registers.count('error'),
    status_register: registers.count('status'),
    command: error.list('previous_commands')[0]?.text('command_name'),
  })
  return { key: `${number}:${hours}`, severity: 'error', body }
}

/** The results of ACS-4 table A.14: from 3 on the test found something; 1 and 2 say that it was stopped. */
function selfTests(report: Fields, told: Told): void {
  const log = report.map('ata_smart_self_test_log')
  const kind = ['extended', 'standard'].find(key => log.has(key))
  const tests = kind === undefined ? [] : log.map(kind).list('table')
  const done = tests.filter(t => result(t.map('status')) !== running)
  if (kind !== undefined) told.entries('self_tests', done.map(loggedTest))
  const status = report.map('ata_smart_data').map('self_test').map('status')
  // Of one that passed the status says the same as where there never was any.
  const last = result(status) || (done[0] && result(done[0].map('status')))
  tellSelfTest(told, last === undefined ? undefined : outcome(last), status.number('remaining_percent'))
}

const running = 15

/** 0 to 15, the upper half of the status. */
function result(status: Fields): number | undefined {
  const value = status.count('value')
  return value === undefined || value > 255 ? undefined : value >> 4
}

function outcome(code: number): TestState {
  if (code === running) return 'running'
  if (code === 0) return 'passed'
  return code < 3 ? 'aborted' : 'failed'
}

function loggedTest(test: Fields): Entry {
  const code = result(test.map('status'))
  const body = defined({
    type: test.map('type').text('string'),
    status: test.map('status').text('string'),
    lifetime_hours: test.count('lifetime_hours'),
    lba: test.count('lba'),
  })
  return {
    key: Object.values(body).join(':'),
    severity: severityOf(code === undefined ? undefined : outcome(code)),
    body,
  }
}

function link(speed: Fields, told: Told): void {
  const rate = (which: string): number | undefined => {
    const [bits, units] = [speed.map(which).count('bits_per_unit'), speed.map(which).count('units_per_second')]
    return bits === undefined || units === undefined ? undefined : (bits * units) / 8
  }
  told.value(metrics.linkSpeed, rate('current'))
  told.value(metrics.linkSpeedLimit, rate('max'))
}
