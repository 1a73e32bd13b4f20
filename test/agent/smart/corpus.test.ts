// Reports of real drives that are not part of the project: FIELDLINE_DATA, by default ../shared/data.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { metrics } from '../../../agent/smart/metrics.ts'
import { parseReport, type Report } from '../../../agent/smart/report.ts'

const folder = join(process.env.FIELDLINE_DATA ?? '../shared/data', 'smartctl')

if (existsSync(folder)) {
  const files = readdirSync(folder).filter(name => name.endsWith('.json'))
  t.test('every report is of a drive, and has no field that is not understood', t => areUnderstood(t, files))
  t.test('no attribute, log page or counter of any report is lost', t => loseNothing(t, files))
  t.test('odd ones are told truthfully', t => areTrue(t, files))
} else t.plan(0, `${folder} is missing: set FIELDLINE_DATA to the folder that has it`)

function reportOf(name: string): Report {
  return parseReport(name, readFileSync(join(folder, name)))
}

function told({ told }: Report): Readonly<Record<string, number>> {
  return Object.fromEntries(
    told.values.map(v => [`${v.metric.name} ${Object.values(v.attributes).join(' ')}`.trim(), v.value]),
  )
}

async function areUnderstood(t: Test, files: readonly string[]): Promise<void> {
  t.ok(files.length > 0)
  for (const name of files) {
    const report = reportOf(name)
    t.strictSame(report.strange, [], name)
    t.match(report.identity?.id, /^(wwn-0x[\da-f]{16}|(ata|nvme|scsi)-\S+)$/, name)
    t.equal(report.asleep, false, name)
    t.equal(report.trouble, undefined, name)
    t.ok(report.told.values.every(v => Number.isFinite(v.value)))
    t.ok(report.told.state !== undefined, `${name} has a verdict`)
  }
}

interface Raw {
  readonly ata_smart_attributes?: { readonly table: readonly Attribute[] }
  readonly ata_smart_error_log?: { readonly summary: { readonly count: number; readonly table?: readonly unknown[] } }
  readonly nvme_smart_health_information_log?: Readonly<Record<string, number | readonly number[]>>
  readonly scsi_error_counter_log?: Readonly<Record<string, Readonly<Record<string, number | string>>>>
  readonly scsi_grown_defect_list?: number
  readonly temperature: { readonly current: number }
  readonly power_on_time?: { readonly hours: number; readonly minutes?: number }
  readonly power_cycle_count?: number
}

interface Attribute {
  readonly id: number
  readonly value: number
  readonly raw: { readonly value: number; readonly string: string }
}

async function loseNothing(t: Test, files: readonly string[]): Promise<void> {
  for (const name of files) {
    const raw = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Raw
    const report = reportOf(name)
    const values = report.told.values
    const has = (what: string, value: number | undefined): void => {
      if (value !== undefined)
        t.ok(
          values.some(v => v.metric.name.includes(what) && near(v.value, value)),
          `${name} ${what} ${value}`,
        )
    }
    for (const { id, value, raw: packed } of raw.ata_smart_attributes?.table ?? []) {
      const of = values.filter(v => v.attributes['hw.physical_disk.smart_id'] === id)
      t.equal(of.find(v => v.metric === metrics.smartRaw)?.value, packed.value, `${name} ${id}`)
      t.equal(of.find(v => v.metric === metrics.smartNormalized)?.value, value, `${name} ${id}`)
      t.ok(
        of.some(v => v.metric === metrics.smart),
        `${name} ${id} ${packed.string} is unpacked`,
      )
    }
    has('hw.temperature', raw.temperature.current)
    has('power_on_time', raw.power_on_time && raw.power_on_time.hours * 3600 + (raw.power_on_time.minutes ?? 0) * 60)
    has('cycles', raw.power_cycle_count)
    has('hw.errors', raw.ata_smart_error_log?.summary.count)
    t.equal(report.told.logs.get('errors')?.length ?? 0, raw.ata_smart_error_log?.summary.table?.length ?? 0, name)
    nvme(has, raw.nvme_smart_health_information_log)
    for (const page of Object.values(raw.scsi_error_counter_log ?? {})) {
      for (const [key, value] of Object.entries(page)) {
        if (key === 'gigabytes_processed') has('io', Number(value) * 1e9)
        else has(key.startsWith('total') ? 'hw.errors' : 'corrections', Number(value))
      }
    }
    has('defects', raw.scsi_grown_defect_list)
  }
}

function near(a: number, b: number): boolean {
  return Math.abs(a - b) <= Math.abs(b) * 1e-12
}

/** Each key of the log, in base units. */
const health: Readonly<Record<string, readonly [string, number]>> = {
  available_spare: ['spare', 1 / 100],
  available_spare_threshold: ['spare.limit', 1 / 100],
  controller_busy_time: ['busy_time', 60],
  critical_comp_time: ['hot_time', 60],
  data_units_read: ['io', 512_000],
  data_units_written: ['io', 512_000],
  host_reads: ['operations', 1],
  host_writes: ['operations', 1],
  media_errors: ['hw.errors', 1],
  num_err_log_entries: ['hw.errors', 1],
  percentage_used: ['endurance', 1 / 100],
  power_cycles: ['cycles', 1],
  power_on_hours: ['power_on_time', 3600],
  temperature: ['hw.temperature', 1],
  unsafe_shutdowns: ['unsafe_shutdowns', 1],
  warning_temp_time: ['hot_time', 60],
}

