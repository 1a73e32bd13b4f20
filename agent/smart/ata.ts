// What a report has of an ATA drive.

import { tellErrorLog, tellSelfTests } from './ata-logs.ts'
import { tellAttributes } from './attributes.ts'
import type { Fields } from './fields.ts'
import { metrics } from './metrics.ts'
import { tellStatistics } from './statistics.ts'
import type { Told } from './told.ts'

export function tellAta(report: Fields, told: Told): void {
  tellAttributes(report, told)
  tellStatistics(report, told)
  tellErrorLog(report.map('ata_smart_error_log'), told)
  tellSelfTests(report, told)
  const pending = report.map('ata_pending_defects_log').count('count')
  told.value(metrics.defects, pending, { 'hw.physical_disk.defect': 'pending' })
  link(report.map('interface_speed'), told)
}

function link(speed: Fields, told: Told): void {
  const rate = (which: string): number | undefined => {
    const [bits, units] = [speed.map(which).count('bits_per_unit'), speed.map(which).count('units_per_second')]
    return bits === undefined || units === undefined ? undefined : (bits * units) / 8
  }
  told.value(metrics.linkSpeed, rate('current'))
  told.value(metrics.linkSpeedLimit, rate('max'))
}
