// The whole road with nothing replaced: edges with a witness as their source, a broker, and a collector. Tests do harm
// to any part of it, and then ask whether history holds each value that a witness was told is safe exactly once.

import type { Test } from 'tap'
import { agentConfig } from '../../agent/config.ts'
import { type Seams as EdgeSeams, type RunningEdge, startEdge } from '../../agent/main.ts'
import type { Source } from '../../agent/source.ts'
import { uplinks } from '../../agent/uplinks/index.ts'
import type { FindingView } from '../../collector/api/view.ts'
import { collectorConfig } from '../../collector/config.ts'
import { type Seams as CollectorSeams, type RunningCollector, startCollector } from '../../collector/main.ts'
import { History } from '../../collector/store/history.ts'
import type { Say } from '../../core/log.ts'
import type { Event } from '../../core/model.ts'
import { Place, type Shape } from '../../core/shape.ts'
import { detectors } from '../../judge/index.ts'
import { until } from '../brokers.ts'
import { type Account, account, Witness } from './witness.ts'

export interface RoadCollector {
  readonly running: RunningCollector
  readonly folder: string
  readonly said: readonly string[]
  /** Sum of a metric's lines that hold `label`, as a person sees it at /metrics. */
  metric(name: string, label?: string): Promise<number>
  findings(node: string): readonly FindingView[]
  events(node: string, name: string): readonly Event[]
  stop(): Promise<void>
}

export interface CollectorOptions {
  readonly folder: string
  readonly brokers?: readonly string[]
  /** What else its configuration says. */
  readonly more?: Readonly<Record<string, unknown>>
  readonly seams?: Partial<CollectorSeams>
}

export async function startRoadCollector(t: Test, options: CollectorOptions): Promise<RoadCollector> {
  const { folder, brokers, more, seams } = options
  const mqtt = brokers && { mqtt: { brokers } }
  const config = read(collectorConfig(detectors), {
    daemon: 'collector',
    state: folder,
    listen: '127.0.0.1:0',
    ...mqtt,
    ...more,
  })
  const { said, say } = listen(t, 'collector')
  const running = await startCollector(config, say, { now: Date.now, ...seams })
  const stop = once(() => running.stop())
  t.teardown(stop)
  return {
    running,
    folder,
    said,
    stop,
    metric: (name, label = '') => metric(`${running.url}metrics`, name, label),
    findings: node => running.view.findings({ node, limit: 100 }),
    events: (node, name) => running.view.events({ node, limit: 1000 }).filter(e => e.name === name),
  }
}

export interface RoadEdge {
  readonly running: RunningEdge
  readonly node: string
  readonly folder: string
  readonly witness: Witness
  readonly said: readonly string[]
  /** Its source falls silent; what is in the spool goes on travelling. */
  quiet(): void
  stop(): Promise<void>
}

export interface EdgeOptions {
  readonly folder: string
  readonly node: string
  readonly brokers?: readonly string[]
  /** One that goes on over a restart; else a new one. */
  readonly witness?: Witness
  /** In place of the witness's own. */
  readonly source?: Source<unknown>
  /** Other sources that its configuration may name. */
  readonly known?: readonly Source<unknown>[]
  readonly more?: Readonly<Record<string, unknown>>
  readonly seams?: EdgeSeams
}

export async function startRoadEdge(t: Test, options: EdgeOptions): Promise<RoadEdge> {
  const { folder, node, brokers = [], witness = new Witness(), source = witness.source, more, seams } = options
  const kinds = [source, ...(options.known ?? [])]
  const config = read(agentConfig(kinds, uplinks), {
    daemon: 'agent',
    node,
    state: folder,
    sources: [{ type: source.name }],
    uplinks: [{ type: 'mqtt', brokers }],
    metrics: 'off',
    ...more,
  })
  const { said, say } = listen(t, node)
  const sources = new AbortController()
  const running = await startEdge(config, kinds, say, sources.signal, seams)
  const quiet = (): void => sources.abort()
  const stop = once(() => {
    quiet()
    return running.stop()
  })
  t.teardown(stop)
  return { running, node, folder, witness, said, quiet, stop }
}

