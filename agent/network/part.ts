// One subject of the source `network`, with files of its own: where one is damaged the others are still told.

import type { Host, HostFile } from '../../core/host.ts'
import type { Sample } from '../../core/model.ts'
import type { Metric } from '../metric.ts'
import { Scan } from '../scan.ts'

export interface Part {
  /** For messages. */
  readonly subject: string
  readonly metrics: readonly Metric[]
  open(host: Host): OpenPart
}

export interface OpenPart {
  /** Appends to `into` what its files say. @throws Error that names the file. */
  read(time: number, into: Sample[]): void
  close(): void
}

/** A file of /proc/net, which is a link to /proc/self/net: a copied tree may lack it. */
export function netFile(host: Host, name: string): HostFile {
  const [usual, own] = [host.file(`/proc/net/${name}`), host.file(`/proc/self/net/${name}`)]
  const close = (): void => {
    usual.close()
    own.close()
  }
  return { read: () => usual.read() ?? own.read(), close }
}

/** The one line of such files as /proc/sys/net/netfilter/nf_conntrack_max: whole numbers between blanks. */
export function parseNumbers(file: string, bytes: Buffer, count = 1): readonly number[] {
  const scan = new Scan(file, bytes)
  const numbers = Array.from({ length: count }, () => scan.integer())
  if (scan.byte !== 0x0a) scan.fail('the end of a line')
  return numbers
}
