// What the kernel says a process cost.

import { readFileSync } from 'node:fs'

/** CPU seconds, user and system, of one process so far (proc(5), fields 14 and 15 of stat, in ticks of 1/100 s). */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/** Resident memory, MB (10^6 bytes). */
export function rssMb(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))
  return (Number(line?.[1] ?? Number.NaN) * 1024) / 1e6
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Prints rows of the same keys as an aligned table. */
export function table(rows: readonly Readonly<Record<string, string | number>>[]): void {
  const keys = Object.keys(rows[0] ?? {})
  const cells = [keys, ...rows.map(row => keys.map(k => String(row[k] ?? '')))]
  const widths = keys.map((_, n) => Math.max(...cells.map(c => c[n]!.length)))
  for (const line of cells)
    console.log(line.map((c, n) => (n === 0 ? c.padEnd(widths[n]!) : c.padStart(widths[n]!))).join('  '))
}
