// What is new since the pass before: pure, so that what was remembered and what is seen give always the same events.

import type { Attributes, Event, Json, Severity } from '../../core/model.ts'
import type { EventKind } from '../metric.ts'
import { type Drive, isNameless, nameOf } from './drives.ts'
import type { Identity } from './identity.ts'
import type { Keys, Known, Memory, Remembered } from './memory.ts'
import { identityKeys, origin } from './metrics.ts'
import { type Counter, type Entry, type Log, logs, type Told } from './told.ts'

const keys = [...identityKeys, 'hw.name']
const event = (what: string, brief: string): EventKind => ({
  name: `hw.physical_disk.${what}`,
  attributes: keys,
  origin,
  brief,
})

export const kinds = {
  appeared: event('appeared', 'a drive that was not there before'),
  vanished: event('vanished', 'a drive is no longer there'),
  replaced: event('replaced', 'another drive in the place of one that is gone; body: from, to'),
  unanswered: event('unanswered', 'a drive gives no report, and when it does again; body: answers, reason'),
  state: event('state_changed', 'what the drive says of its health; body: from, to, reasons'),
  grown: event('errors_grown', 'a counter of errors grew; body: counter, from, to, and since when it was at from'),
  error: event('error_logged', "an entry of the drive's error log, each once; those there at first are info"),
  tested: event('self_tested', "an entry of the drive's self-test log, each once; those there at first are info"),
  firmware: event('firmware_changed', 'body: from, to'),
} as const

const logKinds = { errors: kinds.error, self_tests: kinds.tested } as const

/** Entries of one log told in one pass; drives keep fewer. */
const mostEntries = 100
/** Drives that are gone are remembered for a while: one that comes back has no news of old errors. */
const forgetAfter = 90 * 86_400_000
const mostKnown = 1024

export function attributesOf({ id, vendor, model, serial }: Identity): Attributes {
  return {
    'hw.id': id,
    'hw.type': 'physical_disk',
    ...(vendor !== undefined && { 'hw.vendor': vendor }),
    ...(model !== undefined && { 'hw.model': model }),
    ...(serial !== undefined && { 'hw.serial_number': serial }),
  }
}

/** `whole`: all devices of the host were looked for, so that a drive not among them is gone. */
export function compare(
  past: Memory | undefined,
  drives: readonly Drive[],
  time: number,
  whole: boolean,
): { readonly memory: Memory; readonly events: readonly Event[] } {
  const events: Event[] = []
  const tell = (kind: EventKind, severity: Severity, known: Pick<Known, 'identity' | 'name'>, body: Json): void => {
    const attributes = { ...attributesOf(known.identity), 'hw.name': known.name }
    events.push({ name: kind.name, time, severity, body, attributes })
  }
  const known = new Map(past?.drives)
  const fresh = new Map<string, Known>()
  for (const drive of drives) {
    const before = known.get(drive.id)
    const now = look(drive, before, time, (kind, severity, body) =>
      tell(kind, severity, { identity: drive.identity, name: nameOf(drive) }, body),
    )
    known.set(drive.id, now)
    if ((before === undefined || before.gone !== undefined) && !isNameless(now.identity)) fresh.set(drive.slot, now)
  }
  if (whole) comingsAndGoings(past, known, drives, fresh, time, tell)
  return { memory: { time, drives: trimmed(known, time) }, events }
}

type Tell = (kind: EventKind, severity: Severity, body: Json) => void
type TellOf = (kind: EventKind, severity: Severity, known: Pick<Known, 'identity' | 'name'>, body: Json) => void

/** What a drive says now against what is remembered of it; and what to remember. */
function look(drive: Drive, before: Known | undefined, time: number, tell: Tell): Known {
  const { identity, slot, report, trouble } = drive
  silence(before, trouble, tell)
  const rest = { identity, slot, name: nameOf(drive), ...(trouble !== undefined && { silent: trouble }) }
  if (report === undefined || trouble !== undefined || report.asleep) {
    const { state, reasons = [], counters = {}, logs: kept = {} } = before ?? {}
    return { ...rest, identity: before?.identity ?? identity, ...(state && { state }), reasons, counters, logs: kept }
  }
  const { told } = report
  firmware(before, identity, tell)
  health(before, told, tell)
  const state = told.state ?? before?.state
  return {
    ...rest,
    ...(state !== undefined && { state }),
    reasons: told.reasons,
    counters: counters(before, told.counters, time, tell),
    logs: Object.fromEntries(logs.flatMap(log => entries(log, before, told, tell))),
  }
}

function silence(before: Known | undefined, trouble: string | undefined, tell: Tell): void {
  if (trouble !== undefined && before?.silent === undefined) {
    tell(kinds.unanswered, 'error', { answers: false, reason: trouble })
  }
  if (trouble === undefined && before?.silent !== undefined) {
    tell(kinds.unanswered, 'info', { answers: true, reason: before.silent })
  }
}