function nvme(has: (what: string, value: number) => void, log: Raw['nvme_smart_health_information_log']): void {
  for (const [key, value] of Object.entries(log ?? {})) {
    if (key === 'critical_warning') continue
    if (typeof value !== 'number') for (const degrees of value) has('hw.temperature', degrees)
    else has(health[key]![0], value * health[key]![1])
  }
}

async function areTrue(t: Test, files: readonly string[]): Promise<void> {
  const odd: Readonly<Record<string, (report: Report) => void>> = {
    // A SCSI disk with many errors, and passed all the same.
    'SEAGATE_ST373453LC_26.json': report => {
      t.match(told(report), {
        'hw.errors uncorrected write': 535,
        'hw.errors uncorrected read': 1,
        'hw.physical_disk.defects grown': 260,
        'hw.physical_disk.corrections ecc_fast read': 5330255,
        'hw.physical_disk.io read': 11523.849e9,
        'hw.physical_disk.power_on_time': 102880 * 3600 + 59 * 60,
      })
      t.equal(report.told.state, 'ok')
      t.strictSame(report.identity?.id, 'scsi-SEAGATE_ST373453LC_REDACTED')
    },
    // Critical warning 0x10.
    'nvme-null-SAMSUNG_MZWLL3T2HAJQ-00005-nvme0.json': report => {
      t.match(told(report), { 'hw.physical_disk.warning backup': 1, 'hw.physical_disk.warning spare': 0 })
      t.equal(report.told.state, 'degraded')
      t.strictSame(report.told.reasons, ['the backup of volatile memory failed'])
    },
    // Its error log could not be read (exit status 4): that is not an empty log.
    'sat-Phison_Driven_SSDs-KINGSTON_SA400M8120G-sda.json': report => {
      t.notOk(report.told.logs.has('errors'))
      t.notOk(report.told.values.some(v => v.metric === metrics.errors))
      t.match(told(report), { 'hw.temperature': 38, 'hw.physical_disk.power_on_time': 4994 * 3600 })
    },
    // 12 command timeouts, three times packed; 0 errors in 239 million reads; hours with their fraction.
    'sat-Seagate_Exos_X16-ST16000NM001G-2KK103-sda.json': report => {
      t.match(told(report), {
        'hw.physical_disk.smart Command_Timeout 188': 12,
        'hw.physical_disk.smart.raw Command_Timeout 188': 51540393996,
        'hw.physical_disk.smart Raw_Read_Error_Rate 1': 0,
        'hw.physical_disk.smart.raw Raw_Read_Error_Rate 1': 239307048,
        'hw.physical_disk.smart Temperature_Celsius 194': 26,
        'hw.physical_disk.io write': 385165652077 * 512,
      })
      t.ok(near(told(report)['hw.physical_disk.smart Head_Flying_Hours 240']!, 12523 + 17 / 60 + 8.635 / 3600))
    },
    // The normalized value of its life stays at 100, the raw one is 74: not told as 0 % used.
    'sat-Phison_Driven_SSDs-KINGSTON_SKC400S371T-sda.json': report => {
      t.notOk(report.told.values.some(v => v.metric === metrics.endurance))
      t.match(told(report), {
        'hw.physical_disk.smart SSD_Life_Left 231': 74,
        'hw.physical_disk.smart Bad_Blk_Ct_Erl/Lat 170': 1,
        'hw.physical_disk.smart MaxAvgErase_Ct 173': 888,
        'hw.physical_disk.io write': 391741 * 1024 ** 3,
      })
    },
    'sat-Intel_730_and_DC_S35x0_3610_3700_Series_SSDs-INTEL_SSDSC2BB480G4-sda.json': report => {
      t.match(told(report), {
        'hw.physical_disk.endurance_utilization used': 0.05,
        'hw.physical_disk.spare': 1,
        'hw.physical_disk.smart Power_Loss_Cap_Test 175': 623,
        'hw.physical_disk.smart.raw Power_Loss_Cap_Test 175': 1408752943727,
        'hw.physical_disk.io write': 1209471 * 32 * 1024 ** 2,
      })
    },
    // Before ATA-8 a disk does not say that it rotates.
    'ST3200820AS_16.json': report => {
      t.match(told(report), {
        'hw.physical_disk.smart Seek_Error_Rate 7': 0,
        'hw.physical_disk.smart.raw Seek_Error_Rate 7': 184476319,
        'hw.errors logged': 98,
      })
      t.equal(report.told.logs.get('errors')?.[0]?.body.lifetime_hours, 7042)
    },
    'HGST_HUS724020ALE640_28.json': report => {
      t.match(told(report), { 'hw.physical_disk.smart UDMA_CRC_Error_Count 199': 12, 'hw.errors logged': 12 })
      t.equal(report.told.counters.find(c => c.key === '199')?.value, 12)
      t.equal(report.identity?.id, 'wwn-0x5000cca0499602d2')
    },
  }
  const here = Object.entries(odd).filter(([name]) => files.includes(name))
  t.ok(here.length > 0)
  for (const [name, check] of here) check(reportOf(name))
}
