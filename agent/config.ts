// What an agent's configuration may say; a gateway's differs only in its sources and its metrics address.

import { addressOrOff, defaultNode, defaultState, nodeName } from '../core/config-shapes.ts'
import type { Attributes } from '../core/model.ts'
import { type Kind, type Part, parts } from '../core/parts.ts'
import {
  absolutePath,
  bool,
  duration,
  integer,
  object,
  oneOf,
  optional,
  Place,
  record,
  refined,
  type Shape,
  scalar,
  size,
} from '../core/shape.ts'
import type { DetectorType } from '../judge/detector.ts'
import { checkActing, type Publishing, type Writable } from './config-acting.ts'
import { checkDetectors } from './config-detectors.ts'
import { type OrdersConfig, orders } from './orders/options.ts'
import { type RuleConfig, rules } from './rules/options.ts'

const MiB = 1024 ** 2

export interface EdgeConfig {
  readonly daemon: 'agent' | 'gateway'
  readonly node: string
  /** Resource attributes of everything this node sends. */
  readonly attributes: Attributes
  /** Folder of the spool. */
  readonly state: string
  /** Where the machine's `/` is mounted. */
  readonly root: string
  readonly sources: readonly Part[]
  readonly uplinks: readonly Part[]
  readonly spool: {
    readonly max_bytes: number
    /** ms */
    readonly max_age: number
    readonly when_full: 'drop-oldest' | 'refuse'
    /** How long, ms, and how many messages of each source that senders may repeat are known again. */
    readonly once_age: number
    readonly once_most: number
  }
  /** Bytes a second at which what waited through an outage may follow. */
  readonly backlog_rate: number
  /** `host:port` of /metrics; undefined: no listener. */
  readonly metrics: string | undefined
  /** Which orders are taken; undefined: none. */
  readonly orders: OrdersConfig | undefined
  readonly rules: readonly RuleConfig[]
  /** What is judged here; empty: nothing. */
  readonly detectors: readonly Part[]
  /** Whether /metrics also shows the last value of everything that is read. */
  readonly metrics_readings: boolean
}

const spool = object({
  max_bytes: optional(size(MiB), 256 * MiB),
  max_age: optional(duration(60_000), 7 * 86_400_000),
  when_full: optional(oneOf(['drop-oldest', 'refuse']), 'drop-oldest'),
  once_age: optional(duration(60_000), 7 * 86_400_000),
  once_most: optional(integer(1000, 4_000_000), 1_000_000),
})

interface Daemon<D> {
  readonly daemon: D
  /** Default address of /metrics. */
  readonly metrics: string
  readonly sources: readonly (Kind & Writable)[]
  readonly uplinks: readonly (Kind & Publishing)[]
  /** Those that a configuration may name. */
  readonly detectors: readonly DetectorType<unknown>[]
}

/** /metrics of an agent; a gateway on the same host has its own. */
export const agentMetrics = '127.0.0.1:9464'

/** `sources`, `uplinks` and `detectors` are the lists that this daemon knows. */
export function edgeConfig<D extends 'agent' | 'gateway'>({
  daemon,
  metrics,
  sources,
  uplinks,
  detectors,
}: Daemon<D>): Shape<EdgeConfig> {
  const all = object({
    daemon: oneOf([daemon]),
    node: optional(nodeName, defaultNode()),
    attributes: optional(record(scalar), {}),
    state: optional(absolutePath, defaultState(daemon)),
    root: optional(absolutePath, '/'),
    sources: parts(sources, 'source'),
    uplinks: parts(uplinks, 'uplink'),
    spool: optional(spool, spool.read({}, new Place())),
    backlog_rate: optional(size(), MiB),
    metrics: optional(addressOrOff, metrics),
    orders: optional(orders),
    rules: optional(rules, []),
    detectors: optional(parts(detectors, 'detector'), []),
    metrics_readings: optional(bool, false),
  })
  return refined(all, (value, place) => {
    checkActing(value, { sources, uplinks }, place)
    checkDetectors(value, detectors, place.at('detectors'))
    checkKept(value, sources, place.at('sources'))
  })
}

/** Nothing is kept for nobody: such an edge only shows what it reads. */
export function isShownOnly({ uplinks, metrics_readings }: Pick<EdgeConfig, 'uplinks' | 'metrics_readings'>): boolean {
  return uplinks.length === 0 && metrics_readings
}

/** What only shows its last values must not answer for a message. */
function checkKept(config: EdgeConfig, kinds: readonly Writable[], place: Place): void {
  if (!isShownOnly(config)) return
  for (const [n, { type, name }] of config.sources.entries())
    if (kinds.find(kind => kind.name === type)?.acknowledges)
      place
        .at(n)
        .wrong(
          `source ${name} acknowledges messages, and without an uplink nothing of them is kept; add one to uplinks`,
        )
}

export function agentConfig(
  sources: readonly (Kind & Writable)[],
  uplinks: readonly (Kind & Publishing)[],
  detectors: readonly DetectorType<unknown>[] = [],
): Shape<EdgeConfig> {
  return edgeConfig({ daemon: 'agent', metrics: agentMetrics, sources, uplinks, detectors })
}
