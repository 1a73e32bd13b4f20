// A gateway as it is shipped, in a process of its own, with one HL7 source: how many messages a second are durable and
// acknowledged, and how long a sender waits. Its uplink has nobody at the other end, so that all is kept in the spool:
// what is measured is the way from the socket to the disk. Connections obey the acknowledgements, one message at a time.
// `--connections N` (16), `--seconds N` (10), `--rounds N` (3), `--rate N` (2000) of the paced load, `--profile FOLDER`.

import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { freePort } from '../core/free-port.ts'
import { build } from '../packaging/build.ts'
import { canConnect } from '../test/brokers.ts'
import type { Load, Measured } from './mllp-sender.ts'
import { cpuSeconds, median, rssMb, table } from './process.ts'

const options = {
  connections: { type: 'string', default: '16' },
  seconds: { type: 'string', default: '10' },
  rounds: { type: 'string', default: '3' },
  rate: { type: 'string', default: '2000' },
  profile: { type: 'string' },
} as const

export async function run(args: readonly string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({ args: [...args], options })
  const folder = mkdtempSync(join(tmpdir(), 'fieldline-mllp-'))
  const sender = fork(new URL('./mllp-sender.ts', import.meta.url), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const port = await freePort()
  let gateway: ChildProcess | undefined
  try {
    await build(join(folder, 'dist'))
    gateway = await start(folder, port, values.profile)
    const common = { port, connections: Number(values.connections), seconds: Number(values.seconds) }
    await measure(gateway, sender, { ...common, seconds: 2, rate: undefined, name: 'W' })
    const rounds: Figures[] = []
    for (let n = 0; n < Number(values.rounds); n++) {
      const full = await measure(gateway, sender, { ...common, rate: undefined, name: `F${n}.` })
      const paced = await measure(gateway, sender, { ...common, rate: Number(values.rate), name: `P${n}.` })
      rounds.push({ ...full, paced_per_s: paced.messages_per_s, paced_p99_ms: paced.p99_ms })
    }
    table(rounds)
    return Object.fromEntries(Object.keys(rounds[0]!).map(key => [key, median(rounds.map(r => r[key]!))]))
  } finally {
    sender.kill()
    await stop(gateway)
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Figures {
  readonly [key: string]: number
  readonly messages_per_s: number
  readonly p99_ms: number
}

async function measure(gateway: ChildProcess, sender: ChildProcess, load: Load): Promise<Figures> {
  const before = cpuSeconds(gateway.pid!)
  sender.send(load)
  const [answer] = await Promise.race([once(sender, 'message'), once(sender, 'exit')])
  if (typeof answer !== 'object' || answer === null) throw new Error('the sender ended')
  const { messages, seconds, waits } = answer as Measured
  const sorted = waits.toSorted((a, b) => a - b)
  const at = (part: number): number => Number(sorted[Math.floor((sorted.length - 1) * part)]!.toFixed(2))
  return {
    messages_per_s: Math.round(messages / seconds),
    p50_ms: at(0.5),
    p99_ms: at(0.99),
    cpu_percent: Math.round(((cpuSeconds(gateway.pid!) - before) / seconds) * 100),
    rss_mb: Math.round(rssMb(gateway.pid!)),
  }
}

async function start(folder: string, port: number, profile?: string): Promise<ChildProcess> {
  const file = join(folder, 'gateway.yaml')
  writeFileSync(file, config(folder, port, await freePort()))
  const profiling = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(profile)}`]
  const program = [join(folder, 'dist/fieldline.js'), 'gateway', '--config', file]
  const gateway = spawn(process.execPath, [...profiling, ...program], { stdio: ['ignore', 'ignore', 'inherit'] })
  for (let tries = 0; !(await canConnect(port)); tries++) {
    if (tries > 200 || gateway.exitCode !== null) throw new Error('the gateway does not listen')
    await delay(50)
  }
  return gateway
}

async function stop(gateway: ChildProcess | undefined): Promise<void> {
  if (gateway === undefined || gateway.exitCode !== null) return
  gateway.kill('SIGTERM')
  await once(gateway, 'exit')
}

function config(folder: string, port: number, nobody: number): string {
  return `daemon: gateway
state: ${join(folder, 'state')}
metrics: off
spool: { max_bytes: 4GiB, when_full: refuse }
sources:
  - { type: hl7, listen: "127.0.0.1:${port}", pace: 100000 }
uplinks:
  - { type: mqtt, brokers: ["mqtt://127.0.0.1:${nobody}"] }
`
}
