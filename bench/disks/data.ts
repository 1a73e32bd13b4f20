// Reads drives from gzip CSV in the change-point form of shared/data/disks (Backblaze Drive Stats by the R package
// dynamichazard): a row holds what was valid for power-on hours (tstart, tstop]. One drive at a time, streaming. Of the
// columns that summarise a drive's whole life only those are read that place its hours in time.

import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { day } from '../../judge/disks/past.ts'
import { counts, type Reading, smartIds, unpackTimeouts } from '../../judge/disks/reading.ts'

export interface Drive {
  readonly serial: string
  readonly vendor: string
  readonly model: string
  /** Days since 2013-04-10: of the first row's begin, of the record's end. */
  readonly from: number
  readonly to: number
  readonly failed: boolean
  /** One for each change, times rising. */
  readonly readings: readonly Reading[]
}

export const epoch = Date.UTC(2013, 3, 10)

const wanted = ['serial_number', 'manufacturer', 'max_date', 'max_hours', 'tstart', 'tstop', 'fails'] as const

/** Where the data is (test and bench alike). */
export function dataFolder(): string {
  return join(process.env.FIELDLINE_DATA ?? '../shared/data', 'disks')
}

export async function readAll(file: string): Promise<Drive[]> {
  const drives: Drive[] = []
  for await (const drive of readDrives(file)) drives.push(drive)
  return drives
}

export async function* readDrives(file: string): AsyncGenerator<Drive> {
  const stream = createReadStream(file)
  const plain = file.endsWith('.gz') ? stream.pipe(createGunzip()) : stream
  let column: Record<string, number> | undefined
  let rows: string[][] = []
  for await (const line of createInterface({ input: plain, crlfDelay: Number.POSITIVE_INFINITY })) {
    const cells = line.split(',')
    if (column === undefined) {
      column = columnsOf(cells, file)
      continue
    }
    const serial = column.serial_number!
    const model = column.model!
    const before = rows[0]
    if (before !== undefined && (before[serial] !== cells[serial] || before[model] !== cells[model])) {
      yield driveOf(rows, column)
      rows = []
    }
    rows.push(cells)
  }
  if (rows.length > 0) yield driveOf(rows, column!)
}

function columnsOf(head: readonly string[], file: string): Record<string, number> {
  const column = Object.fromEntries(head.map((name, n) => [name, n]))
  const missing = wanted.filter(name => column[name] === undefined)
  if (missing.length > 0) throw new Error(`${file}: no column ${missing.join(', ')}`)
  return column
}

function driveOf(rows: readonly string[][], column: Readonly<Record<string, number>>): Drive {
  const cell = (row: readonly string[], name: string): string => row[column[name]!] ?? ''
  const first = rows[0]!
  const last = rows.at(-1)!
  const serial = cell(first, 'serial_number')
  const maxDay = (Date.parse(cell(first, 'max_date')) - epoch) / day
  const maxHours = Number(cell(first, 'max_hours'))
  const terabytes = Number(cell(first, 'size_tb') || Number.NaN)
  const dayOf = (hours: number): number => maxDay - (maxHours - hours) / 24
  const readings = rows.map((row): Reading => {
    const hours = Number(cell(row, 'tstart'))
    return { time: epoch + dayOf(hours) * day, drive: serial, hours, terabytes, counts: countsOf(row, column) }
  })
  return {
    serial,
    vendor: cell(first, 'manufacturer'),
    model: cell(first, 'model'),
    from: dayOf(Number(cell(first, 'tstart'))),
    to: dayOf(Number(cell(last, 'tstop'))),
    failed: cell(last, 'fails') === '1',
    readings,
  }
}

function countsOf(row: readonly string[], column: Readonly<Record<string, number>>): Reading['counts'] {
  const found: Record<string, number> = {}
  for (const name of counts) {
    const at = column[`smart_${smartIds[name]}`]
    const text = at === undefined ? '' : row[at]
    if (text === undefined || text === '') continue
    const value = Number(text)
    found[name] = name === 'timeouts' ? unpackTimeouts(value) : value
  }
  return found
}
