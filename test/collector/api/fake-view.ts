// A View over plain data, which tests change as they go.

import type {
  About,
  Change,
  DiskDetail,
  DiskSelector,
  DiskSummary,
  DiskView,
  EventSelector,
  EventView,
  FeedbackView,
  FindingSelector,
  FindingView,
  IncidentDetail,
  IncidentSelector,
  Line,
  Lines,
  NodeView,
  SeriesSelector,
  SeriesView,
  View,
  Vitals,
  Window,
} from '../../../collector/api/view.ts'
import { diskRisks } from '../../../collector/api/view.ts'
import type { Attributes, Series, SeriesKind } from '../../../core/model.ts'

interface Recorded extends SeriesView {
  readonly samples: { readonly time: number; readonly value: number }[]
}

export class FakeView implements View {
  readonly #nodes = new Map<string, NodeView>()
  readonly #series: Recorded[] = []
  readonly #findings = new Map<string, FindingView>()
  readonly #incidents = new Map<string, IncidentDetail>()
  readonly #feedback = new Map<string, FeedbackView>()
  readonly #events: EventView[] = []
  readonly #disks: DiskDetail[] = []
  readonly #listeners = new Set<(change: Change) => void>()
  #vitals: Vitals = {
    time: 0,
    startedAt: Date.now(),
    version: '0.1.0',
    samplesPerSecond: 0,
    samples: 0,
    series: 0,
    openFindings: 0,
    openIncidents: 0,
  }

  setVitals(vitals: Partial<Vitals>): void {
    this.#vitals = { ...this.#vitals, ...vitals }
  }

  setNode(name: string, change: Partial<NodeView> = {}): void {
    const now = Date.now()
    const fresh: NodeView = {
      name,
      state: 'up',
      simulated: false,
      firstSeen: now,
      lastSeen: now,
      samplesPerSecond: 0,
      samples: 0,
      series: 0,
      openFindings: 0,
      attributes: {},
    }
    const node = { ...(this.#nodes.get(name) ?? fresh), ...change }
    this.#nodes.set(name, node)
    this.#tell({ kind: 'node', node })
  }

  addSeries(node: string, name: string, unit: string, kind: SeriesKind, attributes: Attributes = {}): number {
    const series: Series = { name, unit, kind, attributes }
    const id = this.#series.length + 1
    this.#series.push({ id, node, series, firstTime: 0, lastTime: 0, samples: [] })
    const owner = this.#nodes.get(node)
    if (owner) this.setNode(node, { series: owner.series + 1 })
    return id
  }

  append(id: number, time: number, value: number): void {
    this.#series[id - 1]!.samples.push({ time, value })
  }

  setFinding(finding: FindingView): void {
    this.#findings.set(finding.id, finding)
    const node = this.#nodes.get(finding.subject.node)
    const open = [...this.#findings.values()].filter(f => f.until === undefined)
    this.setVitals({ openFindings: open.length })
    this.#tell({ kind: 'finding', finding })
    if (node) this.setNode(node.name, { openFindings: open.filter(f => f.subject.node === node.name).length })
  }

  setIncident(incident: IncidentDetail): void {
    this.#incidents.set(incident.id, incident)
    this.setVitals({ openIncidents: this.incidents({ open: true, limit: 1000 }).length })
    this.#tell({ kind: 'incident', incident })
  }

  addEvent(event: EventView): void {
    this.#events.unshift(event)
    this.#tell({ kind: 'event', event })
  }

  /** In the order of their risk. */
  addDisk(disk: DiskDetail): void {
    this.#disks.push(disk)
  }

  get listeners(): number {
    return this.#listeners.size
  }

  nodes(): readonly NodeView[] {
    return [...this.#nodes.values()].sort((a, b) => a.name.localeCompare(b.name))
  }

  node(name: string): NodeView | undefined {
    return this.#nodes.get(name)
  }

  series({ node, name, limit }: SeriesSelector): readonly SeriesView[] {
    const fits = (s: SeriesView): boolean => (!node || s.node === node) && (!name || s.series.name === name)
    return this.#series.filter(fits).slice(0, limit).map(withTimes)
  }

  seriesById(id: number): SeriesView | undefined {
    const found = this.#series[id - 1]
    return found && withTimes(found)
  }

  query(ids: readonly number[], window: Window): Lines {
    const series = ids.map(id => line(this.#series[id - 1]!, window))
    return { start: window.from, step: (window.to - window.from) / window.buckets, series }
  }

  findings({ open, node, limit }: FindingSelector): readonly FindingView[] {
    const fits = (f: FindingView): boolean =>
      (open === undefined || open === (f.until === undefined)) && (!node || f.subject.node === node)
    const order = (a: FindingView, b: FindingView): number =>
      Number(a.until !== undefined) - Number(b.until !== undefined) || b.since - a.since
    return [...this.#findings.values()].filter(fits).sort(order).slice(0, limit)
  }

  incidents({ open, limit }: IncidentSelector): readonly IncidentDetail[] {
    const all = [...this.#incidents.values()]
    return all.filter(i => open === undefined || open === (i.until === undefined)).slice(0, limit)
  }

  incident(id: string): IncidentDetail | undefined {
    return this.#incidents.get(id)
  }

  feedback(): readonly FeedbackView[] {
    return [...this.#feedback.values()]
  }

  notAProblem(about: About, note: string): FeedbackView {
    const [of, id] =
      'incident' in about ? (['incident', about.incident] as const) : (['finding', about.finding] as const)
    const pattern = {
      rule: 'oil-too-hot',
      metric: 'press.oil.temperature',
      node: 'press-gw',
      place: null,
      severity: 'error',
    } as const
    const feedback = { id, about: of, at: Date.now(), note, patterns: [pattern] }
    this.#feedback.set(id, feedback)
    const incident = this.#incidents.get(id)
    if (incident) this.setIncident({ ...incident, feedback, until: Date.now(), openFindings: 0 })
    return feedback
  }

  takeBack(id: string): boolean {
    const { feedback: _, until: __, ...incident } = this.#incidents.get(id) ?? {}
    if ('id' in incident) this.setIncident(incident as IncidentDetail)
    return this.#feedback.delete(id)
  }

  events({ node, from = 0, to = Number.POSITIVE_INFINITY, limit }: EventSelector): readonly EventView[] {
    const fits = (e: EventView): boolean => (!node || e.node === node) && e.time >= from && e.time < to
    return this.#events.filter(fits).slice(0, limit)
  }

  disks({ node, limit }: DiskSelector): readonly DiskView[] {
    return this.#disks.filter(d => node === undefined || d.node === node).slice(0, limit)
  }

  disk(id: string): DiskDetail | undefined {
    return this.#disks.find(d => d.id === id)
  }

  diskSummary(): DiskSummary {
    const count = (fits: (disk: DiskDetail) => boolean): number => this.#disks.filter(fits).length
    const [watch, warning, critical] = diskRisks.map(risk => count(d => d.risk === risk)) as [number, number, number]
    const gone = count(d => d.gone !== null)
    const scored = count(d => d.known)
    const drives = this.#disks.length
    return { drives, scored, unknown: drives - scored - gone, gone, watch, warning, critical }
  }

  vitals(): Vitals {
    return { ...this.#vitals, time: Date.now(), series: this.#series.length }
  }

  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  #tell(change: Change): void {
    for (const listener of this.#listeners) listener(change)
  }
}

function withTimes({ samples, ...view }: Recorded): SeriesView {
  return { ...view, firstTime: samples[0]?.time ?? 0, lastTime: samples.at(-1)?.time ?? 0 }
}

function line({ id, series, samples }: Recorded, { from, to, buckets }: Window): Line {
  const min = new Float64Array(buckets).fill(Number.NaN)
  const max = min.slice()
  const mean = min.slice()
  const rate = min.slice()
  const counts = new Float64Array(buckets)
  const step = (to - from) / buckets
  for (const [n, { time, value }] of samples.entries()) {
    if (time < from || time >= to) continue
    const at = Math.floor((time - from) / step)
    const before = samples[n - 1]
    min[at] = counts[at] ? Math.min(min[at]!, value) : value
    max[at] = counts[at] ? Math.max(max[at]!, value) : value
    mean[at] = counts[at] ? mean[at]! + (value - mean[at]!) / (counts[at]! + 1) : value
    counts[at]!++
    if (before) rate[at] = ((value - before.value) / (time - before.time)) * 1000
  }
  return series.kind === 'counter' ? { id, min, max, mean, rate } : { id, min, max, mean }
}
