// Puts the stores behind what the API and the page see.

import type { Finding } from '../core/model.ts'
import { version } from '../core/version.ts'
import type {
  About,
  Change,
  DiskDetail,
  DiskSelector,
  DiskSummary,
  DiskView,
  FeedbackView,
  FindingView,
  IncidentDetail,
  IncidentSelector,
  IncidentView,
  Lines,
  NodeState,
  NodeView,
  SeriesView,
  View,
  Vitals,
  Window,
} from './api/view.ts'
import { isSimulated } from './api/view.ts'
import { diskDetail, seriesOf, summaryOf, worstOf } from './disks/disk-view.ts'
import type { Disks } from './disks/disks.ts'
import { findingId } from './finding-ids.ts'
import type { Incidents } from './incidents.ts'
import type { Meter } from './meter.ts'
import type { History, Ref } from './store/history.ts'
import { findingKey, type NodeRecord, type RecordChange, type Records } from './store/records.ts'
import { incidentDetail, incidentView } from './view-incidents.ts'

export interface ViewParts {
  readonly history: History
  readonly records: Records
  readonly disks: Pick<Disks, 'all' | 'get'>
  readonly incidents: Incidents
  readonly meter: Meter
  /** Nodes whose connection is known to be gone. */
  readonly offline: ReadonlySet<string>
  now(): number
}

/** A node that only keeps reporting is told of as seldom as this, ms. */
const nodePause = 2000
/** Something within this, ms, and the node is up whatever was said of its connection. */
const surelyUp = 5000

