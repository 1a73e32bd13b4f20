// The folder of reports: by its index, or, where there is none, the reports that somebody else left there.

import { reason } from '../../core/errors.ts'
import type { Host } from '../../core/host.ts'
import type { Trouble } from '../../core/log.ts'
import type { Seen } from './drives.ts'
import { indexName, mostDrives, parsePass } from './pass.ts'
import { parseReport, type Report } from './report.ts'

export interface Reports {
  /** When the drives were asked, ms since the epoch. */
  readonly time: number
  /** All drives of the host were looked for. */
  readonly whole: boolean
  seen(maxAge: number): readonly Seen[]
}

/** Without an index the folder is somebody else's: its reports are looked through once a minute. */
const looseEvery = 60_000

/** What cannot be read is said once, by file. */
export function openFolder(folder: string, host: Host, trouble: Trouble): { read(time: number): Reports | undefined } {
  let lookedAt = Number.NEGATIVE_INFINITY

  const report = (name: string): Report | undefined => {
    const file = `${folder}/${name}`
    try {
      const bytes = host.read(file)
      const found = bytes && parseReport(file, bytes)
      trouble(
        file,
        bytes === undefined ? 'is missing' : found?.strange.length === 0 ? undefined : found?.strange.join(', '),
      )
      return found
    } catch (error) {
      trouble(file, reason(error))
      return undefined
    }
  }

  const indexed = (bytes: Buffer): Reports => {
    const pass = parsePass(`${folder}/${indexName}`, bytes)
    const seen = (): Seen[] =>
      pass.drives
        .map(({ device, type, file, trouble }) => ({
          device,
          type,
          ...(file === undefined ? { trouble: trouble! } : seenIn(report(file))),
        }))
        .map(withWwid)
    return { time: pass.time, whole: true, seen }
  }

  /** The kernel knows who a disk is without asking it. */
  const withWwid = (one: Seen): Seen => {
    const name = one.report?.identity === undefined ? /^\/dev\/(sd[a-z]+)$/.exec(one.device)?.[1] : undefined
    const wwid = name && host.read(`/sys/block/${name}/device/wwid`)?.toString('latin1').trim()
    return wwid ? { ...one, wwid } : one
  }

  const loose = (names: readonly string[], time: number): Reports | undefined => {
    if (names.length === 0 || Math.abs(time - lookedAt) < looseEvery) return undefined
    lookedAt = time
    const found = names.slice(0, mostDrives).flatMap(name => report(name) ?? [])
    if (found.length === 0) return undefined
    const newest = Math.max(...found.map(r => r.time ?? time))
    const seen = (maxAge: number): Seen[] =>
      found
        .filter(r => newest - (r.time ?? time) <= maxAge)
        .map(r => withWwid({ device: r.device, type: r.type, ...seenIn(r) }))
    return { time: newest, whole: false, seen }
  }

  const read = (time: number): Reports | undefined => {
    const index = host.read(`${folder}/${indexName}`)
    if (index !== undefined) return indexed(index)
    return loose(
      host.list(folder).filter(name => /^\w.*\.json$/.test(name)),
      time,
    )
  }
  return { read }
}

function seenIn(report: Report | undefined): Pick<Seen, 'report' | 'trouble'> {
  if (report === undefined) return { trouble: 'its report cannot be read' }
  return { report, ...(report.trouble !== undefined && { trouble: report.trouble }) }
}
