// The kernel's ring of messages, /dev/kmsg (Documentation/ABI/testing/dev-kmsg of the kernel): one record a read,
//   6,339,5140900,-,caller=T1;NET: Registered protocol family 10
//    SUBSYSTEM=pci
//    DEVICE=+pci:0000:00:01.0
// with level and facility, number, microseconds since the boot, flags, then the text with what cannot be printed as \xNN.
// A reader that is slower than the ring loses the oldest; numbers that are missing tell how many.

import type { Host, Records } from '../../core/host.ts'
import { Scan } from '../scan.ts'
import { type Entry, type Line, type Log, longest, type Place } from './line.ts'

export const kmsgPath = '/dev/kmsg'
const bootPath = '/proc/sys/kernel/random/boot_id'

/** Of records at one time, whatever they are: those read before, and a ring that only says it was overwritten. */
const mostReads = 20_000

export interface KmsgRecord extends Omit<Line, 'time'> {
  readonly seq: number
  /** Since the boot. */
  readonly microseconds: number
}

/** Whole records only. @throws Error that names the file. */
export function parseKmsg(bytes: Buffer): readonly KmsgRecord[] {
  const text = bytes.toString('utf8')
  if (!text.endsWith('\n'))
    throw new Error(`${kmsgPath}: a record without its end: ${JSON.stringify(text.slice(0, 40))}`)
  const found: KmsgRecord[] = []
  for (const record of text.slice(0, -1).split(/\n(?! )/)) found.push(parseRecord(record))
  return found
}

function parseRecord(record: string): KmsgRecord {
  const [, priority, seq, microseconds, text, more] =
    /^(\d{1,4}),(\d{1,19}),(\d{1,19}),[^;\n]*;([^\n]*)([\s\S]*)$/.exec(record) ?? []
  if (priority === undefined) throw new Error(`${kmsgPath}: not a record: ${JSON.stringify(record.slice(0, 40))}`)
  const device = /\n DEVICE=([^\n]*)/.exec(more!)?.[1]
  return {
    seq: Number(seq),
    microseconds: Number(microseconds),
    level: Number(priority) & 7,
    facility: Number(priority) >> 3,
    text: unescaped(text!).slice(0, longest),
    ...(device !== undefined && { device }),
  }
}

function unescaped(text: string): string {
  if (!text.includes('\\x')) return text
  const bytes = text.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return [...bytes].every(c => c.charCodeAt(0) < 256) ? Buffer.from(bytes, 'latin1').toString('utf8') : bytes
}

/** `unclear` is told of records that cannot be read. Undefined where the ring is absent or not ours to read. */
export function openKmsg(host: Host, from: Place | undefined, unclear: (trouble: string) => void): Log | undefined {
  const boot = parseBootId(host.read(bootPath))
  const records = host.records(kmsgPath)
  if (records === undefined) return undefined
  return new Kmsg(host, records, boot, boot !== '' && from?.boot === boot ? from.seq : undefined, unclear)
}

/** Empty where the kernel does not tell it: then all that the ring has is news at each start. */
export function parseBootId(bytes: Buffer | undefined): string {
  if (bytes === undefined) return ''
  const id = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\n$/.exec(bytes.toString('latin1'))?.[1]
  if (id === undefined) throw new Error(`${bootPath}: not a UUID: ${JSON.stringify(bytes.toString('latin1', 0, 40))}`)
  return id
}

class Kmsg implements Log {
  readonly #host: Host
  readonly #records: Records
  readonly #boot: string
  readonly #unclear: (trouble: string) => void
  /** The last one read; undefined where all that is there is news. */
  #seq: number | undefined
  #lost = 0
  /** When the ring was last read to its end: what comes later is not older. */
  #readAt = 0

  constructor(host: Host, records: Records, boot: string, seq: number | undefined, unclear: (trouble: string) => void) {
    this.#host = host
    this.#records = records
    this.#boot = boot
    this.#seq = seq
    this.#unclear = unclear
  }

  get lost(): number {
    return this.#lost
  }

  async read(most: number): Promise<readonly Entry[]> {
    const entries: Entry[] = []
    const now = this.#host.now()
    let booted: number | undefined
    for (let reads = 0; entries.length < most && reads < mostReads; reads++) {
      const record = this.#records.next()
      if (record === 'overwritten') continue
      if (record === undefined) {
        this.#readAt = now
        break
      }
      const parsed = this.#parsed(record)
      booted ??= this.#booted(now)
      entries.push(...this.#entries(parsed, booted, now))
    }
    return entries
  }

  close(): void {
    this.#records.close()
  }

  #entries(records: readonly KmsgRecord[], booted: number | undefined, now: number): Entry[] {
    const entries: Entry[] = []
    for (const { seq, microseconds, ...line } of records) {
      if (this.#seq !== undefined && seq <= this.#seq) continue
      if (this.#seq !== undefined) this.#lost += seq - this.#seq - 1
      this.#seq = seq
      const time = booted === undefined ? now : Math.min(now, Math.max(this.#readAt, booted + microseconds / 1000))
      entries.push({ line: { ...line, time: Math.round(time) }, place: { boot: this.#boot, seq } })
    }
    return entries
  }

  #parsed(bytes: Buffer): readonly KmsgRecord[] {
    try {
      return parseKmsg(bytes)
    } catch (error) {
      this.#unclear(error instanceof Error ? error.message : String(error))
      return []
    }
  }

  /** When the machine started, by the present clock; the ring's own clock does not count sleep. */
  #booted(now: number): number | undefined {
    const bytes = this.#host.read('/proc/uptime')
    return bytes && now - new Scan('/proc/uptime', bytes).decimal() * 1000
  }
}
