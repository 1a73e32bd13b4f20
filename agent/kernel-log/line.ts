// One message of the kernel, wherever it was read.

export interface Line {
  /** Milliseconds since the epoch. */
  readonly time: number
  /** syslog(3): 0 emergency, 3 error, 6 informational. */
  readonly level: number
  /** 0 is the kernel itself; others wrote through it. */
  readonly facility: number
  readonly text: string
  /** The device as the driver named it: `+pci:0000:3b:00.0`, `b8:0`. */
  readonly device?: string
}

/** How far a log was read: the machine's start, and a record's number in it, or a cursor of the journal. */
export interface Place {
  readonly boot: string
  readonly seq?: number
  readonly cursor?: string
}

export interface Entry {
  readonly line: Line
  readonly place: Place
}

/** A kernel log being read. */
export interface Log {
  /** What came since the last call, at most `most` of it; waits only for what is on its way. */
  read(most: number, signal: AbortSignal): Promise<readonly Entry[]>
  /** Records that were overwritten before they could be read, so far. */
  readonly lost: number
  close(): void
}

/** Longer ones are cut: the kernel's own limit is 1 KiB, the journal has none. */
export const longest = 2048
