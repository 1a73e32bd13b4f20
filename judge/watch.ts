// One detector's eye on one series or node, and what its verdicts come to as findings. Pure: the collector and an edge each
// keep watches in their own way, and ask here what a sample or its absence means.

import type { Finding, Series, Subject } from '../core/model.ts'
import type { Detector, DetectorType, Verdict } from './detector.ts'
import type { Order } from './in-order.ts'

/** A configured detector. */
export interface WatchRule {
  readonly name: string
  readonly kind: string
  readonly detector: Detector<unknown>
  /** A state made under another definition is of no use. */
  readonly definition: string
}

export interface Watch extends Order {
  readonly rule: WatchRule
  readonly subject: Subject
  state: unknown
  /** Since when the finding that it stands behind lasts. */
  since: number | undefined
}

/** What outlives a restart. */
export type Saved = Pick<Watch, 'state' | 'last' | 'since'>

/** What a step comes to: first a finding ends, then one begins or is told anew. */
export interface News {
  readonly ended?: { readonly since: number; readonly until: number }
  /** Open. */
  readonly found?: Finding
}

/** `type` must be one of the detectors, `options` what its own shape made. */
export function openRule(
  { name, type, options }: { readonly name: string; readonly type: string; readonly options: unknown },
  detectors: readonly DetectorType<unknown>[],
): WatchRule {
  const kind = detectors.find(d => d.name === type)
  if (kind === undefined) throw new Error(`detector ${name}: there is no type ${type}`)
  return { name, kind: type, detector: kind.open(options), definition: JSON.stringify([type, options]) }
}

/** Begun anew where nothing was saved, or nothing that the detector can read. */
export function openWatch(rule: WatchRule, subject: Subject, saved: Saved | undefined): Watch {
  const begun = { state: rule.detector.start(subject.series), last: Number.NEGATIVE_INFINITY, since: undefined }
  return { rule, subject, ...begun, ...(saved && restored(rule.detector, saved)), behind: null }
}

function restored({ restore }: Detector<unknown>, saved: Saved): Saved | undefined {
  if (restore === undefined) return saved
  const state = restore(saved.state)
  return state === undefined ? undefined : { ...saved, state }
}

/** For `Saved`: plain JSON data. */
export function stateToSave({ rule: { detector }, state }: Watch): unknown {
  return detector.save === undefined ? state : detector.save(state)
}

/**
 * One sample that follows those before it, of `series` where the watch is that of a group. `before`: the clock was set back, and
 * this is where it was.
 * @throws what the detector throws; the watch is then of no use any more.
 */
export function step(
  watch: Watch,
  time: number,
  value: number,
  before: number | undefined,
  series?: Series,
): News | undefined {
  const ended = before === undefined ? undefined : setBack(watch, time, before)
  const news = conclude(watch, watch.rule.detector.step(watch.state, time, value, series))
  return ended === undefined ? news : { ended, ...news }
}

function setBack(watch: Watch, time: number, before: number): News['ended'] {
  const { detector } = watch.rule
  const { since } = watch
  const ended = since === undefined ? undefined : { since, until: Math.max(since, before) }
  watch.since = undefined
  if (detector.setBack === undefined) watch.state = detector.start(watch.subject.series)
  else detector.setBack(watch.state, time)
  return ended
}

/** The series is no longer what it was: what was learned of it is forgotten, and what was wrong has ended. */
export function beginAfresh(watch: Watch): News | undefined {
  const { since, last, rule, subject } = watch
  watch.since = undefined
  watch.state = rule.detector.start(subject.series)
  return since === undefined ? undefined : { ended: { since, until: Math.max(since, last) } }
}

/** For what shows only by absence; `present` as in `Detector.idle`. */
export function idle(watch: Watch, present: number): News | undefined {
  return conclude(watch, watch.rule.detector.idle?.(watch.state, present))
}

function conclude(watch: Watch, verdict: Verdict): News | undefined {
  if (verdict === undefined) return undefined
  const { rule, subject, since } = watch
  if ('until' in verdict) {
    watch.since = undefined
    return since === undefined ? undefined : { ended: { since, until: verdict.until } }
  }
  watch.since = verdict.since
  const found = { rule: rule.name, kind: rule.kind, subject, severity: rule.detector.severity, ...verdict }
  const isOther = since !== undefined && since !== verdict.since
  return isOther ? { ended: { since, until: verdict.since }, found } : { found }
}
