// One pass over all drives: who was asked, and what came of it. index.json in the folder of reports, written last, so that
// what it names is there:
//
//   { "version": 1, "time": 1735689600000, "drives": [
//       { "device": "/dev/sda", "type": "sat", "file": "sda-sat.json" },
//       { "device": "/dev/sdb", "type": "sat", "trouble": "no answer within 30 s" } ] }

import { type Fields, isTime, parseFields } from './fields.ts'

export const indexName = 'index.json'
/** More drives than a host has; what is beyond is left out and said. */
export const mostDrives = 512

export interface Asked {
  readonly device: string
  readonly type: string
  /** The report, a file beside the index. */
  readonly file?: string
  /** Why there is no report. */
  readonly trouble?: string
}

export interface Pass {
  /** When it began, ms since the epoch. */
  readonly time: number
  readonly drives: readonly Asked[]
}

export function formatPass({ time, drives }: Pass): string {
  return `${JSON.stringify({ version: 1, time, drives })}\n`
}

/** @throws Error that names the file. */
export function parsePass(file: string, bytes: Buffer): Pass {
  const strange: string[] = []
  const fields = parseFields(file, bytes, strange)
  const time = fields.count('time')
  const listed = fields.list('drives')
  const drives = listed.flatMap(asked)
  if (fields.count('version') !== 1 || !isTime(time) || !fields.has('drives') || strange.length > 0) {
    throw new Error(`${file}: is no index of reports${strange.length > 0 ? `: ${strange[0]}` : ''}`)
  }
  if (drives.length < listed.length) throw new Error(`${file}: names a drive without its device, type and report`)
  return { time, drives: drives.slice(0, mostDrives) }
}

function asked(drive: Fields): Asked[] {
  const [device, type] = [drive.text('device'), drive.text('type')]
  const [file, trouble] = [drive.text('file'), drive.text('trouble')]
  if (device === undefined || type === undefined) return []
  // A report lies beside the index and nowhere else.
  if (file !== undefined) return /^\w[\w.-]*\.json$/.test(file) ? [{ device, type, file }] : []
  return trouble === undefined ? [] : [{ device, type, trouble }]
}
