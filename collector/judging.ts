// Runs the detectors over what is folded: attaches them when a series or node is first seen, hands each sample on once
// and in order of time, opens and closes findings, and keeps the detectors' states over restarts.
//
// Constraints
// - A sample older than the newest judged of its series is stored but not judged: it comes late, from a backlog that
//   drains behind fresh data or by a road of its own. Only where the fresh stream itself stays back was the clock set back
//   (judge/in-order.ts); detectors then go on from there with what they have learned. A node is told of at once, because
//   `idle` goes by the same time.
// - States are written in the transaction that folds the samples they have seen. Findings go ahead of it; a replay after
//   a crash tells the same ones again, and `settle` closes what no state stands behind.
// - Silence proves nothing while the collector itself could not hear: see `deaf`.

import { reason } from '../core/errors.ts'
import { isOfEdge } from '../core/finding-event.ts'
import type { Say } from '../core/log.ts'
import type { Finding, Subject } from '../core/model.ts'
import type { Part } from '../core/parts.ts'
import type { DetectorType } from '../judge/detector.ts'
import { follow } from '../judge/in-order.ts'
import {
  beginAfresh,
  type News,
  openRule,
  openWatch,
  stateToSave,
  step,
  type Watch as WatchOf,
  type WatchRule,
  idle as whenIdle,
} from '../judge/watch.ts'
import { Checkpoints } from './judging-checkpoints.ts'
import type { History, Ref } from './store/history.ts'
import { findingKey, type NodeRecord, type Records } from './store/records.ts'

export interface JudgingOptions {
  /** What is configured: each part's type is the name of a detector. */
  readonly rules: readonly Part[]
  readonly detectors: readonly DetectorType<unknown>[]
  readonly history: Pick<History, 'db' | 'find' | 'spare'>
  readonly records: Records
  readonly say: Say
}

/** One detector's eye on one series, on one node, or on one series as one of the group of its node. */
export interface Watch extends WatchOf {
  /** The series' id, 0 for a node or group. */
  readonly ref: number
  /** Of one series of a group: the watch of the group. It has the state and the finding, this one the order of its series. */
  readonly group?: Watch
  changed: boolean
  failed: boolean
}

/** How samples came. */
export interface Came {
  /** By a stream that is not its spool's newest. */
  readonly backlog: boolean
  /** When, by the collector's clock, ms. */
  readonly received: number
}

export interface JudgingStats {
  watches: number
  /** Samples judged, once for each detector. */
  steps: number
  late_samples: number
  failed_watches: number
}

/** After the collector could not hear, everyone gets so long to be heard again. */
const grace = 60_000
/** Without a call for so long, the collector itself was held still. */
const heldStill = 30_000

export class Judging {
  readonly #rules: readonly WatchRule[]
  readonly #options: JudgingOptions
  readonly #checkpoints: Checkpoints
  readonly #nodes = new Map<string, Watch[]>()
  readonly #groups = new Map<string, Watch[]>()
  /** Those of series that judge absence too. */
  readonly #idleSeries = new Set<Watch>()
  #changed: Watch[] = []
  #lastIdle = Number.NEGATIVE_INFINITY
  #deafUntil = Number.POSITIVE_INFINITY
  readonly #stats: JudgingStats = { watches: 0, steps: 0, late_samples: 0, failed_watches: 0 }

  constructor(options: JudgingOptions) {
    this.#options = options
    this.#rules = options.rules.map(part => openRule(part, options.detectors))
    this.#checkpoints = new Checkpoints(options.history.db)
    for (const ref of options.history.find({})) this.#attach(ref)
    for (const { name } of options.records.nodes()) this.#watchesOf(name, 'node')
  }

