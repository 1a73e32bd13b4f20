// The bundled agent with every source on at 1 s, all in: reading, spool with FULL, MQTT, receipts; beside node_exporter
// and collectd doing their equal. CPU time and memory are the kernel's. `--seconds N` (180) is measured after a warm-up.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { sources } from '../agent/sources/index.ts'
import { build } from '../packaging/build.ts'
import { rivals } from './peers.ts'
import { cpuSeconds, median, rssMb, table } from './process.ts'

const warmUp = 20

interface Watched {
  readonly name: string
  readonly pid: number
  values(): number | Promise<number>
}

interface Cost {
  readonly rss_mb: number
  readonly cpu_us_per_value: number
  readonly values_per_s: number
  readonly cpu_ms_per_s: number
}

export async function run(args: readonly string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({ args: [...args], options: { seconds: { type: 'string', default: '180' } } })
  const folder = mkdtempSync(join(tmpdir(), 'fieldline-footprint-'))
  const children: ChildProcess[] = []
  const others = await rivals(folder)
  try {
    await build('dist')
    children.push(start('collector', folder, collectorConfig(folder)))
    const agent = start('agent', folder, agentConfig(folder))
    children.push(agent)
    const watched: Watched[] = [
      { name: 'fieldline agent', pid: agent.pid!, values: agentValues },
      ...others.map(r => ({ name: r.name, pid: r.process.pid!, values: () => r.values() })),
    ]
    console.error(`warming up for ${warmUp} s, then measuring for ${values.seconds} s`)
    await delay(warmUp * 1000)
    return report(await measure(watched, Number(values.seconds)))
  } finally {
    for (const child of children) child.kill()
    for (const other of others) other.stop()
    await delay(500)
    rmSync(folder, { recursive: true, force: true })
  }
}

async function measure(watched: readonly Watched[], seconds: number): Promise<Map<string, Cost>> {
  const before = await Promise.all(watched.map(reading))
  const rss = watched.map(() => [] as number[])
  const began = performance.now()
  for (let s = 0; s < seconds; s++) {
    await delay(1000)
    for (const [n, w] of watched.entries()) rss[n]!.push(rssMb(w.pid))
  }
  const took = (performance.now() - began) / 1000
  const after = await Promise.all(watched.map(reading))
  return new Map(
    watched.map((w, n) => {
      const values = after[n]!.values - before[n]!.values
      const cpu = after[n]!.cpu - before[n]!.cpu
      return [
        w.name,
        {
          rss_mb: round(median(rss[n]!)),
          cpu_us_per_value: round((cpu / values) * 1e6),
          values_per_s: Math.round(values / took),
          cpu_ms_per_s: round((cpu / took) * 1000),
        },
      ]
    }),
  )
}

async function reading(w: Watched): Promise<{ cpu: number; values: number }> {
  return { cpu: cpuSeconds(w.pid), values: await w.values() }
}

function report(costs: ReadonlyMap<string, Cost>): Record<string, unknown> {
  table([...costs].map(([name, cost]) => ({ name, ...cost })))
  const [[, own], ...peers] = [...costs] as [[string, Cost], ...[string, Cost][]]
  const { cpu_ms_per_s: _, ...figures } = own
  return { ...figures, peers: Object.fromEntries(peers) }
}

function round(value: number): number {
  return Number(value.toFixed(2))
}

const ports = { broker: 21883, page: 28180, metrics: 29464 }

function start(daemon: string, folder: string, config: string): ChildProcess {
  const file = join(folder, `${daemon}.yaml`)
  writeFileSync(file, config)
  const node = process.execPath
  return spawn(node, ['dist/fieldline.js', daemon, '--config', file], { stdio: ['ignore', 'inherit', 'inherit'] })
}

function collectorConfig(folder: string): string {
  return [
    'daemon: collector',
    `state: ${join(folder, 'collector')}`,
    `listen: 127.0.0.1:${ports.page}`,
    `broker: { listen: "127.0.0.1:${ports.broker}" }`,
    '',
  ].join('\n')
}

function agentConfig(folder: string): string {
  return [
    'daemon: agent',
    'node: footprint',
    `state: ${join(folder, 'agent')}`,
    `metrics: 127.0.0.1:${ports.metrics}`,
    'sources:',
    ...sources.map(s => `  - { type: ${s.name}, interval: 1s }`),
    'uplinks:',
    `  - { type: mqtt, brokers: ["mqtt://127.0.0.1:${ports.broker}"] }`,
    '',
  ].join('\n')
}

/** Samples of the agent that the collector has committed; its own /metrics is not asked, because nobody need ask it. */
async function agentValues(): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${ports.page}/metrics`)).text()
  return Number(/^fieldline_samples_committed_total (\d+)$/m.exec(text)?.[1] ?? Number.NaN)
}
