// What the API and the page see of the collector, and nothing else. `collector/view.ts` puts the stores behind it;
// tests put plain data behind it. All times are ms since the Unix epoch by the collector's clock.

import type { Attributes, Event, Finding, Series, Severity } from '../../core/model.ts'
import type { CountName, Medium } from '../../judge/disks/reading.ts'
import type { Ground } from '../../judge/incidents/cause.ts'
import type { Pattern } from '../../judge/incidents/feedback.ts'
import type { Place } from '../../judge/incidents/place.ts'

export const nodeStates = ['up', 'silent', 'offline'] as const
/** `offline`: its connection is known to be gone. `silent`: connected or unknown, but nothing has come for too long. */
export type NodeState = (typeof nodeStates)[number]

export interface NodeView {
  readonly name: string
  readonly state: NodeState
  /** The resource or any of its series carries `simulated: true`. */
  readonly simulated: boolean
  readonly firstSeen: number
  readonly lastSeen: number
  /** Over the last few seconds. */
  readonly samplesPerSecond: number
  /** Stored since it was first seen. */
  readonly samples: number
  readonly series: number
  readonly openFindings: number
  /** The resource attributes. */
  readonly attributes: Attributes
}

export interface SeriesView {
  /** Stays the same for as long as the series has data. */
  readonly id: number
  readonly node: string
  readonly series: Series
  readonly firstTime: number
  readonly lastTime: number
}

export interface SeriesSelector {
  readonly node?: string
  readonly name?: string
  readonly limit: number
}

export const readings = ['value', 'rate'] as const
/** `rate` is per second and only counters have it. */
export type Reading = (typeof readings)[number]

export interface Window {
  readonly from: number
  /** Exclusive. */
  readonly to: number
  /** At most so many. */
  readonly buckets: number
}

/** Bucket k holds what lies in [start + k * step, start + (k + 1) * step); the first may begin before `from`. */
export interface Lines {
  readonly start: number
  readonly step: number
  /** In the order asked. */
  readonly series: readonly Line[]
}

/** Every column has one entry a bucket, NaN where it is empty. */
export interface Line {
  readonly id: number
  readonly min: ArrayLike<number>
  readonly max: ArrayLike<number>
  readonly mean: ArrayLike<number>
  /** Counters only: growth a second, resets seen through. */
  readonly rate?: ArrayLike<number>
}

export interface FindingView extends Finding {
  /** Stays the same from opening to closing and over restarts. */
  readonly id: string
  /** The series' id in history, if it still has data. */
  readonly seriesId?: number
  /** The incident it belongs to. */
  readonly incident?: string
  /** The mute that it fell under; then it opened no incident. */
  readonly muted?: string
  /** The feedback "not a problem" that it falls under. */
  readonly lowered?: string
}

export interface FindingSelector {
  /** Only open ones, only closed ones, or both. */
  readonly open?: boolean
  readonly node?: string
  readonly limit: number
}

export interface CauseView {
  readonly finding: FindingView
  readonly ground: Ground
  /** ms after the earliest finding of the incident. */
  readonly after: number
  /** One sentence for a person. */
  readonly reason: string
}

export interface IncidentView {
  /** Stays the same from opening to closing and over restarts. */
  readonly id: string
  readonly severity: Severity
  /** When its earliest finding began, and its latest. */
  readonly since: number
  readonly latest: number
  /** When the last of its findings ended; absent while one is open. */
  readonly until?: number
  /** All that ever belonged to it. */
  readonly findings: number
  readonly openFindings: number
  /** How many of them were called "not a problem". */
  readonly lowered: number
  readonly hosts: number
  /** The first hundred. */
  readonly nodes: readonly string[]
  /** What all of them share. */
  readonly place: Place
  /** The rule that many hosts broke at one moment, `*` for many rules. */
  readonly common?: string
  /** The incident it turned out to be a part of. */
  readonly into?: string
  readonly simulated: boolean
  /** A guess. */
  readonly cause?: CauseView
  readonly feedback?: FeedbackView
}

export interface IncidentDetail extends IncidentView {
  /** Findings that may be its cause, the likeliest first. */
  readonly evidence: readonly FindingView[]
  /** Series to look at, and when. */
  readonly charts: readonly SeriesView[]
  readonly from: number
  readonly to: number
  /** Its findings in the order in which they began, a bounded number. */
  readonly timeline: readonly FindingView[]
  /** There are more than the time line has. */
  readonly more: boolean
}

export interface IncidentSelector {
  /** Only open ones, only those that are over, or both. */
  readonly open?: boolean
  readonly limit: number
}

/** "Not a problem", said of an incident or a finding; `id` is that of the thing. */
export interface FeedbackView {
  readonly id: string
  readonly about: 'incident' | 'finding'
  readonly at: number
  readonly note: string
  readonly patterns: readonly Pattern[]
}

export type About = { readonly incident: string } | { readonly finding: string }

export interface EventView extends Event {
  readonly node: string
}

export interface EventSelector {
  readonly node?: string
  readonly from?: number
  readonly to?: number
  readonly limit: number
}

