// Interrupts by kind: /proc/interrupts and /proc/softirqs, proc_interrupts(5), a column for each CPU that is online.

import { Scan } from './scan.ts'

/** Since the boot, over all CPUs. */
export interface Interrupts {
  /** Number of a line (`24`), or what the kernel calls it (`LOC`, `TIMER`). */
  readonly line: string
  /** What stands behind the counts: `PCI-MSIX-0000:00:04.0 1-edge virtio3-rx`; empty for softirqs. */
  readonly about: string
  readonly count: number
}

const [newline, colon, zero, nine] = [0x0a, 0x3a, 0x30, 0x39]

/** Blanks, the CPUs' names, then lines `LOC:  131179  146362   Local timer interrupts`; `file` is the name in errors. */
export function parseInterrupts(file: string, bytes: Buffer): readonly Interrupts[] {
  const scan = new Scan(file, bytes)
  const heading = bytes
    .toString('latin1', 0, Math.max(0, bytes.indexOf(newline)))
    .trim()
    .split(/ +/)
  if (!heading.every(name => /^CPU\d+$/.test(name))) return scan.fail('a heading of CPUs')
  scan.line()
  const all: Interrupts[] = []
  while (scan.more) {
    // Some architectures leave a line empty.
    if (scan.byte === newline) scan.line()
    else all.push(parseLine(scan, bytes, heading.length))
  }
  return all
}

function parseLine(scan: Scan, bytes: Buffer, cpus: number): Interrupts {
  scan.blanks()
  const start = scan.at
  const line = bytes.toString('latin1', start, scan.until(colon))
  let count = scan.integer()
  // `ERR` and `MIS` have one count for all.
  for (let n = 1; n < cpus && isCount(scan); n++) count += scan.integer()
  scan.blanks()
  const end = bytes.indexOf(newline, scan.at)
  const about = bytes.toString('utf8', scan.at, Math.max(scan.at, end)).trim().replace(/ +/g, ' ')
  scan.line()
  return { line, about, count }
}

function isCount(scan: Scan): boolean {
  scan.blanks()
  return scan.byte >= zero && scan.byte <= nine
}
