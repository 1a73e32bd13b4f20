// One process as /proc/PID/stat and /proc/PID/io tell of it, proc_pid_stat(5), proc_pid_io(5).

import { Scan } from '../scan.ts'

export interface Stat {
  /** As the kernel cuts it: at most 15 bytes. */
  readonly name: string
  /** One letter: R, S, D, Z, T, t, I, X. */
  readonly state: string
  readonly isKernelThread: boolean
  readonly majorFaults: number
  /** Ticks of 10 ms. */
  readonly user: number
  readonly system: number
  readonly threads: number
  /** Ticks after the boot: with the PID it is this process and no later one. */
  readonly started: number
  /** Bytes. */
  readonly virtual: number
  /** Pages. */
  readonly resident: number
}

const [space, open, close] = [0x20, 0x28, 0x29]
/** PF_KTHREAD of include/linux/sched.h. */
const kernelThread = 0x200000

/** `1234 (name) S 1 ...`; a name may hold anything, so it ends at the last `)`. */
export function parseStat(file: string, bytes: Buffer): Stat {
  const end = bytes.lastIndexOf(close)
  const start = bytes.indexOf(open)
  if (end < start || start < 2) new Scan(file, bytes).fail('a PID and a name in parentheses', 0)
  const name = bytes.toString('utf8', start + 1, end)
  const scan = new Scan(file, bytes.subarray(end + 1))
  scan.blanks()
  const state = String.fromCharCode(scan.byte)
  if (!/^[A-Za-z]$/.test(state)) scan.fail('the letter of a state')
  skip(scan, 6)
  const flags = scan.integer()
  skip(scan, 2)
  const majorFaults = scan.integer()
  skip(scan, 1)
  const [user, system] = [scan.integer(), scan.integer()]
  skip(scan, 4)
  const threads = scan.integer()
  skip(scan, 1)
  const [started, virtual, resident] = [scan.integer(), scan.integer(), scan.integer()]
  const isKernelThread = (flags & kernelThread) !== 0
  return { name, state, isKernelThread, majorFaults, user, system, threads, started, virtual, resident }
}

/** Steps over fields that are not read; some of them are below zero. */
function skip(scan: Scan, fields: number): void {
  for (let n = 0; n < fields; n++) {
    scan.blanks()
    scan.until(space)
  }
  scan.blanks()
}

const fdSizeLine = [Buffer.from('\nFDSize:')]

/** How many descriptors the process has room for: as many or more than it has open. */
export function parseFdSize(file: string, bytes: Buffer): number {
  const scan = new Scan(file, bytes)
  return scan.after(fdSizeLine)[0] ?? scan.fail('a line FDSize')
}

export interface Io {
  /** Bytes that went to or came from storage. */
  readonly read: number
  readonly written: number
}

const ioLines = ['\nread_bytes: ', '\nwrite_bytes: '].map(line => Buffer.from(line))

export function parseIo(file: string, bytes: Buffer): Io {
  const scan = new Scan(file, bytes)
  const [read, written] = scan.after(ioLines)
  return read === undefined || written === undefined ? scan.fail('lines read_bytes and write_bytes') : { read, written }
}

/** Kernel threads come by hundreds, one or more a CPU: `kworker/3:1-events` and `migration/2` are known by their first word. */
export function groupName({ name, isKernelThread }: Pick<Stat, 'name' | 'isKernelThread'>): string {
  return isKernelThread ? name.replace(/[/:].*$/s, '') : name
}

/** The last part of the path that a program was called by: the first word of /proc/PID/cmdline. */
export function executableOf(command: Buffer): string {
  const end = command.indexOf(0)
  const path = command.toString('utf8', 0, end < 0 ? command.length : end)
  return path.slice(path.lastIndexOf('/') + 1)
}

const pageSizeTag = 6n

/** AT_PAGESZ of /proc/self/auxv, getauxval(3): pairs of native 64-bit words. */
export function parsePageSize(bytes: Buffer): number | undefined {
  for (let at = 0; at + 16 <= bytes.length; at += 16) {
    if (bytes.readBigUInt64LE(at) === pageSizeTag) return Number(bytes.readBigUInt64LE(at + 8))
  }
  return undefined
}
