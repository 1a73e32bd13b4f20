// What runs in the demo, and with which configuration: the same that a user would write in YAML.

import { join } from 'node:path'
import type { RunningEdge } from '../../agent/main.ts'
import * as agentMain from '../../agent/main.ts'
import { usualSources } from '../../agent/usual-sources.ts'
import type { RunningCollector } from '../../collector/main.ts'
import * as collectorMain from '../../collector/main.ts'
import { defaultNode } from '../../core/config-shapes.ts'
import { log, type Say } from '../../core/log.ts'
import { Place, type Shape } from '../../core/shape.ts'
import * as gatewayMain from '../../gateway/main.ts'
import { usualDetectors } from '../../judge/index.ts'
import { agentShape, collectorShape, gatewayShape } from '../daemons.ts'
import { texts } from '../texts.ts'
import type { Stage, StageOptions } from './stage.ts'
import { type StageName, stages } from './stages/index.ts'

const pagePort = 8180
/** A reading is dated to its tick, which may lie so much before what it found, ms. */
const interval = 1000

export interface Scene {
  /** Each with the folder of its state. */
  readonly edges: readonly (RunningEdge & { readonly state: string })[]
  readonly collector: RunningCollector
  readonly stage: Stage
  readonly nodes: readonly string[]
  readonly startedAt: number
  /** Seconds from the fault to the incident that it became; undefined before, and without a fault. */
  faultToIncident(): number | undefined
  /** For whoever reads the terminal. */
  readonly notes: readonly string[]
  /** After the edges have stopped. */
  stop(): Promise<void>
}

/** `signal` ends the sources. */
export async function startScene(
  name: StageName,
  { folder, fault }: StageOptions,
  signal: AbortSignal,
): Promise<Scene> {
  const say = log()
  const startedAt = Date.now()
  const { said } = texts(process.env)
  const notes = [said.simulated[name]]
  const stage = await (await stages[name]())({ folder, fault })
  const { collector, isElsewhere } = await startCollector(join(folder, 'collector'), stage, say)
  if (isElsewhere) notes.push(said.demoPortTaken(pagePort))
  const faultToIncident = watchFault(collector, stage)
  const start = { stage, folder, broker: collector.broker!, say, signal }
  const edges = await Promise.all([...(stage.host ? [startAgent(start)] : []), startGateway(start)])
  const stop = async (): Promise<void> => {
    await collector.stop()
    await stage.close()
  }
  const nodes = [...(stage.host ? [defaultNode()] : []), stage.node]
  return { edges, collector, stage, nodes, startedAt, faultToIncident, notes, stop }
}

/** How long it took from the fault until an incident of its node was told. */
function watchFault({ view }: RunningCollector, { node, faultAt }: Stage): () => number | undefined {
  let took: number | undefined
  view.subscribe(change => {
    const at = faultAt?.()
    if (change.kind !== 'incident' || at === undefined || took !== undefined) return
    const { nodes, latest, until } = change.incident
    if (nodes.includes(node) && latest >= at - interval && until === undefined) took = (Date.now() - at) / 1000
  })
  return () => took
}

/** At its usual port, or at a free one where that is taken. */
async function startCollector(
  state: string,
  stage: Stage,
  say: Say,
): Promise<{ collector: RunningCollector; isElsewhere: boolean }> {
  const shape = await collectorShape()
  const at = (port: number) => collectorMain.start(checked(shape, collectorConfig(state, stage, port)), say)
  try {
    return { collector: await at(pagePort), isElsewhere: false }
  } catch (error) {
    if (!isTaken(error)) throw error
    return { collector: await at(0), isElsewhere: true }
  }
}

function collectorConfig(state: string, stage: Stage, port: number): object {
  return {
    daemon: 'collector',
    state,
    listen: `127.0.0.1:${port}`,
    broker: { listen: '127.0.0.1:0' },
    detectors: [...usualDetectors, ...stage.detectors],
  }
}

interface Start {
  readonly stage: Stage
  readonly folder: string
  readonly broker: string
  readonly say: Say
  readonly signal: AbortSignal
}

async function startAgent({ folder, broker, say, signal }: Start): Promise<Scene['edges'][number]> {
  const state = join(folder, 'agent')
  const config = {
    daemon: 'agent',
    node: defaultNode(),
    state,
    sources: usualSources('1s'),
    uplinks: [{ type: 'mqtt', brokers: [broker] }],
    metrics: 'off',
  }
  return { ...(await agentMain.start(checked(await agentShape(), config), say, signal)), state }
}

async function startGateway({ stage, folder, broker, say, signal }: Start): Promise<Scene['edges'][number]> {
  const state = join(folder, 'gateway')
  const { node, sources, rules } = stage
  const config = {
    daemon: 'gateway',
    node,
    state,
    attributes: { simulated: true },
    sources,
    rules,
    uplinks: [{ type: 'mqtt', brokers: [broker] }],
    metrics: 'off',
  }
  return { ...(await gatewayMain.start(checked(await gatewayShape(), config), say, signal)), state }
}

/** @throws where a scene itself is wrong. */
function checked<T>(shape: Shape<T>, raw: unknown): T {
  const place = new Place()
  const value = shape.read(raw, place)
  if (place.problems.length > 0) throw new Error(`demo: ${JSON.stringify(place.problems)}`)
  return value
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
}
