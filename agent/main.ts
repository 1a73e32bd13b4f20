// Wires an edge: sources -> edge -> spool -> a pump for each uplink. The gateway calls it with more sources.

import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { monotonic } from '../core/clock.ts'
import type { Started } from '../core/daemon.ts'
import { type Host, realHost } from '../core/host.ts'
import type { Say } from '../core/log.ts'
import type { Part } from '../core/parts.ts'
import { version } from '../core/version.ts'
import { serveVitals } from '../core/vitals.ts'
import type { EdgeConfig } from './config.ts'
import { type Edge, eventParcel, openEdge } from './edge.ts'
import { Fresh } from './fresh.ts'
import { gapToEvent } from './gap.ts'
import { fileKeep, memoryKeep } from './keep.ts'
import { polled } from './polled.ts'
import { pump } from './pump.ts'
import { openReadings, type Readings } from './readings.ts'
import { resourceOf } from './resource.ts'
import { selfObservation } from './self.ts'
import type { Running, Source } from './source.ts'
import { sources as agentSources } from './sources/index.ts'
import { noSpool } from './spool/none.ts'
import type { Open } from './spool/tables.ts'
import { type Gap, openSpool, type Spool } from './spool.ts'
import type { Uplink } from './uplink.ts'
import { uplinks } from './uplinks/index.ts'
import { edgeVitals } from './vitals.ts'

/** How often an edge tells of itself, and how long a stop waits for readings to end and for the far ends, ms. */
const selfInterval = 10_000
const readingLimit = 1000
const drainLimit = 1500

export interface RunningEdge extends Started {
  readonly edge: Edge
  readonly spool: Spool
}

export function start(config: EdgeConfig, say: Say, signal: AbortSignal): Promise<RunningEdge> {
  return startEdge(config, agentSources, say, signal)
}

/** What tests put in place of the machine. */
export interface Seams {
  readonly host?: Host
  /** How the spool opens its database. */
  readonly open?: Open
}

/** `signal` ends the sources; `stop` then drains. */
export async function startEdge(
  config: EdgeConfig,
  known: readonly Source<unknown>[],
  say: Say,
  signal: AbortSignal,
  { host = realHost(config.root), open: openDatabase }: Seams = {},
): Promise<RunningEdge> {
  const resource = resourceOf(config, known, host, say)
  const spoolOptions = {
    folder: config.state,
    node: config.node,
    uplinks: config.uplinks.map(u => u.name),
    ...config.spool,
    now: host.now,
    say,
    declare: (gap: Gap) => eventParcel(resource, [gapToEvent(gap, host.now())]),
  }
  // Nothing is kept for nobody: such an agent only shows what it reads.
  const isShownOnly = config.uplinks.length === 0 && config.metrics_readings
  const spool = isShownOnly ? noSpool() : await openSpool(spoolOptions, openDatabase)
  const fresh = new Fresh()
  const edge = openEdge({ resource, spool, fresh, say, now: host.now })
  const startedAt = host.now()
  const self = polled({
    name: 'fieldline',
    host,
    say,
    interval: selfInterval,
    read: time => selfObservation(spool.stats(), time, startedAt),
  })
  const readings = config.metrics_readings ? openReadings(resource, host.now, say) : undefined
  const reading = [
    edge.run('fieldline', self, signal),
    ...config.sources.map(part => {
      const source = known.find(s => s.name === part.type)!
      const keep = isShownOnly ? memoryKeep() : fileKeep(join(config.state, 'sources', `${part.name}.json`))
      const running = source.open(part.options, { name: part.name, host, say, keep })
      return edge.run(part.name, readings === undefined ? running : shown(running, readings), signal)
    }),
  ]
  const stopPumps = new AbortController()
  const open = config.uplinks.map(part => ({ name: part.name, uplink: openUplink(part, config, spool, fresh, say) }))
  const common = { spool, backlog_rate: config.backlog_rate, say, signal: stopPumps.signal, now: host.monotonic }
  const pumping = open.map(part => pump({ ...common, ...part }))
  const vitals =
    config.metrics === undefined
      ? undefined
      : await serveVitals(config.metrics, edgeVitals(edge, spool), readings?.text)

  const stop = async (): Promise<void> => {
    await Promise.race([Promise.all(reading), delay(readingLimit)])
    await edge.flushed()
    await drained(spool)
    stopPumps.abort()
    await Promise.all(pumping)
    await Promise.all(open.map(({ uplink }) => uplink.close()))
    vitals?.close()
    await spool.close()
  }
  return { edge, spool, stop }
}

/** A source of which /metrics shows the last values. */
function shown(running: Running, readings: Readings): Running {
  return { run: (emit, signal) => running.run(readings.keeping(emit), signal) }
}

function openUplink({ type, name, options }: Part, config: EdgeConfig, spool: Spool, fresh: Fresh, say: Say): Uplink {
  const { node, attributes, daemon } = config
  const kind = uplinks.find(u => u.name === type)!
  const about = { ...attributes, daemon, version }
  const keep = fileKeep(join(config.state, 'uplinks', `${name}.json`))
  return kind.open(options, { node, spool: spool.id, about, opened: payload => fresh.get(payload), keep, say })
}

/** What cannot be delivered in time waits in the spool for the next start. */
async function drained(spool: Spool): Promise<void> {
  const deadline = monotonic() + drainLimit
  while (spool.stats().envelopes > 0 && monotonic() < deadline) await delay(20)
}