/** Everyone falls silent, the spools empty, and what was told is in history. Throws when it is not there in time. */
export async function arrived(collector: RoadCollector, edges: readonly RoadEdge[], within = 30_000): Promise<void> {
  for (const edge of edges) edge.quiet()
  await Promise.all(edges.map(edge => edge.running.edge.flushed()))
  await until('the spools are empty', () => edges.every(isDrained), within)
  const missing = (): number =>
    edges.reduce((n, { node, witness }) => n + account(witness.told, collector.running.history, node).lost.length, 0)
  await until('what was told is in history', () => missing() === 0, within).catch(error => {
    throw new Error(`${missing()} samples are not in history`, { cause: error })
  })
}

export function isDrained({ running }: RoadEdge): boolean {
  return running.spool.stats().envelopes === 0
}

/** The verdict: nothing lost and nothing twice, in the running collector and, once it has stopped, in the file. */
export async function verify(
  t: Test,
  collector: RoadCollector,
  edges: readonly RoadEdge[],
  within?: number,
): Promise<void> {
  await arrived(collector, edges, within)
  const sums = (history: History): Account[] => edges.map(e => account(e.witness.told, history, e.node))
  judge(t, edges, sums(collector.running.history), 'while it runs')
  await Promise.all(edges.map(edge => edge.stop()))
  await collector.stop()
  const history = new History({ folder: collector.folder, say: () => undefined, now: Date.now })
  judge(t, edges, sums(history), 'in the file')
  history.close()
}

function judge(t: Test, edges: readonly RoadEdge[], sums: readonly Account[], where: string): void {
  for (const [n, { told, stored, lost, doubled }] of sums.entries()) {
    t.ok(told > 0, `${edges[n]!.node}: ${told} told, ${stored} in history ${where}`)
    t.strictSame([lost.length, doubled.length], [0, 0], `${edges[n]!.node}: none lost, none twice ${where}`)
  }
}

/** Waits for a condition on a machine that others may keep busy; throws after 30 s, naming it. */
export function eventually(what: string, condition: () => boolean): Promise<void> {
  return until(what, condition, 30_000)
}

/** Waits until each of these edges has `samples` more in history than now: data flows. */
export async function flowing(collector: RoadCollector, edges: readonly RoadEdge[], samples = 30): Promise<void> {
  const count = (node: string): number =>
    collector.running.history.find({ node, name: 'witness' }).reduce((n, ref) => n + ref.count, 0)
  const begun = edges.map(({ node }) => count(node))
  await eventually('data flows', () => edges.every(({ node }, n) => count(node) >= begun[n]! + samples))
}

function read<T>(shape: Shape<T>, raw: Readonly<Record<string, unknown>>): T {
  const at = new Place()
  const config = shape.read(raw, at)
  if (at.problems.length > 0) throw new Error(JSON.stringify(at.problems))
  return config
}

function listen(t: Test, who: string): { said: string[]; say: Say } {
  const said: string[] = []
  const say: Say = (severity, message) => {
    said.push(`${severity} ${message}`)
    if (process.env.FIELDLINE_VERBOSE) t.comment(`${who}: ${severity} ${message}`)
  }
  return { said, say }
}

async function metric(url: string, name: string, label: string): Promise<number> {
  const text = await (await fetch(url)).text()
  const lines = text.split('\n').filter(line => /^[a-z]/.test(line) && line.replace(/[ {].*/, '') === name)
  if (lines.length === 0 && !text.includes(`# TYPE ${name} `)) throw new Error(`no metric ${name}`)
  return lines.filter(line => line.includes(label)).reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => {
    done ??= work()
    return done
  }
}