export const diskRisks = ['watch', 'warning', 'critical'] as const
export type DiskRisk = (typeof diskRisks)[number]
export const diskTrends = ['rising', 'steady', 'falling', 'unknown'] as const

export interface DiskView {
  /** Stays the same wherever the drive is. */
  readonly id: string
  /** Where it is, and its name there today. */
  readonly node: string
  readonly device: string | null
  readonly vendor: string | null
  readonly model: string | null
  readonly serial: string | null
  readonly medium: Medium
  readonly simulated: boolean
  /** 10^12 bytes. */
  readonly terabytes: number | null
  /** Under power. */
  readonly hours: number | null
  /** When it was read last. */
  readonly readAt: number | null
  readonly asleep: boolean
  /** When its node said that it is gone. */
  readonly gone: number | null
  /** The gravest of its score, its wear and what it says itself; null: calm. */
  readonly risk: DiskRisk | null
  /** Whether there is a score. */
  readonly known: boolean
  /** Of failing within 30 days. */
  readonly probability: number | null
  readonly level: DiskRisk | null
  readonly trend: (typeof diskTrends)[number]
  /** The score for a person, or why there is none. */
  readonly sentence: string
  readonly reasons: readonly string[]
  /** What it says of itself that is not well. */
  readonly says: readonly string[]
  /** Of flash. */
  readonly wear: DiskWear | null
}

/** `from`, `at`, `to`: when it is worn out, at the earliest, about, at the latest; null: nobody knows, or in 20 years. */
export interface DiskWear {
  /** Of the endurance its maker promises; may pass 1. */
  readonly used: number
  readonly known: boolean
  readonly from: number | null
  readonly at: number | null
  readonly to: number | null
  readonly sentence: string
}

export interface DiskCount {
  readonly name: CountName
  readonly value: number
  /** When the drive was first seen. */
  readonly first: number
  readonly grown7: number
  readonly grown30: number
  readonly grown120: number
  readonly grownAt: number | null
  /** Day by day, within 120 days. */
  readonly growth: readonly { readonly time: number; readonly by: number }[]
}

export interface DiskDetail extends DiskView {
  /** When it was first read. */
  readonly since: number
  /** Where it was, the newest first. */
  readonly nodes: readonly string[]
  readonly counts: readonly DiskCount[]
  /** One a day, at most 30. */
  readonly scores: readonly { readonly time: number; readonly probability: number }[]
  /** What history has of it: its score and what it goes by. */
  readonly series: readonly SeriesView[]
}

export interface DiskSummary {
  readonly drives: number
  /** Of these; the three together are all. */
  readonly scored: number
  readonly unknown: number
  readonly gone: number
  readonly watch: number
  readonly warning: number
  readonly critical: number
}

export interface DiskSelector {
  readonly node?: string
  readonly limit: number
}

export interface Vitals {
  /** The collector's present time. */
  readonly time: number
  readonly startedAt: number
  readonly version: string
  /** Committed in the last few seconds, a second. */
  readonly samplesPerSecond: number
  /** Committed since the start. */
  readonly samples: number
  /** From sample time to commit, ms, over the last minute or so; undefined before the first sample. */
  readonly p99Ms?: number
  readonly series: number
  readonly openFindings: number
  readonly openIncidents: number
}

export type Change =
  | { readonly kind: 'node'; readonly node: NodeView }
  | { readonly kind: 'finding'; readonly finding: FindingView }
  | { readonly kind: 'event'; readonly event: EventView }
  | { readonly kind: 'incident'; readonly incident: IncidentView }

export interface View {
  /** By name. */
  nodes(): readonly NodeView[]
  node(name: string): NodeView | undefined
  /** By name, then attributes. */
  series(selector: SeriesSelector): readonly SeriesView[]
  seriesById(id: number): SeriesView | undefined
  /** Every id is known when this is called. */
  query(ids: readonly number[], window: Window): Lines
  /** Open ones first, then the newest `since` first. */
  findings(selector: FindingSelector): readonly FindingView[]
  /** Open ones first, then those that began last; parts of others are not among them. */
  incidents(selector: IncidentSelector): readonly IncidentView[]
  incident(id: string): IncidentDetail | undefined
  /** The newest first. */
  feedback(): readonly FeedbackView[]
  /** Calls it "not a problem". @throws Refused where nothing is known of it, or it is about too much. */
  notAProblem(about: About, note: string): FeedbackView
  /** False if there is no such feedback. */
  takeBack(id: string): boolean
  /** The newest first. */
  events(selector: EventSelector): readonly EventView[]
  /** Those at risk first. */
  disks(selector: DiskSelector): readonly DiskView[]
  disk(id: string): DiskDetail | undefined
  diskSummary(): DiskSummary
  vitals(): Vitals
  /**
   * Calls `listener` with each change until the returned function is called. A node that only keeps reporting may be
   * told of as seldom as every few seconds; a change of its state or findings at once.
   */
  subscribe(listener: (change: Change) => void): () => void
}

export function isSimulated(attributes: Attributes): boolean {
  return attributes.simulated === true
}
