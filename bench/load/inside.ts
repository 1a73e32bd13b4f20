// The child of `load`, inside its namespace: makes the machine busy, lets the agent run, and prints what became of it.

import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { usualSources } from '../../agent/usual-sources.ts'
import { History } from '../../collector/store/history.ts'
import { agentConfig, collecting, collectorConfig, samplesOf, start } from '../daemons.ts'
import { cpuSeconds, median, rssMb } from '../process.ts'
import { countCgroups } from './cgroups.ts'
import { interfaces, processes, spinners } from './crowd.ts'
import { quantile, type Readings, readingsOf, round } from './readings.ts'

export interface Load {
  readonly seconds: number
  readonly warm_up: number
  readonly processes: number
  readonly interfaces: number
  /** Where the cgroups are. */
  readonly slice: string
  /** For the daemons' files. */
  readonly folder: string
  /** What runs `fieldline`. */
  readonly command: readonly [string, ...string[]]
  /** Where the agent's CPU profile goes. */
  readonly profile?: string
}

export interface UnderLoad {
  /** As counted where the agent sees them, while it runs. */
  readonly machine: { readonly processes: number; readonly cgroups: number; readonly interfaces: number }
  readonly readings: Readonly<Record<string, Omit<Readings, 'lateness_ms'>>>
  readonly lateness_p50_ms: number
  readonly lateness_p99_ms: number
  readonly lateness_max_ms: number
  readonly rss_mb: number
  /** The most that were open at any look. */
  readonly descriptors: number
  readonly cpu_us_per_value: number
  readonly cpu_ms_per_s: number
  readonly values_per_s: number
  /** Sources that left out readings. */
  readonly slipped: readonly string[]
}

const node = 'load'
const ports = { broker: 21883, page: 28180 }
/** Between looks at memory and descriptors, s: a look at 10,000 processes takes CPU of its own. */
const lookEvery = 5

console.log(JSON.stringify(await underLoad(JSON.parse(process.argv[2]!) as Load)))
process.exit(0)

async function underLoad(load: Load): Promise<UnderLoad> {
  const { folder, command, seconds } = load
  interfaces(load.interfaces)
  await processes(load.processes)
  spinners(availableParallelism())
  const collector = start(command, 'collector', 'collector', folder, collectorConfig(folder, ports))
  await collecting(ports)
  const agent = start(limited(load), 'agent', node, folder, agentConfig(folder, node, 1, ports))
  await arriving()
  await delay(load.warm_up * 1000)
  const costs = await watch(agent.pid!, seconds)
  const machine = {
    processes: countOf('/proc'),
    cgroups: countCgroups(load.slice),
    interfaces: countOf('/sys/class/net'),
  }
  await ended(agent)
  await ended(collector)
  const history = new History({ folder: `${folder}/collector`, say: () => undefined, now: Date.now })
  const readings = readingsOf(history, node, intervals(), costs.from, costs.to)
  history.close()
  return { machine, ...told(readings), ...costs.told }
}

/** As many descriptors as the unit allows. */
function limited({ command: [program, ...args], profile }: Load): [string, ...string[]] {
  const profiled = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]
  return ['prlimit', '--nofile=4096:4096', program, ...profiled, ...args]
}

async function arriving(): Promise<void> {
  while ((await samplesOf(node, ports)) === 0) await delay(50)
}

interface Watched {
  readonly from: number
  readonly to: number
  readonly told: Omit<UnderLoad, keyof ReturnType<typeof told> | 'machine'>
}

async function watch(pid: number, seconds: number): Promise<Watched> {
  const now = async () => ({ at: Date.now(), cpu: cpuSeconds(pid), values: await samplesOf(node, ports) })
  const rss: number[] = []
  let descriptors = 0
  const began = await now()
  while (Date.now() - began.at < seconds * 1000) {
    await delay(Math.min(lookEvery, seconds) * 1000)
    rss.push(rssMb(pid))
    descriptors = Math.max(descriptors, readdirSync(`/proc/${pid}/fd`).length)
  }
  const end = await now()
  const [took, cpu, values] = [(end.at - began.at) / 1000, end.cpu - began.cpu, end.values - began.values]
  const told = {
    rss_mb: round(median(rss)),
    descriptors,
    cpu_us_per_value: round((cpu / values) * 1e6),
    cpu_ms_per_s: round((cpu / took) * 1000),
    values_per_s: Math.round(values / took),
  }
  return { from: began.at, to: end.at, told }
}

function told(readings: ReadonlyMap<string, Readings>) {
  const late = [...readings.values()].flatMap(r => r.lateness_ms).sort((a, b) => a - b)
  const plain = [...readings].map(([source, { lateness_ms: _, ...rest }]) => [source, rest] as const)
  return {
    readings: Object.fromEntries(plain),
    lateness_p50_ms: quantile(late, 0.5),
    lateness_p99_ms: quantile(late, 0.99),
    lateness_max_ms: quantile(late, 1),
    slipped: plain.flatMap(([source, { skipped, untold }]) => (skipped + untold > 0 ? [source] : [])),
  }
}

/** Those that read every second; the others read too seldom to miss anything here. */
function intervals(): ReadonlyMap<string, number> {
  const often = usualSources('1s').filter(({ interval }) => interval !== undefined)
  return new Map(often.map(({ type }) => [type, 1000]))
}

function countOf(folder: string): number {
  return readdirSync(folder).filter(name => folder !== '/proc' || /^\d+$/.test(name)).length
}

async function ended(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  child.kill()
  await exit
}
