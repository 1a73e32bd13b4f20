// netdata from Debian as a rival: its plugin for /proc and what comes with the daemon, nothing sent anywhere.

import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../core/free-port.ts'
import type { Rival } from './peers.ts'

export const netdata = '/usr/sbin/netdata'

export async function startNetdata(folder: string): Promise<Rival> {
  const port = await freePort()
  const home = join(folder, 'netdata')
  for (const name of ['cache', 'lib', 'log']) mkdirSync(join(home, name), { recursive: true })
  const file = join(home, 'netdata.conf')
  writeFileSync(file, config(home, port))
  const child = spawn(netdata, ['-D', '-c', file], { stdio: 'ignore' })
  const began = performance.now()
  let dimensions = 0
  const count = async (): Promise<void> => {
    const charts: Record<string, { dimensions: object }> = await (
      await fetch(`http://127.0.0.1:${port}/api/v1/allmetrics?format=json`)
    ).json()
    dimensions = Object.values(charts).reduce((sum, chart) => sum + Object.keys(chart.dimensions).length, 0)
    first ??= dimensions > 0 ? performance.now() - began : undefined
  }
  let first: number | undefined
  // Asked until there is something, then seldom: asking costs it more than measuring. Its charts come up one after another.
  const early = setInterval(() => first === undefined && count().catch(() => undefined), 250)
  const seldom = setInterval(() => count().catch(() => undefined), 10_000)
  let values = 0
  let at = performance.now()
  return {
    name: 'netdata',
    process: child,
    first: () => first,
    values() {
      const now = performance.now()
      values += (dimensions * (now - at)) / 1000
      at = now
      return values
    },
    stop() {
      clearInterval(early)
      clearInterval(seldom)
      child.kill()
    },
  }
}

function config(home: string, port: number): string {
  const off = [
    'python.d',
    'charts.d',
    'go.d',
    'node.d',
    'apps',
    'ebpf',
    'perf',
    'slabinfo',
    'nfacct',
    'xenstat',
    'tc',
    'idlejitter',
  ]
  return [
    '[global]',
    '  run as user = root',
    '  update every = 1',
    '[directories]',
    `  cache = ${home}/cache`,
    `  lib = ${home}/lib`,
    `  log = ${home}/log`,
    '[web]',
    `  bind to = 127.0.0.1:${port}`,
    '[plugins]',
    ...off.map(name => `  ${name} = no`),
    '[ml]',
    '  enabled = no',
    '[health]',
    '  enabled = no',
    '[statsd]',
    '  enabled = no',
    '',
  ].join('\n')
}
