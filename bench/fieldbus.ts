// The bundled gateway reading field devices and writing its spool, nothing beyond: its uplink leads nowhere. What it has
// read is counted afterwards in the spool itself, by the time each envelope became durable; costs are the kernel's own
// figures of the gateway process. `--runs N` (3) of `--seconds N` (20) after a warm-up; `--only NAME`.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import Database from 'better-sqlite3'
import { freePort } from '../core/free-port.ts'
import { build } from '../packaging/build.ts'
import type { Field } from './fieldbus/field.ts'
import { field as modbus } from './fieldbus/modbus.ts'
import { field as opcua } from './fieldbus/opcua.ts'
import { cpuSeconds, median, rssMb, table } from './process.ts'

const fields: readonly Field[] = [modbus, opcua]
const warmUp = 10
/** More than an empty spool, less than a reading, bytes. */
const firstReading = 256 * 1024

interface Cost {
  readonly values_per_s: number
  readonly cpu_percent: number
  readonly rss_mb: number
}

export async function run(args: readonly string[]): Promise<Record<string, unknown>> {
  const options = {
    runs: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '20' },
    only: { type: 'string' },
  } as const
  const { values } = parseArgs({ args: [...args], options })
  await build('dist')
  const figures: Record<string, number> = {}
  for (const field of fields.filter(f => values.only === undefined || f.name === values.only)) {
    const runs: Cost[] = []
    for (let n = 0; n < Number(values.runs); n++) runs.push(await measure(field, Number(values.seconds)))
    table(runs.map((cost, n) => ({ [field.name]: `run ${n + 1}`, ...cost })))
    figures[`${field.name}.${field.rate}`] = median(runs.map(r => r.values_per_s))
    figures[`${field.name}.cpu_percent`] = median(runs.map(r => r.cpu_percent))
    figures[`${field.name}.rss_mb`] = median(runs.map(r => r.rss_mb))
  }
  return figures
}

async function measure(field: Field, seconds: number): Promise<Cost> {
  const folder = mkdtempSync(join(tmpdir(), 'fieldline-fieldbus-'))
  const devices = await field.start(folder)
  let gateway: ChildProcess | undefined
  try {
    gateway = await startGateway(folder, devices.sources)
    await reading(folder)
    await devices.flowing?.()
    await delay(warmUp * 1000)
    // Readings begin at whole seconds and end soon after: in the middle between two none is cut apart.
    await delay(1500 - (Date.now() % 1000))
    const [from, cpu, began] = [Date.now(), cpuSeconds(gateway.pid!), performance.now()]
    const rss: number[] = []
    for (let s = 0; s < seconds; s++) {
      await delay(1000)
      rss.push(rssMb(gateway.pid!))
    }
    const took = (performance.now() - began) / 1000
    const share = (cpuSeconds(gateway.pid!) - cpu) / took
    const to = Date.now()
    await stopped(gateway)
    const values = durable(join(folder, 'gateway/spool.db'), from, to)
    return {
      values_per_s: Math.round(values / took),
      cpu_percent: Number((share * 100).toFixed(1)),
      rss_mb: Number(median(rss).toFixed(1)),
    }
  } finally {
    gateway?.kill('SIGKILL')
    devices.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function startGateway(folder: string, sources: readonly object[]): Promise<ChildProcess> {
  const file = join(folder, 'gateway.yaml')
  const config = [
    'daemon: gateway',
    `state: ${join(folder, 'gateway')}`,
    'metrics: off',
    'sources:',
    ...sources.map(source => `  - ${JSON.stringify(source)}`),
    'uplinks:',
    `  - { type: mqtt, brokers: ["mqtt://127.0.0.1:${await freePort()}"] }`,
    '',
  ]
  writeFileSync(file, config.join('\n'))
  return spawn(process.execPath, ['dist/fieldline.js', 'gateway', '--config', file], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

/** Resolves when something of what was read is in the spool: a long configuration takes its time. */
async function reading(folder: string): Promise<void> {
  const journal = join(folder, 'gateway/spool.db-wal')
  while ((statSync(journal, { throwIfNoEntry: false })?.size ?? 0) < firstReading) await delay(100)
}

async function stopped(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  child.kill()
  await exit
}

/** Samples that became durable between the two moments. */
function durable(file: string, from: number, to: number): number {
  const db = new Database(file, { readonly: true })
  const sum = db.prepare('SELECT sum(samples) AS samples FROM rows WHERE put_time > ? AND put_time <= ?')
  const { samples } = sum.get(from, to) as { samples: number | null }
  db.close()
  return samples ?? 0
}