  /** Sets the watches of a series that has just come to be known. */
  attach(ref: Ref): void {
    if (this.#attach(ref) && ref.count === 0) this.#retire(ref)
  }

  /** False if nothing watches it, or did already. */
  #attach(ref: Ref): boolean {
    if (ref.watch !== undefined) return false
    const { node, series, id } = ref
    const rules = this.#rules.filter(r => r.detector.scope === 'series' && r.detector.watches(node, series))
    const watches = rules.map(rule => this.#watch(rule, { node, series }, id))
    const groups = this.#watchesOf(node, 'group').filter(({ rule }) => rule.detector.watches(node, series))
    for (const group of groups) watches.push(memberOf(group, { node, series }, id))
    if (watches.length === 0) return false
    ref.watch = watches
    return true
  }

  /** A new series has the name and attributes of another, in another unit: the other is begun afresh, should it come back. */
  #retire({ id, node, series }: Ref): void {
    for (const other of this.#options.history.find({ node, name: series.name, attributes: series.attributes })) {
      if (other.id === id || Object.keys(other.series.attributes).length > Object.keys(series.attributes).length)
        continue
      for (const watch of (other.watch as Watch[] | undefined) ?? []) {
        if (watch.group !== undefined) continue
        const news = beginAfresh(watch)
        if (news !== undefined) this.#tell(watch, news)
        this.#touch(watch)
      }
    }
  }

