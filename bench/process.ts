// What the kernel says a process cost, with all that it started.

import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** CPU seconds, user and system, so far (proc(5), fields 14 to 17 of stat, in ticks of 1/100 s; the last two: of children that ended). */
export function cpuSeconds(pid: number): number {
  return tree(pid).reduce((sum, one) => sum + stat(one, 11, 15), 0) / 100
}

/** Resident memory, MB (10^6 bytes). */
export function rssMb(pid: number): number {
  return tree(pid).reduce((sum, one) => sum + (field(one, 'status', 'VmRSS') * 1024) / 1e6, 0)
}

/** Bytes it caused to be written to disks so far (proc_pid_io(5)). */
export function diskBytes(pid: number): number {
  return tree(pid).reduce((sum, one) => sum + field(one, 'io', 'write_bytes'), 0)
}

/** Bytes over TCP to a port of this machine, both ways, so far, by whoever is connected to it as a client. */
export function wireBytes(pid: number, port: number): number {
  const lines = execFileSync('ss', ['-tinpHO', 'dst', `127.0.0.1:${port}`], { encoding: 'utf8' }).split('\n')
  const own = lines.filter(line => line.includes(`pid=${pid},`))
  const counts = own.flatMap(line => [...line.matchAll(/\bbytes_(?:sent|received):(\d+)/g)])
  return counts.reduce((sum, [, bytes]) => sum + Number(bytes), 0)
}

function tree(pid: number): number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc').filter(n => /^\d+$/.test(n))) {
    const parent = attempt(() => stat(Number(name), 1, 2))
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const all = [pid]
  for (let n = 0; n < all.length; n++) all.push(...(children.get(all[n]!) ?? []))
  return all
}

/** The sum of the fields from..to-1 behind the name. */
function stat(pid: number, from: number, to: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return fields.slice(from, to).reduce((sum, ticks) => sum + Number(ticks), 0)
}

function field(pid: number, file: string, name: string): number {
  const text = attempt(() => readFileSync(`/proc/${pid}/${file}`, 'latin1')) ?? ''
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0)
}

/** A process that ended between two looks is nothing to measure. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
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
