// The bundled agent with every source on at 1 s, all in: reading, spool with FULL, MQTT, receipts; beside node_exporter
// and collectd doing their equal, with `--vs` also netdata. Costs are the kernel's own figures. `--seconds N` (180) is
// measured after a warm-up. A second agent at 10 s shows what goes over the wire.

import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { build } from '../packaging/build.ts'
import { agentConfig, collecting, collectorConfig, samplesOf, start } from './daemons.ts'
import { netdata, startNetdata } from './netdata.ts'
import { rivals } from './peers.ts'
import { cpuSeconds, diskBytes, median, rssMb, table, wireBytes } from './process.ts'

const warmUp = 20
const ports = { broker: 21883, page: 28180 }
const command = [process.execPath, 'dist/fieldline.js'] as const
const nodes = ['footprint', 'footprint-10s'] as const

interface Watched {
  readonly name: string
  readonly pid: number
  values(): number | Promise<number>
  first(): number | undefined
}

interface Cost {
  readonly rss_mb: number
  readonly cpu_us_per_value: number
  readonly values_per_s: number
  readonly cpu_ms_per_s: number
  /** KB written to disks a minute. */
  readonly disk_kb_per_min: number
  /** From the start to the first values at the far end. */
  readonly start_ms: number
}

export async function run(args: readonly string[]): Promise<Record<string, unknown>> {
  const options = { seconds: { type: 'string', default: '180' }, vs: { type: 'boolean', default: false } } as const
  const { values } = parseArgs({ args: [...args], options })
  const folder = mkdtempSync(join(tmpdir(), 'fieldline-footprint-'))
  const children: ChildProcess[] = []
  const others = await rivals(folder)
  try {
    await build('dist')
    if (values.vs && existsSync(netdata)) others.push(await startNetdata(folder))
    else if (values.vs)
      console.error('no netdata to compare with: apt-get install --no-install-recommends netdata-core')
    children.push(start(command, 'collector', 'collector', folder, collectorConfig(folder, ports)))
    await collecting(ports)
    const began = performance.now()
    const [agent, slow] = nodes.map((node, n) =>
      start(command, 'agent', node, folder, agentConfig(folder, node, [1, 10][n]!, ports)),
    )
    children.push(agent!, slow!)
    const first = await firstSample(began)
    const watched: Watched[] = [
      { name: 'fieldline agent', pid: agent!.pid!, values: () => samplesOf(nodes[0], ports), first: () => first },
      ...others.map(r => ({ name: r.name, pid: r.process.pid!, values: () => r.values(), first: () => r.first() })),
    ]
    console.error(`warming up for ${warmUp} s, then measuring for ${values.seconds} s`)
    await delay(warmUp * 1000)
    const wire = await onTheWire(slow!.pid!)
    const costs = await measure(watched, Number(values.seconds))
    return report(costs, await wire())
  } finally {
    for (const child of children) child.kill()
    for (const other of others) other.stop()
    await delay(1500)
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
      const [values, cpu, disk] = (['values', 'cpu', 'disk'] as const).map(key => after[n]![key] - before[n]![key])
      const cost = {
        rss_mb: round(median(rss[n]!)),
        cpu_us_per_value: round((cpu! / values!) * 1e6),
        values_per_s: Math.round(values! / took),
        cpu_ms_per_s: round((cpu! / took) * 1000),
        disk_kb_per_min: Math.round(disk! / 1000 / (took / 60)),
        start_ms: Math.round(w.first() ?? Number.NaN),
      }
      return [w.name, cost]
    }),
  )
}

async function reading(w: Watched): Promise<{ cpu: number; disk: number; values: number }> {
  return { cpu: cpuSeconds(w.pid), disk: diskBytes(w.pid), values: await w.values() }
}

interface Wire {
  /** Bytes a minute over the agent's connection, both ways, TCP and IP headers not among them. */
  readonly wire_bytes_per_min: number
  readonly series: number
  readonly wire_bytes_per_min_300_series: number
}

/** Of the agent at 10 s, from now until the answer is asked for. */
async function onTheWire(pid: number): Promise<() => Promise<Wire>> {
  const began = {
    at: performance.now(),
    bytes: wireBytes(pid, ports.broker),
    samples: await samplesOf(nodes[1], ports),
  }
  return async () => {
    const minutes = (performance.now() - began.at) / 60_000
    const bytes = (wireBytes(pid, ports.broker) - began.bytes) / minutes
    const series = ((await samplesOf(nodes[1], ports)) - began.samples) / minutes / 6
    return {
      wire_bytes_per_min: Math.round(bytes),
      series: Math.round(series),
      wire_bytes_per_min_300_series: Math.round((bytes / series) * 300),
    }
  }
}

function report(costs: ReadonlyMap<string, Cost>, wire: Wire): Record<string, unknown> {
  table([...costs].map(([name, cost]) => ({ name, ...cost })))
  table([{ name: 'on the wire at 10 s', ...wire }])
  const [[, own], ...peers] = [...costs] as [[string, Cost], ...[string, Cost][]]
  return { ...own, ...wire, peers: Object.fromEntries(peers) }
}

function round(value: number): number {
  return Number(value.toFixed(2))
}

async function firstSample(began: number): Promise<number> {
  while ((await samplesOf(nodes[0], ports)) === 0) await delay(5)
  return performance.now() - began
}
