// A collector as it is shipped, in a process of its own, takes in what 20 nodes with 500 series each send over a real broker:
// gate, inbox, receipts, decoding, detectors, chunks, compaction. The samples are 10 s apart and a few hours old, so that
// all their hours are compacted, and come as fast as they are taken. CPU time and memory are the kernel's, of the
// collector alone, from the first envelope until nothing is left to compact.
// `--rounds N` (3) collectors, each from nothing; `--readings N` (808) of every series; `--profile FOLDER` writes CPU profiles.

import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import Database from 'better-sqlite3'
import { openBroker } from '../collector/broker.ts'
import { freePort } from '../core/free-port.ts'
import { build } from '../packaging/build.ts'
import type { Load, Prepared, Sent, ToSender } from './ingest-sender.ts'
import { cpuSeconds, median, rssMb, table } from './process.ts'

const nodes = 20
const seriesPerNode = 500
const interval = 10_000
const hour = 3_600_000
const mosquitto = '/usr/sbin/mosquitto'

interface Round {
  readonly [key: string]: number
  readonly samples_per_cpu_s: number
  readonly rss_mb: number
  readonly bytes_per_sample: number
}

export async function run(args: readonly string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '3' },
      readings: { type: 'string', default: '808' },
      profile: { type: 'string' },
    },
  })
  const folder = mkdtempSync(join(tmpdir(), 'fieldline-ingest-'))
  const sender = fork(new URL('./ingest-sender.ts', import.meta.url), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  try {
    await build(join(folder, 'dist'))
    const prepared = await ask<Prepared>(sender, { prepare: load(Number(values.readings)) })
    table([{ nodes, series: nodes * seriesPerNode, ...prepared }])
    const rounds: Round[] = []
    for (let n = 0; n < Number(values.rounds); n++)
      rounds.push(await round(join(folder, `round-${n}`), sender, prepared, values.profile))
    table(rounds)
    return Object.fromEntries(Object.keys(rounds[0]!).map(key => [key, median(rounds.map(r => r[key]!))]))
  } finally {
    sender.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Hours that are over, however long the compaction waits after an hour's end. */
function load(readings: number): Load {
  const hours = Math.ceil((readings * interval) / hour)
  const start = (Math.floor((Date.now() - hour / 2) / hour) - hours) * hour
  return { nodes, series_per_node: seriesPerNode, readings, together: 1000 / seriesPerNode, start, interval }
}

async function ask<T>(sender: ChildProcess, message: ToSender): Promise<T> {
  sender.send(message)
  const [answer] = await Promise.race([once(sender, 'message'), once(sender, 'exit')])
  if (typeof answer !== 'object' || answer === null) throw new Error('the sender ended')
  return answer as T
}

/** One collector on one broker; neither outlives the round, however it ends. */
async function round(folder: string, sender: ChildProcess, prepared: Prepared, profile?: string): Promise<Round> {
  mkdirSync(folder)
  const children: ChildProcess[] = []
  try {
    const broker = await startBroker(folder, children)
    const collector = await startCollector(folder, broker.url, children, profile)
    const measured = await measure(collector, broker.url, sender)
    await collector.stop()
    await broker.close()
    return figures(measured, prepared, weigh(folder))
  } finally {
    for (const child of children) child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Measured {
  readonly sent: Sent
  readonly cpu: number
  readonly rss: readonly number[]
  readonly holds: readonly number[]
}

async function measure(collector: Collector, broker: string, sender: ChildProcess): Promise<Measured> {
  const watched = watch(collector)
  const before = cpuSeconds(collector.pid)
  const sent = await ask<Sent>(sender, { send: broker }).finally(watched.end)
  await idle(collector.pid)
  return { sent, cpu: cpuSeconds(collector.pid) - before, rss: watched.rss, holds: watched.holds }
}

/** @throws when a sample was lost or stored twice. */
function figures({ sent, cpu, rss, holds }: Measured, prepared: Prepared, { bytes, samples }: Weight): Round {
  const expected = prepared.samples + sent.commits.length
  if (samples !== expected) throw new Error(`${expected} samples were sent, ${samples} are in history`)
  const commits = sent.commits.toSorted((a, b) => a - b)
  return {
    samples_per_cpu_s: Math.round(samples / cpu),
    samples_per_s_wall: Math.round(samples / sent.seconds),
    rss_mb: Math.round(median(rss)),
    rss_max_mb: Math.round(Math.max(...rss)),
    bytes_per_sample: Number((bytes / samples).toFixed(2)),
    p50_commit_ms: Math.round(median(commits)),
    p99_commit_ms: Math.round(commits[Math.floor(commits.length * 0.99)]!),
    longest_hold_ms: Math.round(Math.max(...holds)),
  }
}

interface Collector {
  readonly pid: number
  readonly url: string
  stop(): Promise<void>
}

async function startCollector(
  folder: string,
  broker: string,
  children: ChildProcess[],
  profile?: string,
): Promise<Collector> {
  const listen = `127.0.0.1:${await freePort()}`
  const file = join(folder, 'collector.yaml')
  writeFileSync(file, config(folder, listen, broker))
  const profiling = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(profile)}`]
  const program = [join(folder, '../dist/fieldline.js'), 'collector', '--config', file]
  const child = spawn(process.execPath, [...profiling, ...program], { stdio: ['ignore', 'inherit', 'inherit'] })
  children.push(child)
  const url = `http://${listen}/`
  await until('the collector answers', async () => (await fetch(`${url}metrics`)).ok)
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  return { pid: child.pid!, url, stop }
}

/** Only the limits are not what they are by default: they are there to hold back a node that sends like these. */
function config(folder: string, listen: string, broker: string): string {
  return `daemon: collector
state: ${join(folder, 'state')}
listen: ${listen}
mqtt: { brokers: ["${broker}"] }
limits: { bytes_per_second: 1GiB, samples_per_second: 10000000 }
detectors:
  - { type: silence }
  - { type: threshold, name: memory-short, metric: system.memory.utilization, above: 0.95, clear: 0.9, for: 10s }
  - { type: threshold, name: hot, metric: hw.temperature, above: 80, clear: 70, for: 30s }
`
}

/** mosquitto where it is installed; it may queue what waits, by default it would drop it. */
async function startBroker(folder: string, children: ChildProcess[]): Promise<{ url: string; close(): Promise<void> }> {
  if (!existsSync(mosquitto)) {
    console.error('no mosquitto, using the embedded broker: apt-get install mosquitto')
    return openBroker({ host: '127.0.0.1', port: 0 })
  }
  const port = await freePort()
  const file = join(folder, 'mosquitto.conf')
  writeFileSync(file, `listener ${port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 10000\n`)
  const child = spawn(mosquitto, ['-c', file], { stdio: 'ignore' })
  children.push(child)
  const close = async (): Promise<void> => {
    child.kill()
    await once(child, 'exit')
  }
  return { url: `mqtt://127.0.0.1:${port}`, close }
}

/** Looks at its memory, and how long it takes to answer the shortest question: as long as its loop is held. */
function watch({ pid, url }: Collector): { rss: readonly number[]; holds: readonly number[]; end(): void } {
  const rss: number[] = []
  const holds: number[] = []
  let waiting = false
  const ask = async (): Promise<void> => {
    const begun = performance.now()
    waiting = true
    await (await fetch(`${url}api/none`)).text()
    holds.push(performance.now() - begun)
    waiting = false
  }
  const timer = setInterval(() => {
    rss.push(rssMb(pid))
    if (!waiting) void ask()
  }, 50)
  return { rss, holds, end: () => clearInterval(timer) }
}

/** Until it used less than 10 % of a CPU for two seconds: compaction takes more than that. */
async function idle(pid: number): Promise<void> {
  for (let quiet = 0; quiet < 2; ) {
    const before = cpuSeconds(pid)
    await delay(1000)
    quiet = cpuSeconds(pid) - before < 0.1 ? quiet + 1 : 0
  }
}

interface Weight {
  readonly bytes: number
  readonly samples: number
}

/** The file as its last user left it, its log folded in. */
function weigh(folder: string): Weight {
  const file = join(folder, 'state/history.db')
  const db = new Database(file)
  const { samples } = db.prepare('SELECT sum(count) AS samples FROM chunk').get() as { samples: number }
  db.close()
  return { bytes: statSync(file).size, samples }
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000
  while (!(await condition().catch(() => false))) {
    if (performance.now() > deadline) throw new Error(`after 20 s still not: ${what}`)
    await delay(50)
  }
}