function firmware(before: Known | undefined, now: Identity, tell: Tell): void {
  const was = before?.identity.firmware
  if (was !== undefined && now.firmware !== undefined && was !== now.firmware) {
    tell(kinds.firmware, 'info', { from: was, to: now.firmware })
  }
}

const severities = { ok: 'info', degraded: 'warning', predicted_failure: 'critical', failed: 'critical' } as const

/** A verdict is a condition, not a counter: a drive that is failing when first seen is news. */
function health(before: Known | undefined, { state, reasons }: Told, tell: Tell): void {
  if (state === undefined) return
  const [was, why] = [before?.state ?? 'ok', before?.reasons ?? []]
  const fresh = reasons.some(reason => !why.includes(reason))
  if (state !== was || fresh) tell(kinds.state, severities[state], { from: was, to: state, reasons })
}

/** A counter that this report lacks is remembered as it was. */
function counters(before: Known | undefined, now: readonly Counter[], time: number, tell: Tell): Known['counters'] {
  const kept = { ...before?.counters }
  for (const counter of now) {
    const { key, name, value, severity } = counter
    const was = Object.hasOwn(kept, key) ? kept[key] : undefined
    if (was !== undefined && value > was.value && value !== was.before) {
      tell(kinds.grown, severity, {
        counter: name,
        from: was.value,
        to: value,
        since: new Date(was.since).toISOString(),
      })
    }
    kept[key] = step(was, counter, time)
  }
  return kept
}

/**
 * Counters fall when firmware is updated, or when a reading was wrong for once. The one that fell is news when it grows
 * again, unless it is back at what it was.
 */
function step(was: Remembered | undefined, { value, falls }: Counter, time: number): Remembered {
  if (was === undefined) return { value, since: time }
  if (value === was.value) return was
  if (value < was.value && !falls) return { value, since: time, before: was.value }
  return { value, since: value === was.before ? was.since : time }
}

/** A log is compared as a whole: drives number their entries in their own ways, wrap and reset. */
function entries(log: Log, before: Known | undefined, told: Told, tell: Tell): [Log, Keys][] {
  const now = told.logs.get(log)
  const was = before?.logs[log]
  if (now === undefined) return was === undefined ? [] : [[log, was]]
  const count: Record<string, number> = {}
  const fresh: Entry[] = []
  for (const entry of now) {
    const had = Object.hasOwn(count, entry.key) ? count[entry.key]! : 0
    count[entry.key] = had + 1
    if (had + 1 > ((was && Object.hasOwn(was, entry.key) ? was[entry.key] : 0) ?? 0)) fresh.push(entry)
  }
  // Newest first in the log; told as they came.
  for (const entry of fresh.slice(0, mostEntries).reverse()) {
    tell(logKinds[log], was === undefined ? 'info' : entry.severity, entry.body)
  }
  return [[log, count]]
}

/** At the very first pass all drives are new, which is no news. */
function comingsAndGoings(
  past: Memory | undefined,
  known: Map<string, Known>,
  drives: readonly Drive[],
  fresh: ReadonlyMap<string, Known>,
  time: number,
  tell: TellOf,
): void {
  const here = new Set(drives.map(d => d.id))
  const unannounced = new Map(past === undefined ? [] : fresh)
  for (const [id, drive] of known) {
    if (here.has(id) || drive.gone !== undefined) continue
    if (isNameless(drive.identity)) {
      known.delete(id)
      continue
    }
    known.set(id, { ...drive, gone: time })
    const other = unannounced.get(drive.slot)
    if (other === undefined) tell(kinds.vanished, 'error', drive, describe(drive))
    else tell(kinds.replaced, 'warning', other, { from: describe(drive), to: describe(other) })
    unannounced.delete(drive.slot)
  }
  for (const drive of unannounced.values()) tell(kinds.appeared, 'info', drive, describe(drive))
}

function describe({ identity: { id, model, serial, firmware }, name }: Known): { readonly [key: string]: Json } {
  const told = { id, name, model, serial, firmware }
  return Object.fromEntries(Object.entries(told).filter((t): t is [string, string] => t[1] !== undefined))
}

function trimmed(known: ReadonlyMap<string, Known>, time: number): ReadonlyMap<string, Known> {
  const kept = [...known].filter(([, { gone }]) => gone === undefined || time - gone < forgetAfter)
  if (kept.length <= mostKnown) return new Map(kept)
  return new Map(
    kept
      .sort(([, a], [, b]) => (b.gone ?? Number.POSITIVE_INFINITY) - (a.gone ?? Number.POSITIVE_INFINITY))
      .slice(0, mostKnown),
  )
}
