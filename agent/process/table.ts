// The processes of a machine from one pass to the next, summed by group: all of one name, or each alone. What a group has
// used up only grows, also when its processes end: it is the sum of what each used between two passes. A process that
// came and went between two passes is not seen.

import type { Series } from '../../core/model.ts'
import type { Io, Stat } from './stat.ts'

export interface Process {
  readonly pid: number
  readonly started: number
  readonly group: Group
  user: number
  system: number
  majorFaults: number
  io: Io | undefined
  pass: number
}

export interface Group {
  readonly name: string
  /** Of the present pass. */
  processes: Process[]
  /** Ticks used since the pass before. */
  spent: number
  resident: number
  virtual: number
  threads: number
  /** Since the group was first seen, at least. */
  user: number
  system: number
  majorFaults: number
  read: number
  written: number
  /** Made when first told. */
  series?: readonly Series[]
}

/** How many groups without a process are remembered, so that their counters go on when they come back. */
const mostAbsent = 2000

export class Table {
  readonly #keyOf: (pid: number, stat: Stat) => string
  readonly #nameOf: (stat: Stat) => string
  readonly #processes = new Map<number, Process>()
  readonly #groups = new Map<string, Group>()
  #pass = 0

  constructor(keyOf: (pid: number, stat: Stat) => string, nameOf: (stat: Stat) => string) {
    this.#keyOf = keyOf
    this.#nameOf = nameOf
  }

  begin(): void {
    this.#pass++
    for (const group of this.#groups.values()) {
      group.processes = []
      group.spent = 0
      group.resident = 0
      group.virtual = 0
      group.threads = 0
    }
  }

  add(pid: number, stat: Stat): void {
    const process = this.#process(pid, stat)
    const { group } = process
    process.pass = this.#pass
    group.processes.push(process)
    const user = grown(stat.user, process.user)
    const system = grown(stat.system, process.system)
    group.spent += user + system
    group.user += user
    group.system += system
    group.majorFaults += grown(stat.majorFaults, process.majorFaults)
    group.resident += stat.resident
    group.virtual += stat.virtual
    group.threads += stat.threads
    process.user = stat.user
    process.system = stat.system
    process.majorFaults = stat.majorFaults
  }

  /** Forgets who was not added since `begin`, and gives the groups that have processes. */
  end(): Group[] {
    for (const [pid, { pass }] of this.#processes) if (pass !== this.#pass) this.#processes.delete(pid)
    const absent: string[] = []
    const present: Group[] = []
    for (const [key, group] of this.#groups) {
      if (group.processes.length === 0) absent.push(key)
      else present.push(group)
    }
    for (const key of absent.slice(0, Math.max(0, absent.length - mostAbsent))) this.#groups.delete(key)
    return present
  }

  #process(pid: number, stat: Stat): Process {
    const known = this.#processes.get(pid)
    const group = this.#group(pid, stat)
    if (known !== undefined && known.started === stat.started && known.group === group) return known
    // One that took another name by exec(2) goes on in the new group with what it has used up so far.
    const before = known?.started === stat.started ? known : { user: 0, system: 0, majorFaults: 0, io: undefined }
    const { user, system, majorFaults, io } = before
    const process = { pid, started: stat.started, group, user, system, majorFaults, io, pass: 0 }
    this.#processes.set(pid, process)
    return process
  }

  #group(pid: number, stat: Stat): Group {
    const key = this.#keyOf(pid, stat)
    const known = this.#groups.get(key)
    if (known !== undefined) return known
    const sums = { spent: 0, resident: 0, virtual: 0, threads: 0 }
    const totals = { user: 0, system: 0, majorFaults: 0, read: 0, written: 0 }
    const group: Group = { name: this.#nameOf(stat), processes: [], ...sums, ...totals }
    this.#groups.set(key, group)
    return group
  }
}

/** stat(5) rounds user and system time so that one of them may step back. */
function grown(now: number, before: number): number {
  return Math.max(0, now - before)
}

/** Adds what the group's processes read and wrote since they were last asked. */
export function addIo(group: Group, process: Process, now: Io): void {
  const before = process.io
  if (before !== undefined) {
    group.read += grown(now.read, before.read)
    group.written += grown(now.written, before.written)
  }
  process.io = now
}

/** The `most` groups of highest rank; those of rank 0 never. */
export function highest(groups: readonly Group[], most: number, rank: (group: Group) => number): Group[] {
  return groups
    .filter(group => rank(group) > 0)
    .toSorted((a, b) => rank(b) - rank(a))
    .slice(0, most)
}
