// Wires an edge: sources -> edge -> spool -> a pump for each uplink. The gateway calls it with more sources.

import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { monotonic } from '../core/clock.ts'
import type { Started } from '../core/daemon.ts'
import { Refused } from '../core/errors.ts'
import { type Host, realHost } from '../core/host.ts'
import type { Say } from '../core/log.ts'
import type { Observation } from '../core/model.ts'
import type { Part } from '../core/parts.ts'
import { version } from '../core/version.ts'
import { serveVitals } from '../core/vitals.ts'
import type { Acting, ActingOptions } from './acting.ts'
import { type EdgeConfig, isShownOnly } from './config.ts'
import { type Edge, eventParcel, openEdge } from './edge.ts'
import { Fresh } from './fresh.ts'
import { gapToEvent } from './gap.ts'
import type { Judging } from './judging.ts'
import { fileKeep, memoryKeep } from './keep.ts'
import { polled } from './polled.ts'
import { pump } from './pump.ts'
import { openReadings, type Readings } from './readings.ts'
import { resourceOf } from './resource.ts'
import { selfObservation } from './self.ts'
import type { Emit, Running, Source } from './source.ts'
import { sources as agentSources } from './sources/index.ts'
import { noSpool } from './spool/none.ts'
import type { Open } from './spool/tables.ts'
import { type Gap, openSpool, type Spool } from './spool.ts'
import type { OrderDesk, Uplink } from './uplink.ts'
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
  const keepsNothing = isShownOnly(config)
  const spool = keepsNothing ? noSpool() : await openSpool(spoolOptions, openDatabase)
  const fresh = new Fresh()
  const judging = await judgingOf(config, host, say)
  const kept = judging && ((observation: Observation) => judging.see(observation))
  const edge = openEdge({ resource, spool, fresh, ...(kept && { kept }), say, now: host.now })
  const startedAt = host.now()
  const self = polled({
    name: 'fieldline',
    host,
    say,
    interval: selfInterval,
    read: time => selfObservation(spool.stats(), time, startedAt),
  })
  const readings = config.metrics_readings ? openReadings(resource, host.now, say) : undefined
  const opened = config.sources.map(part => {
    const source = known.find(s => s.name === part.type)!
    const folder = join(config.state, 'sources', part.name)
    const lasting = keepsNothing ? { keep: memoryKeep() } : { keep: fileKeep(`${folder}.json`), folder }
    return { name: part.name, running: source.open(part.options, { name: part.name, host, say, ...lasting }) }
  })
  const publish = (name: string, ...message: Message): Promise<void> => publishOver(name, open, message)
  const actions = new Map(opened.map(({ name, running }) => [name, running.actions ?? {}]))
  const acting = await actingOf({ config, actions, emit: edge.emit, publish, host, say, signal })
  const own = judging === undefined ? opened : [...opened, { name: 'detectors', running: judging }]
  const reading = [
    edge.run('fieldline', self, signal),
    ...own.map(({ name, running }) => edge.run(name, seen(name, running, readings, acting), signal)),
  ]
  const stopPumps = new AbortController()
  const open: readonly Opened[] = config.uplinks.map(part => ({
    name: part.name,
    uplink: openUplink(part, config, { spool, fresh, say, orders: acting?.orders }),
  }))
  const acted = acting?.run()
  const common = { spool, backlog_rate: config.backlog_rate, say, signal: stopPumps.signal, now: host.monotonic }
  const pumping = open.map(part => pump({ ...common, ...part }))
  const vitals =
    config.metrics === undefined
      ? undefined
      : await serveVitals(config.metrics, edgeVitals(edge, spool, judging), readings?.text)

  const stop = async (): Promise<void> => {
    await Promise.race([Promise.all([...reading, acted]), delay(readingLimit)])
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

/** Orders and rules cost nothing where there are none. */
async function actingOf(options: ActingOptions): Promise<Acting | undefined> {
  const { orders, rules } = options.config
  if (orders === undefined && rules.length === 0) return undefined
  return (await import('./acting.ts')).openActing(options)
}

/** Detectors cost nothing where there are none; but what they found before they were taken away has to be ended. */
async function judgingOf(config: EdgeConfig, host: Host, say: Say): Promise<Judging | undefined> {
  const { detectors, node, state } = config
  const keep = isShownOnly(config) ? memoryKeep() : fileKeep(join(state, 'detectors.json'))
  if (detectors.length === 0 && (keep.load() ?? '') === '') return undefined
  const { Judging } = await import('./judging.ts')
  return new Judging({ node, rules: detectors, keep, host, say })
}

/** A source of which /metrics shows the last values, and whose rules see what it emits. */
function seen(name: string, running: Running, readings: Readings | undefined, acting: Acting | undefined): Running {
  const around = (emit: Emit): Emit => {
    const watched = acting?.watching(name, emit) ?? emit
    return readings?.keeping(watched) ?? watched
  }
  return { run: (emit, signal) => running.run(around(emit), signal) }
}

interface Opened {
  readonly name: string
  readonly uplink: Uplink
}

type Message = Parameters<NonNullable<Uplink['publish']>>

async function publishOver(name: string, open: readonly Opened[], message: Message): Promise<void> {
  const { uplink } = open.find(one => one.name === name)!
  if (uplink.publish === undefined) throw new Refused(`uplink ${name} cannot publish`)
  await uplink.publish(...message)
}

interface Beside {
  readonly spool: Spool
  readonly fresh: Fresh
  readonly say: Say
  readonly orders: OrderDesk | undefined
}

function openUplink({ type, name, options }: Part, config: EdgeConfig, { spool, fresh, say, orders }: Beside): Uplink {
  const { node, attributes, daemon } = config
  const kind = uplinks.find(u => u.name === type)!
  return kind.open(options, {
    node,
    spool: spool.id,
    about: { ...attributes, daemon, version },
    opened: payload => fresh.get(payload),
    keep: fileKeep(join(config.state, 'uplinks', `${name}.json`)),
    say,
    ...(orders && { orders }),
  })
}

/** What cannot be delivered in time waits in the spool for the next start. */
async function drained(spool: Spool): Promise<void> {
  const deadline = monotonic() + drainLimit
  while (spool.stats().envelopes > 0 && monotonic() < deadline) await delay(20)
}
