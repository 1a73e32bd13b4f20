// A report of `smartctl --json` about one drive, of any version that has JSON (7.0 on). Pure: bytes in, what they tell out.
// The exit status of smartctl is bits: 0 and 1 say that there is no drive to tell of, 2 that a part of the answer is
// missing, the others repeat what the drive says (smartctl(8), EXIT STATUS).

import { tellAta } from './ata.ts'
import { type Fields, isTime, parseFields } from './fields.ts'
import { firmwareOf, type Identity, identify } from './identity.ts'
import { metrics } from './metrics.ts'
import { tellNvme } from './nvme.ts'
import { tellScsi } from './scsi.ts'
import { Told } from './told.ts'
import { tellSpare, tellWear } from './wear.ts'

export interface Report {
  /** ms since the epoch, by the clock of who asked. */
  readonly time: number | undefined
  /** As smartctl was asked: `/dev/sda`, `/dev/bus/0`. */
  readonly device: string
  /** As it is asked: `sat`, `nvme`, `megaraid,3`. */
  readonly type: string
  readonly identity: Identity | undefined
  /** It sleeps, was not woken, and tells nothing more. */
  readonly asleep: boolean
  /** Why there is no drive to tell of. */
  readonly trouble: string | undefined
  /** What smartctl could not read of it, in its words; the rest is told. */
  readonly complaint: string | undefined
  readonly told: Told
  /** Fields that are not as they should be; they count as absent. */
  readonly strange: readonly string[]
}

const commandLineWrong = 1
const openFailed = 2
const diskFailing = 8

/** @throws Error that names the file where it is no report. */
export function parseReport(file: string, bytes: Buffer): Report {
  const strange: string[] = []
  const fields = parseFields(file, bytes, strange)
  if (!fields.has('smartctl')) throw new Error(`${file}: is no report of smartctl`)
  const device = fields.map('device')
  const time = (fields.map('local_time').count('time_t') ?? Number.NaN) * 1000
  const asleep = isAsleep(fields)
  const identity = identityOf(file, fields)
  const trouble = asleep || identity !== undefined ? undefined : troubleOf(fields)
  return {
    time: isTime(time) ? time : undefined,
    device: device.text('name') ?? file,
    type: device.text('type') ?? 'unknown',
    identity,
    asleep,
    trouble,
    complaint: asleep ? undefined : messages(fields, 'error').join('; ') || undefined,
    told: tell(fields, asleep || trouble !== undefined),
    strange,
  }
}

function identityOf(file: string, fields: Fields): Identity | undefined {
  try {
    return identify(fields)
  } catch (cause) {
    throw new Error(`${file}: does not say which drive it is of`, { cause })
  }
}

function isAsleep(fields: Fields): boolean {
  return messages(fields).some(message => /^Device is in .+ mode, exit\(/.test(message))
}

/** Of any severity where none is given. */
function messages(fields: Fields, severity?: 'error'): readonly string[] {
  return fields
    .map('smartctl')
    .list('messages')
    .filter(message => severity === undefined || message.text('severity') === severity)
    .flatMap(message => message.text('string') ?? [])
}

function troubleOf(fields: Fields): string {
  const status = fields.map('smartctl').count('exit_status')
  const said = messages(fields).join('; ')
  if (said !== '') return said
  if (status !== undefined && status & openFailed) return 'smartctl could not open it'
  if (status !== undefined && status & commandLineWrong) return 'smartctl was asked in a wrong way'
  return 'it has neither a model nor a serial number'
}

function tell(fields: Fields, nothing: boolean): Told {
  const told = new Told()
  if (nothing) return told
  common(fields, told)
  const protocol = fields.map('device').text('protocol')
  // A drive behind a bridge may be spoken with in one protocol and tell parts of another: each part is read where it is.
  if (protocol === 'NVMe' || fields.has('nvme_smart_health_information_log')) tellNvme(fields, told)
  if (protocol === 'SCSI' || fields.has('scsi_grown_defect_list')) tellScsi(fields, told)
  if (protocol === 'ATA' || fields.has('ata_smart_attributes')) tellAta(fields, told)
  verdict(passed(fields), told)
  return told
}

/** What smartctl says alike of every kind of drive. */
function common(fields: Fields, told: Told): void {
  size(fields, told)
  temperatures(fields.map('temperature'), fields.map('device').text('protocol') === 'SCSI', told)
  told.value(metrics.powerOnTime, seconds(fields.map('power_on_time')))
  told.value(metrics.cycles, fields.count('power_cycle_count'), { 'hw.physical_disk.cycle': 'power' })
  const spare = fields.map('spare_available')
  tellSpare(told, spare.count('current_percent'), spare.count('threshold_percent'))
  tellWear(told, fields.map('endurance_used').count('current_percent'))
}

/** The exit status says it too where the report does not. */
function passed(fields: Fields): boolean | undefined {
  const status = fields.map('smartctl').count('exit_status') ?? 0
  return fields.map('smart_status').flag('passed') ?? ((status & diskFailing) > 0 ? false : undefined)
}

/** Where the drive's verdict is bad, its parts may have said already what is wrong. */
function verdict(passed: boolean | undefined, told: Told): void {
  if (passed === true) told.is('ok')
  if (passed === false && (told.state ?? 'ok') === 'ok') told.is('predicted_failure', 'the drive predicts its failure')
}

function size(fields: Fields, told: Told): void {
  const bytes = fields.map('user_capacity').count('bytes') ?? fields.count('nvme_total_capacity')
  const firmware = firmwareOf(fields)
  const rate = fields.count('rotation_rate')
  const isNvme = fields.map('device').text('protocol') === 'NVMe'
  const type = isNvme || rate === 0 ? 'SSD' : rate === undefined ? undefined : 'HDD'
  told.value(metrics.size, bytes, {
    ...(firmware !== undefined && { 'hw.firmware_version': firmware }),
    ...(type !== undefined && { 'hw.physical_disk.type': type }),
  })
}

function seconds(time: Fields): number | undefined {
  const [hours, minutes] = [time.count('hours'), time.has('minutes') ? time.count('minutes') : 0]
  return hours === undefined || minutes === undefined ? undefined : hours * 3600 + minutes * 60
}

const limits: readonly [string, string][] = [
  ['op_limit_max', 'high.degraded'],
  ['critical_limit_max', 'high.critical'],
  ['drive_trip', 'high.critical'],
  ['limit_max', 'high.critical'],
  ['op_limit_min', 'low.degraded'],
  ['limit_min', 'low.critical'],
]

/** A SCSI drive without a sensor says 0 of everything, or 255. NVMe: 0 K, which older smartctl prints as -273. */
function temperatures(fields: Fields, isScsi: boolean, told: Told): void {
  const isReal = (degrees: number | undefined): boolean => degrees !== undefined && degrees > -100 && degrees !== 255
  const [current, trip] = [fields.number('current'), fields.number('drive_trip')]
  const isNone = current === 0 && (trip === 0 || (trip === undefined && isScsi))
  if (isReal(current) && !isNone) told.value(metrics.temperature, current)
  for (const [key, type] of limits) {
    const limit = fields.number(key)
    if (isReal(limit) && !(key === 'drive_trip' && limit === 0)) {
      told.value(metrics.temperatureLimit, limit, { 'hw.limit_type': type })
    }
  }
}
