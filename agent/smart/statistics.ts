// The device statistics of ATA, ACS-4 9.5: unlike the attributes they have a standard. Only valid ones are told.

import type { Fields } from './fields.ts'
import { metrics } from './metrics.ts'
import type { Told } from './told.ts'
import { tellWear } from './wear.ts'

export const read = { 'disk.io.direction': 'read' }
export const write = { 'disk.io.direction': 'write' }

/** Whether they say how much was read or written. */
export function isSaid(report: Fields, direction: typeof read): boolean {
  return sectors(report, direction) !== undefined
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

export function tellStatistics(report: Fields, told: Told): void {
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