export class CollectorView implements View {
  readonly #parts: ViewParts
  readonly #listeners = new Set<(change: Change) => void>()
  readonly #startedAt: number
  /** Per node how many series it had when its series were last looked through, and what was found. */
  readonly #simulated = new Map<string, { series: number; simulated: boolean }>()
  /** What a view of incidents is made of. */
  readonly #seen = {
    finding: (key: string): FindingView | undefined => {
      const finding = this.#parts.records.known(key)
      return finding && this.#findingView(finding)
    },
    keysOf: (incident: string, limit: number) =>
      this.#parts.records.incidents.findingsOf(incident, limit).map(({ key }) => key),
    series: (id: number) => this.seriesById(id),
    feedback: (id: string) => this.#parts.records.incidents.feedbackOn(id),
    isSimulated: (node: string) => this.node(node)?.simulated === true,
    now: () => this.#parts.now(),
  }
  readonly #told = new Map<string, { at: number; state: NodeState; findings: number }>()

  constructor(parts: ViewParts) {
    this.#parts = parts
    this.#startedAt = parts.now()
  }

  nodes(): readonly NodeView[] {
    return this.#parts.records.nodes().map(record => this.#nodeView(record))
  }

  node(name: string): NodeView | undefined {
    const record = this.#parts.records.node(name)
    return record && this.#nodeView(record)
  }

  series({ limit, ...selector }: { node?: string; name?: string; limit: number }): readonly SeriesView[] {
    const found = this.#parts.history.find(selector)
    return found.sort(byName).slice(0, limit).map(seriesView)
  }

  seriesById(id: number): SeriesView | undefined {
    const ref = this.#parts.history.byId(id)
    return ref && seriesView(ref)
  }

  query(ids: readonly number[], window: Window): Lines {
    const { history } = this.#parts
    const { start, step, series } = history.query(
      ids.map(id => history.byId(id)!),
      window,
    )
    return { start, step, series: series.map(({ ref, ...columns }) => ({ id: ref.id, ...columns })) }
  }

  findings(selector: { open?: boolean; node?: string; limit: number }): readonly FindingView[] {
    return this.#parts.records.findings(selector).map(finding => this.#findingView(finding))
  }

  incidents(selector: IncidentSelector): readonly IncidentView[] {
    return this.#parts.records.incidents.find(selector).map(incident => incidentView(incident, this.#seen))
  }

  incident(id: string): IncidentDetail | undefined {
    const incident = this.#parts.records.incidents.get(id)
    return incident && incidentDetail(incident, this.#seen)
  }

  feedback(): readonly FeedbackView[] {
    return this.#parts.records.incidents.feedback()
  }

  notAProblem(about: About, note: string): FeedbackView {
    return this.#parts.incidents.notAProblem(about, note, this.#parts.now())
  }

  takeBack(id: string): boolean {
    return this.#parts.incidents.takeBack(id, this.#parts.now())
  }

  events(selector: { node?: string; from?: number; to?: number; limit: number }) {
    return this.#parts.records.events(selector)
  }

  disks({ node, limit }: DiskSelector): readonly DiskView[] {
    const { disks, now } = this.#parts
    const all = [...disks.all()]
    return worstOf(node === undefined ? all : all.filter(k => k.drive.home.node === node), now(), limit)
  }

  disk(id: string): DiskDetail | undefined {
    const { disks, history, now } = this.#parts
    const kept = disks.get(id)
    if (kept === undefined) return undefined
    const detail = diskDetail(kept, now())
    return { ...detail, series: seriesOf(kept, history).map(seriesView) }
  }

  diskSummary(): DiskSummary {
    const { disks, now } = this.#parts
    return summaryOf(disks.all(), now())
  }

  vitals(): Vitals {
    const { history, records, meter, now } = this.#parts
    const p99Ms = meter.p99(now())
    return {
      time: now(),
      startedAt: this.#startedAt,
      version,
      samplesPerSecond: meter.perSecond(undefined, now()),
      samples: meter.samples,
      ...(p99Ms !== undefined && { p99Ms }),
      series: history.stats().series,
      openFindings: records.openCount(),
      openIncidents: records.incidents.openCount(),
    }
  }

  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** The records changed. */
  changed(change: RecordChange): void {
    if (this.#listeners.size === 0) return
    if (change.kind === 'event') this.#tell(change)
    else this.#tell({ kind: 'finding', finding: this.#findingView(change.finding) })
  }

  /** Looks for nodes and incidents that changed; called about once a second. */
  tick(): void {
    const changed = this.#parts.incidents.changed()
    if (this.#listeners.size === 0) return
    for (const id of changed) {
      const incident = this.#parts.records.incidents.get(id)
      if (incident !== undefined) this.#tell({ kind: 'incident', incident: incidentView(incident, this.#seen) })
    }
    const now = this.#parts.now()
    for (const node of this.nodes()) {
      const told = this.#told.get(node.name)
      const same = told !== undefined && told.state === node.state && told.findings === node.openFindings
      if (same && (now - told.at < nodePause || node.lastSeen <= told.at)) continue
      this.#told.set(node.name, { at: now, state: node.state, findings: node.openFindings })
      this.#tell({ kind: 'node', node })
    }
  }

  #tell(change: Change): void {
    for (const listener of this.#listeners) listener(change)
  }

  #nodeView(record: NodeRecord): NodeView {
    const { records, history, meter, now } = this.#parts
    const { name, firstSeen, lastSeen, samples, attributes } = record
    const series = history.find({ node: name })
    return {
      name,
      state: this.#stateOf(record),
      simulated: this.#isSimulated(record, series),
      firstSeen,
      lastSeen,
      samplesPerSecond: meter.perSecond(name, now()),
      samples,
      series: series.length,
      openFindings: records.openCount(name),
      attributes,
    }
  }

  #stateOf({ name, lastSeen }: NodeRecord): NodeState {
    const { offline, records, now } = this.#parts
    if (now() - lastSeen < surelyUp) return 'up'
    if (offline.has(name)) return 'offline'
    const open = records.openFindings()
    return open.some(f => f.subject.node === name && f.subject.series === undefined && f.kind === 'silence')
      ? 'silent'
      : 'up'
  }

  #isSimulated({ name, attributes }: NodeRecord, series: readonly Ref[]): boolean {
    if (isSimulated(attributes)) return true
    const known = this.#simulated.get(name)
    if (known?.series === series.length) return known.simulated
    const simulated = series.some(ref => isSimulated(ref.series.attributes))
    this.#simulated.set(name, { series: series.length, simulated })
    return simulated
  }

  #findingView(finding: Finding): FindingView {
    const key = findingKey(finding)
    const known = { ...finding, id: findingId(key), ...this.#markOf(key) }
    const { node, series } = finding.subject
    if (series === undefined) return known
    const { name, attributes } = series
    const ref = this.#parts.history.find({ node, name, attributes, limit: 1 })[0]
    return { ...known, ...(ref && { seriesId: ref.id }) }
  }

  #markOf(key: string): Pick<FindingView, 'incident' | 'muted' | 'lowered'> {
    const { incident, muted, lowered } = this.#parts.records.incidents.marked(key) ?? {}
    return {
      ...(incident != null && { incident }),
      ...(muted != null && { muted }),
      ...(lowered != null && { lowered }),
    }
  }
}

function seriesView({ id, node, series, firstTime, lastTime }: Ref): SeriesView {
  return { id, node, series, firstTime, lastTime }
}

function byName(a: Ref, b: Ref): number {
  if (a.node !== b.node) return a.node < b.node ? -1 : 1
  if (a.series.name !== b.series.name) return a.series.name < b.series.name ? -1 : 1
  return a.id - b.id
}
