// Messages as journald keeps them, systemd.journal-fields(7): for an agent that may not read /dev/kmsg, or listens to what
// a daemon says, and is of the group systemd-journal. One `journalctl` runs as long as the agent does; a cursor says how far
// it was read.

import { setImmediate as turn } from 'node:timers/promises'
import type { Host } from '../../core/host.ts'
import { type Entry, type Log, longest, type Place } from './line.ts'

export const journalctl = 'journalctl'
const fields = 'MESSAGE,PRIORITY,SYSLOG_FACILITY,SYSLOG_IDENTIFIER,_KERNEL_DEVICE,_BOOT_ID'
const follow = ['-f', '-q', '-o', 'json', `--output-fields=${fields}`]

/**
 * How long the first piece may take to come, and those after it, ms, until none came in time: what comes later is there
 * already when it is asked for.
 */
const [firstPatience, patience] = [1000, 50]
/** A line that is longer is no message of the kernel. */
const longestLine = 256 * 1024

/** The kernel's messages after `from`, else of this boot. Not by -k, which is this boot only: how the one before ended is worth most. */
export function kernelMessages(from: Place | undefined): readonly string[] {
  const start = from?.cursor === undefined ? '-b' : `--after-cursor=${from.cursor}`
  return ['--no-tail', start, '_TRANSPORT=kernel']
}

/** What journalctl gives for these arguments, and goes on to give. Undefined where it is not installed. */
export function openJournal(
  host: Host,
  args: readonly string[],
  signal: AbortSignal,
  unclear: (trouble: string) => void,
): Log | undefined {
  const stop = new AbortController()
  const pieces = host.stream(journalctl, [...follow, ...args], AbortSignal.any([signal, stop.signal]))
  return pieces && new Journal(host, pieces[Symbol.asyncIterator](), stop, unclear)
}

type Piece = IteratorResult<Buffer>

class Journal implements Log {
  readonly #host: Host
  readonly #pieces: AsyncIterator<Buffer>
  readonly #stop: AbortController
  readonly #unclear: (trouble: string) => void
  #coming: Promise<Piece> | undefined
  #rest: Buffer = Buffer.alloc(0)
  #waiting: Entry[] = []
  #patience = firstPatience
  readonly lost = 0

  constructor(host: Host, pieces: AsyncIterator<Buffer>, stop: AbortController, unclear: (trouble: string) => void) {
    this.#host = host
    this.#pieces = pieces
    this.#stop = stop
    this.#unclear = unclear
  }

  /** @throws Error when journalctl ended. */
  async read(most: number, signal: AbortSignal): Promise<readonly Entry[]> {
    while (this.#waiting.length < most) {
      const piece = await this.#next(signal)
      if (piece === undefined) break
      if (piece.done) {
        if (this.#waiting.length > 0) break
        throw new Error(`${journalctl}: ended by itself`)
      }
      this.#take(piece.value)
    }
    return this.#waiting.splice(0, most)
  }

  close(): void {
    this.#stop.abort()
    // Its end, or how it ended, is nobody's concern any more.
    this.#coming?.catch(() => undefined)
  }

  /** The next piece, or undefined when none comes in time; it is then waited for the next time. */
  async #next(signal: AbortSignal): Promise<Piece | undefined> {
    this.#coming ??= this.#pieces.next()
    const enough = new AbortController()
    const quiet = this.#quiet(AbortSignal.any([signal, enough.signal]))
    const piece = await Promise.race([this.#coming, quiet])
    enough.abort()
    if (piece !== undefined) this.#coming = undefined
    this.#patience = piece === undefined ? 0 : Math.min(this.#patience, patience)
    return piece
  }

  async #quiet(signal: AbortSignal): Promise<undefined> {
    await turn()
    if (this.#patience > 0) await this.#host.sleep(this.#patience, signal)
  }

  #take(piece: Buffer): void {
    const bytes = Buffer.concat([this.#rest, piece])
    const end = bytes.lastIndexOf(0x0a) + 1
    this.#rest = bytes.subarray(end)
    if (this.#rest.length > longestLine) {
      this.#unclear(`${journalctl}: a line of more than ${longestLine} bytes`)
      this.#rest = Buffer.alloc(0)
    }
    for (const line of bytes.toString('utf8', 0, end).split('\n')) {
      try {
        const entry = parseEntry(line)
        if (entry !== undefined) this.#waiting.push(entry)
      } catch (error) {
        this.#unclear(error instanceof Error ? error.message : String(error))
      }
    }
  }
}

/** One line of `journalctl -o json`; undefined for one that says nothing. @throws Error that names journalctl. */
export function parseEntry(line: string): Entry | undefined {
  if (line.trim() === '') return undefined
  const told = parsed(line)
  const text = textOf(told.MESSAGE) ?? ''
  const [cursor, time, boot] = [told.__CURSOR, milliseconds(told.__REALTIME_TIMESTAMP), told._BOOT_ID]
  if (typeof cursor !== 'string' || time === undefined) {
    throw new Error(`${journalctl}: an entry without a cursor or a time: ${JSON.stringify(line.slice(0, 60))}`)
  }
  const device = told._KERNEL_DEVICE
  const facility = Number(told.SYSLOG_FACILITY ?? 0) || 0
  // Of what others wrote through the kernel journald takes the first word for their name.
  const writer = facility !== 0 && typeof told.SYSLOG_IDENTIFIER === 'string' ? `${told.SYSLOG_IDENTIFIER}: ` : ''
  return {
    line: {
      time,
      level: level(told.PRIORITY),
      facility,
      text: `${writer}${text}`.slice(0, longest),
      ...(typeof device === 'string' && { device }),
    },
    place: { boot: typeof boot === 'string' ? boot : '', cursor },
  }
}

/** journald counts whole microseconds; anything else is no time. */
function milliseconds(microseconds: unknown): number | undefined {
  const time = /^\d{4,17}$/.test(String(microseconds)) ? Math.floor(Number(microseconds) / 1000) : 0
  return time > 0 ? time : undefined
}

function parsed(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch (cause) {
    throw new Error(`${journalctl}: not JSON: ${JSON.stringify(line.slice(0, 60))}`, { cause })
  }
  throw new Error(`${journalctl}: not an entry: ${JSON.stringify(line.slice(0, 60))}`)
}

/** What is not UTF-8 is a list of bytes; null is a message that was too long. */
function textOf(message: unknown): string | undefined {
  if (typeof message === 'string') return message
  if (!Array.isArray(message) || !message.every(byte => Number.isInteger(byte))) return undefined
  return Buffer.from(message as number[]).toString('utf8')
}

function level(priority: unknown): number {
  const value = Number(priority ?? 6)
  return Number.isInteger(value) && value >= 0 && value <= 7 ? value : 6
}
