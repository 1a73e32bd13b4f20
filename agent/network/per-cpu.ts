// The tables of /proc/net/stat: a heading that names the columns, and a line of hexadecimal numbers for each CPU.

import { Scan } from '../scan.ts'

export interface PerCpu {
  /** Sums over the CPUs, by the name of the column. */
  readonly sums: ReadonlyMap<string, number>
  /** The first column, the same in each line. */
  readonly entries: number
}

/** @throws Error where a line has not as many numbers as the heading has names, or there is none. */
export function parsePerCpu(file: string, bytes: Buffer): PerCpu {
  const scan = new Scan(file, bytes)
  scan.line()
  const columns = bytes.toString('latin1', 0, scan.at).trim().split(/ +/)
  if (columns[0] !== 'entries') scan.fail('the column entries', 0)
  const totals = new Float64Array(columns.length)
  let entries = -1
  while (scan.more) {
    const before = totals[0]!
    for (let n = 0; n < totals.length; n++) totals[n]! += scan.hex()
    if (scan.byte !== 0x0a) scan.fail('as many numbers as columns')
    scan.line()
    if (entries < 0) entries = totals[0]! - before
  }
  if (entries < 0) scan.fail('a line of numbers')
  return { entries, sums: new Map(columns.map((column, n) => [column, totals[n]!])) }
}
