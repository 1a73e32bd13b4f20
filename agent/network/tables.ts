// Protocol counters as the kernel prints them: pairs of lines, `Tcp: names` and `Tcp: numbers`, in /proc/net/snmp and
// /proc/net/netstat, and `name number` a line in /proc/net/snmp6. What stands where is looked up once a heading.

import type { Sample, Series } from '../../core/model.ts'
import { Devices } from '../devices.ts'
import { Scan } from '../scan.ts'

const [newline, space] = [0x0a, 0x20]

/** What becomes of a number. */
export interface Target {
  readonly series: Series
  /** The number is multiplied by it. */
  readonly scale: number
  /** Left out while it is 0: protocols that hardly anybody uses. */
  readonly quiet: boolean
}

/** `column` is as in the kernel: `RetransSegs` of the table `Tcp`, `Ip6InReceives` of the table without a name. */
export type Find = (table: string, column: string) => Target | undefined

interface Plan {
  readonly heading: Buffer
  readonly prefix: Buffer
  readonly columns: number
  /** Those that are told, and where they stand. */
  readonly wanted: readonly (readonly [number, Target])[]
}

/** A file of pairs of lines. */
export class Tables {
  readonly #file: string
  readonly #find: Find
  readonly #plans: Plan[] = []

  constructor(file: string, find: Find) {
    this.#file = file
    this.#find = find
  }

  /** Appends to `into` what is wanted of it. */
  read(bytes: Buffer, time: number, into: Sample[]): void {
    const scan = new Scan(this.#file, bytes)
    for (let n = 0; scan.more; n++) {
      const start = scan.at
      scan.line()
      const { prefix, columns, wanted } = this.#plan(n, bytes.subarray(start, scan.at), scan)
      if (!scan.takes(prefix)) scan.fail(`the numbers of ${prefix}`)
      const numbers = scan.signed(columns)
      for (const [at, target] of wanted) tell(target, wholeOf(numbers[at]!, scan), time, into)
    }
  }

  #plan(n: number, heading: Buffer, scan: Scan): Plan {
    const known = this.#plans[n]
    if (known?.heading.equals(heading)) return known
    const [, table, names] = /^(\w+):((?: \w+)+)\n$/.exec(heading.toString('latin1')) ?? scan.fail('a heading', 0)
    const targets = names!
      .slice(1)
      .split(' ')
      .map(column => this.#find(table!, column))
    const plan = {
      heading: Buffer.from(heading),
      prefix: Buffer.from(`${table}:`),
      columns: targets.length,
      wanted: targets.flatMap((target, at) => (target === undefined ? [] : [[at, target] as const])),
    }
    this.#plans[n] = plan
    return plan
  }
}

/** A file of `name number` lines. */
export class Lines {
  readonly #file: string
  readonly #targets: Devices<Target | undefined>

  constructor(file: string, find: Find) {
    this.#file = file
    this.#targets = new Devices(name => find('', name))
  }

  read(bytes: Buffer, time: number, into: Sample[]): void {
    const scan = new Scan(this.#file, bytes)
    this.#targets.begin()
    while (scan.more) {
      const start = scan.at
      const target = this.#targets.at(bytes, start, scan.until(space))
      if (target === undefined) scan.word()
      else tell(target, scan.integer(), time, into)
      ends(scan)
    }
    this.#targets.end()
  }
}

function tell({ series, scale, quiet }: Target, value: number, time: number, into: Sample[]): void {
  if (value > 0 || !quiet) into.push({ series, time, value: value * scale })
}

/** Only settings are below zero, and those are not told. */
function wholeOf(value: number, scan: Scan): number {
  return value < 0 ? scan.fail('a number from 0') : value
}

function ends(scan: Scan): void {
  if (scan.byte !== newline) scan.fail('the end of a line')
  scan.line()
}
