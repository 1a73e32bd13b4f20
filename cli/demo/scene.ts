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
import { type SimulatedPlc, simulatedPlc } from '../../gateway/modbus/simulator.ts'
import { usualDetectors } from '../../judge/index.ts'
import { agentShape, collectorShape, gatewayShape } from '../daemons.ts'
import { texts } from '../texts.ts'

const pagePort = 8180
/** So that a finding can be seen to open and close: the simulated press overheats for a while now and then, ms. */
const overheat = { first: 45_000, every: 180_000, lasts: 20_000 }

export interface Scene {
  readonly agent: RunningEdge
  readonly gateway: RunningEdge
  readonly collector: RunningCollector
  readonly plc: SimulatedPlc
  readonly nodes: readonly string[]
  /** Of the state of all three. */
  readonly folder: string
  readonly startedAt: number
  /** For whoever reads the terminal. */
  readonly notes: readonly string[]
  /** After both edges have stopped. */
  stop(): Promise<void>
}

/** `signal` ends the sources. */
export async function startScene(folder: string, signal: AbortSignal): Promise<Scene> {
  const say = log()
  const startedAt = Date.now()
  const { said } = texts(process.env)
  const notes = [said.demoSimulated]
  const plc = await simulatedPlc()
  const collector = await startCollector(join(folder, 'collector'), pagePort, say).catch((error: unknown) => {
    if (!isTaken(error)) throw error
    notes.push(said.demoPortTaken(pagePort))
    return startCollector(join(folder, 'collector'), 0, say)
  })
  const heat = overheatNowAndThen(plc)
  const host = defaultNode()
  const press = 'simulated-press'
  const [agent, gateway] = await Promise.all([
    startAgent(join(folder, 'agent'), host, collector.broker!, say, signal),
    startGateway(join(folder, 'gateway'), press, plc, collector.broker!, say, signal),
  ])
  const stop = async (): Promise<void> => {
    clearInterval(heat)
    await collector.stop()
    await plc.close()
  }
  return { agent, gateway, collector, plc, nodes: [host, press], folder, startedAt, notes, stop }
}

async function startCollector(state: string, port: number, say: Say): Promise<RunningCollector> {
  const config = checked(await collectorShape(), {
    daemon: 'collector',
    state,
    listen: `127.0.0.1:${port}`,
    broker: { listen: '127.0.0.1:0' },
    detectors: [
      ...usualDetectors,
      { type: 'threshold', name: 'press-oil-hot', metric: 'press.oil.temperature', above: 80, clear: 70, for: '3s' },
    ],
  })
  return collectorMain.start(config, say)
}

async function startAgent(
  state: string,
  node: string,
  broker: string,
  say: Say,
  signal: AbortSignal,
): Promise<RunningEdge> {
  const config = {
    daemon: 'agent',
    node,
    state,
    sources: usualSources('1s'),
    uplinks: [{ type: 'mqtt', brokers: [broker] }],
    metrics: 'off',
  }
  return agentMain.start(checked(await agentShape(), config), say, signal)
}

async function startGateway(
  state: string,
  node: string,
  plc: SimulatedPlc,
  broker: string,
  say: Say,
  signal: AbortSignal,
): Promise<RunningEdge> {
  const config = {
    daemon: 'gateway',
    node,
    state,
    attributes: { simulated: true },
    sources: [{ type: 'modbus', name: 'simulated-press', ...plc.options }],
    uplinks: [{ type: 'mqtt', brokers: [broker] }],
    metrics: 'off',
  }
  return gatewayMain.start(checked(await gatewayShape(), config), say, signal)
}

function overheatNowAndThen(plc: SimulatedPlc): NodeJS.Timeout {
  const began = performance.now()
  return setInterval(() => {
    const since = performance.now() - began - overheat.first
    plc.overheat = since >= 0 && since % overheat.every < overheat.lasts
  }, 1000)
}

/** @throws where this file itself is wrong. */
function checked<T>(shape: Shape<T>, raw: unknown): T {
  const place = new Place()
  const value = shape.read(raw, place)
  if (place.problems.length > 0) throw new Error(`demo: ${JSON.stringify(place.problems)}`)
  return value
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
}