  /** One sample of a series that has watches; `patience` as in `follow`. */
  step(watches: Watch[], time: number, value: number, { backlog, received }: Came, patience?: number): void {
    for (let n = watches.length - 1; n >= 0; n--) {
      const watch = watches[n]!
      const before = watch.last
      const place = backlog && time < before ? 'late' : follow(watch, time, received, patience)
      if (place === 'late') this.#stats.late_samples++
      else if (!this.#step(watch, time, value, place === 'back' ? before : undefined)) watches.splice(n, 1)
    }
  }

  /** All that came from a node at once. */
  stepNode(node: string, time: number, count: number, came: Came): void {
    this.step(this.#watchesOf(node, 'node'), time, count, came, 0)
  }

  /** About once a second, by the collector's clock: judges what shows only by absence. */
  idle(now: number): void {
    const apart = now - this.#lastIdle
    this.#lastIdle = now
    if (apart < 0 || apart > heldStill) this.deaf(now)
    if (now < this.#deafUntil) return
    for (const [name, watches] of [...this.#nodes, ...this.#groups]) {
      const node = this.#options.records.node(name)
      if (node !== undefined) for (const watch of watches) if (!watch.failed) this.#idle(watch, presentOf(node, now))
    }
    for (const watch of this.#idleSeries) {
      const node = this.#options.records.node(watch.subject.node)
      if (node !== undefined) this.#idle(watch, node.lastTime)
    }
  }

  /** To be called as long as the collector cannot hear (its broker is gone): silence proves nothing until a while later. */
  deaf(now: number): void {
    this.#deafUntil = now + grace
  }

  /** Writes the states that changed; in the transaction that folds. */
  write(now: number): void {
    for (const watch of this.#changed) {
      const { rule, subject, ref, last, since } = watch
      const about = { rule: rule.name, definition: rule.definition, node: subject.node, ref }
      this.#checkpoints.put({ ...about, last, since, state: stateToSave(watch), at: now })
    }
  }

  /** After its commit. */
  written(): void {
    for (const watch of this.#changed) watch.changed = false
    this.#changed = []
  }

  /**
   * After the replay, and now and then: closes findings of detectors that nobody stands behind, because the rule, the
   * series or the node is gone. Those of edges have their own end (ingest/edge-findings.ts).
   */
  settle(now: number): void {
    for (const nodes of [this.#nodes, this.#groups]) {
      for (const name of nodes.keys()) if (this.#options.records.node(name) === undefined) nodes.delete(name)
    }
    const alive = new Set(this.#allWatches())
    for (const watch of this.#idleSeries) if (!alive.has(watch)) this.#idleSeries.delete(watch)
    const held = new Set<string>()
    for (const watch of alive) if (watch.since !== undefined && !watch.failed) held.add(keyOf(watch, watch.since))
    const kinds = new Set(this.#options.detectors.map(d => d.name))
    for (const finding of this.#options.records.openFindings()) {
      if (!isOfEdge(finding) && kinds.has(finding.kind) && !held.has(findingKey(finding))) {
        this.#options.records.finding({ ...finding, until: Math.max(finding.since, now) })
      }
    }
  }

  /** Drops states that nothing changed for long. */
  forget(now: number): void {
    this.#checkpoints.forget(now)
  }

  stats(): Readonly<JudgingStats> {
    return this.#stats
  }

  #watchesOf(node: string, scope: 'node' | 'group'): Watch[] {
    const nodes = scope === 'node' ? this.#nodes : this.#groups
    const known = nodes.get(node)
    if (known !== undefined) return known
    const rules = this.#rules.filter(r => r.detector.scope === scope && r.detector.watches(node, undefined))
    const watches = rules.map(rule => this.#watch(rule, { node }, 0))
    nodes.set(node, watches)
    return watches
  }

  #watch(rule: WatchRule, subject: Subject, ref: number): Watch {
    const { history } = this.#options
    const saved = history.spare(() => this.#checkpoints.take(rule.name, rule.definition, subject.node, ref))
    const watch: Watch = { ...openWatch(rule, subject, saved), ref, changed: false, failed: false }
    if (ref !== 0 && rule.detector.idle !== undefined) this.#idleSeries.add(watch)
    this.#stats.watches++
    return watch
  }

  /** `before`: when the clock was set back, where it was. False if the detector failed and watches no longer. */
  #step(one: Watch, time: number, value: number, before: number | undefined): boolean {
    const watch = one.group ?? one
    if (watch.failed) return false
    watch.last = one.last
    this.#touch(watch)
    this.#stats.steps++
    try {
      const news = step(watch, time, value, before, one.subject.series)
      if (news !== undefined) this.#tell(watch, news)
      return true
    } catch (error) {
      this.#failed(watch, error)
      return false
    }
  }

  #touch(watch: Watch): void {
    if (!watch.changed) this.#changed.push(watch)
    watch.changed = true
  }

  #idle(watch: Watch, present: number): void {
    const news = whenIdle(watch, present)
    if (news === undefined) return
    this.#touch(watch)
    this.#tell(watch, news)
  }

  #failed(watch: Watch, error: unknown): void {
    this.#stats.failed_watches++
    this.#stats.watches--
    watch.failed = true
    this.#idleSeries.delete(watch)
    this.#changed = this.#changed.filter(other => other !== watch)
    const { rule, subject } = watch
    this.#options.say('error', `detector ${rule.name} failed and watches this no longer: ${reason(error)}`, {
      node: subject.node,
      series: subject.series?.name ?? '',
    })
  }

  #tell(watch: Watch, { ended, found }: News): void {
    const { records } = this.#options
    const known = ended && records.known(keyOf(watch, ended.since))
    if (known !== undefined) records.finding({ ...known, until: ended!.until })
    if (found !== undefined) records.finding(found)
  }

  *#allWatches(): Generator<Watch> {
    for (const watches of [...this.#nodes.values(), ...this.#groups.values()]) yield* watches
    for (const { watch } of this.#options.history.find({})) yield* (watch as Watch[] | undefined) ?? []
  }
}

function memberOf(group: Watch, subject: Subject, ref: number): Watch {
  const order = { last: Number.NEGATIVE_INFINITY, behind: null }
  return {
    rule: group.rule,
    subject,
    ref,
    group,
    ...order,
    state: undefined,
    since: undefined,
    changed: false,
    failed: false,
  }
}

function keyOf({ rule, subject }: Watch, since: number): string {
  return findingKey({ rule: rule.name, subject, since } satisfies Pick<Finding, 'rule' | 'subject' | 'since'>)
}

/** The present by the node's own clock: as much later than its newest sample as it is since that came. */
function presentOf({ lastSeen, lastTime }: NodeRecord, now: number): number {
  return lastTime + (now - lastSeen)
}
