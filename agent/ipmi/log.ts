// The event log of a BMC: how full it is, and each entry once. What was there when it was first read is no news.

import type { Event, Severity } from '../../core/model.ts'
import { type EventKind, metric } from '../metric.ts'
import type { LogEntry } from './parse.ts'

export const logUsed = metric(
  'hw.log.utilization',
  '1',
  'gauge',
  ['hw.log.name'],
  'ipmitool sel info',
  'part of the event log in use',
)
export const logEntries = metric(
  'hw.log.entries',
  '{entry}',
  'gauge',
  ['hw.log.name'],
  'ipmitool sel info',
  'entries of the event log',
)

export const sel = { 'hw.log.name': 'SEL' }
export const logEvents: readonly EventKind[] = [
  {
    name: 'hw.log.entry',
    attributes: ['hw.log.name'],
    origin: 'ipmitool sel elist',
    brief: 'an entry of the event log, once; body: id, at (by the clock of the BMC), sensor, message, asserted',
  },
  {
    name: 'hw.log.nearly_full',
    attributes: ['hw.log.name'],
    origin: 'ipmitool sel info',
    brief: 'the event log has little room left, and a full one takes no more entries; body: state begin or end, used',
  },
]

const fullAt = 0.9
const roomAgainAt = 0.8

export type Log = ReturnType<typeof openLog>

interface Kept {
  /** Undefined before the log was first read: what was there then is no news. */
  readonly mark?: string
  readonly keys: readonly string[]
  readonly full: boolean
}

export function openLog(saved: string | undefined) {
  let { mark, keys, full } = restored(saved)

  const fill = (used: number, time: number): Event[] => {
    const now = used >= fullAt || (full && used >= roomAgainAt)
    if (now === full) return []
    full = now
    const body = { state: now ? 'begin' : 'end', used }
    return [{ name: 'hw.log.nearly_full', time, severity: now ? 'warning' : 'info', body, attributes: sel }]
  }

  /** Whether these go back to what is known. */
  const knows = (entries: readonly LogEntry[]): boolean =>
    mark === undefined || keys.length === 0 || entries.length < 100 || entries.some(e => keys.includes(e.key))

  const news = (newMark: string, entries: readonly LogEntry[], time: number): Event[] => {
    const isFirst = mark === undefined
    const fresh = entries.slice(entries.findLastIndex(e => keys.includes(e.key)) + 1)
    mark = newMark
    keys = entries.slice(-100).map(e => e.key)
    return isFirst ? [] : fresh.map(entry => eventOf(entry, time))
  }

  const text = (): string => JSON.stringify({ mark, keys, full })
  return { fill, knows, news, isNew: (newMark: string) => newMark !== mark, text }
}

function eventOf({ id, at, sensor, text, asserted }: LogEntry, time: number): Event {
  const body = { id, at, sensor, message: text, asserted }
  return { name: 'hw.log.entry', time, severity: severityOf(text, asserted), body, attributes: sel }
}

function severityOf(text: string, asserted: boolean): Severity {
  if (!asserted) return 'info'
  if (/non-?recoverable|uncorrectable|fatal/i.test(text)) return 'critical'
  if (/non-?critical|predictive|correctable|redundancy|lost|degraded/i.test(text)) return 'warning'
  return /critical|fail|fault|error|over ?temp|thermal trip|IERR/i.test(text) ? 'error' : 'info'
}

function restored(saved: string | undefined): Kept {
  try {
    const { mark, keys, full } = JSON.parse(saved ?? '') as Kept
    return { ...(typeof mark === 'string' && { mark }), keys: [...keys], full: full === true }
  } catch {
    // Nothing was saved, or something else: begin with what is there.
    return { keys: [], full: false }
  }
}
