// What the CPUs do with packets between the driver and the protocols: /proc/net/softnet_stat, a line of hexadecimal
// numbers for each CPU (net/core/net-procfs.c of the kernel). They are of 32 bits and wrap within the hour on a busy host;
// here they go on counting, so that their sum does, too.

import type { Host } from '../../core/host.ts'
import type { Sample } from '../../core/model.ts'
import type { Metric } from '../metric.ts'
import { Scan } from '../scan.ts'
import { declared } from './counter.ts'
import { netFile, type OpenPart, type Part } from './part.ts'

const file = '/proc/net/softnet_stat'
const which = 'cpu.logical_number'

interface Column {
  readonly at: number
  readonly metric: Metric
}

const softnet = (name: string, unit: string, brief: string): Metric =>
  declared(`softnet.${name}`, unit, [which], file, brief)

const columns: readonly Column[] = [
  { at: 0, metric: softnet('processed', '{packet}', 'packets handed to the protocols') },
  { at: 1, metric: softnet('dropped', '{packet}', 'packets dropped as the backlog queue was full') },
  { at: 2, metric: softnet('squeezed', '{event}', 'times the work was cut short with packets still waiting') },
  { at: 9, metric: softnet('steered', '{event}', 'times a CPU was woken to take packets (RPS)') },
  { at: 10, metric: softnet('flow_limited', '{packet}', 'packets dropped to keep one flow from taking all') },
]

/** A line has 9 numbers on the oldest kernels; the CPU's own stands at 12 since 5.14, where offline ones are left out. */
const fewest = 9
const cpuAt = 12

export interface Row {
  readonly cpu: number
  readonly numbers: readonly number[]
}

export function parseSoftnet(bytes: Buffer): readonly Row[] {
  const scan = new Scan(file, bytes)
  const rows: Row[] = []
  while (scan.more) {
    const numbers: number[] = []
    for (; scan.byte !== 0x0a; scan.blanks()) numbers.push(scan.hex(8))
    if (numbers.length < fewest) scan.fail(`${fewest} numbers`)
    scan.line()
    rows.push({ cpu: numbers[cpuAt] ?? rows.length, numbers })
  }
  return rows
}

/** Counts on over the wraps of 32 bits, for each CPU. */
export class Unwrapped {
  readonly #known = new Map<number, { before: readonly number[]; totals: number[] }>()

  add({ cpu, numbers }: Row): void {
    const known = this.#known.get(cpu)
    const grown = (n: number): number => (known!.totals[n] ?? 0) + ((numbers[n]! - (known!.before[n] ?? 0)) >>> 0)
    const totals = known === undefined ? [...numbers] : numbers.map((_, n) => grown(n))
    this.#known.set(cpu, { before: numbers, totals })
  }

  /** Of the CPUs seen so far; undefined where the kernel does not tell it. */
  sum(column: number): number | undefined {
    let sum: number | undefined
    for (const { totals } of this.#known.values()) {
      if (totals[column] !== undefined) sum = (sum ?? 0) + totals[column]
    }
    return sum
  }

  *each(column: number): Iterable<readonly [cpu: number, total: number]> {
    for (const [cpu, { totals }] of this.#known) if (totals[column] !== undefined) yield [cpu, totals[column]]
  }
}

export function softnetPart(perCpu: boolean): Part {
  return { subject: 'softnet', metrics: columns.map(c => c.metric), open: host => open(host, perCpu) }
}

function open(host: Host, perCpu: boolean): OpenPart {
  const stat = netFile(host, 'softnet_stat')
  const counters = new Unwrapped()
  const sums = columns.map(({ at, metric }) => ({ at, series: metric.of() }))
  const ofCpus = columns.map(({ at, metric }) => ({ at, series: eachCpu(metric) }))

  const read = (time: number, into: Sample[]): void => {
    const bytes = stat.read()
    if (bytes === undefined) return
    for (const row of parseSoftnet(bytes)) counters.add(row)
    if (perCpu) {
      for (const { at, series } of ofCpus)
        for (const [cpu, value] of counters.each(at)) into.push({ series: series(cpu), time, value })
      return
    }
    for (const { at, series } of sums) {
      const value = counters.sum(at)
      if (value !== undefined) into.push({ series, time, value })
    }
  }
  return { read, close: () => stat.close() }
}

function eachCpu(metric: Metric) {
  const known = new Map<number, ReturnType<Metric['of']>>()
  return (cpu: number) => {
    const series = known.get(cpu) ?? metric.of({ [which]: cpu })
    known.set(cpu, series)
    return series
  }
}
