// The rivals of `footprint`, from Debian, doing their equal on the same host at the same moment.

import { type ChildProcess, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../core/free-port.ts'

export interface Rival {
  readonly name: string
  readonly process: ChildProcess
  /** Values it has delivered so far. */
  values(): number
  /** From its start to the first values anybody had of it, ms. */
  first(): number | undefined
  stop(): void
}

const nodeExporter = '/usr/bin/prometheus-node-exporter'
const collectd = '/usr/sbin/collectd'

/** Those that are installed; says how to get the others. */
export async function rivals(folder: string): Promise<Rival[]> {
  const found: Rival[] = []
  if (existsSync(nodeExporter)) found.push(await startNodeExporter())
  else console.error('no node_exporter to compare with: apt-get install prometheus-node-exporter')
  if (existsSync(collectd)) found.push(await startCollectd(folder))
  else console.error('no collectd to compare with: apt-get install --no-install-recommends collectd-core')
  return found
}

/** Scraped every second, as a Prometheus would. */
async function startNodeExporter(): Promise<Rival> {
  const port = await freePort()
  const child = spawn(nodeExporter, [`--web.listen-address=127.0.0.1:${port}`], { stdio: 'ignore' })
  const began = performance.now()
  let first: number | undefined
  let values = 0
  const scrape = async (): Promise<void> => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    values += text.split('\n').filter(line => line !== '' && !line.startsWith('#')).length
    first ??= performance.now() - began
  }
  // Not up yet: scraped again soon.
  const early = setInterval(() => first === undefined && scrape().catch(() => undefined), 20)
  const timer = setInterval(() => scrape().catch(() => undefined), 1000)
  return {
    name: 'node_exporter',
    process: child,
    values: () => values,
    first: () => first,
    stop() {
      clearInterval(early)
      clearInterval(timer)
      child.kill()
    },
  }
}

/** Sends every second to a socket of ours, which counts the values in its packets. */
async function startCollectd(folder: string): Promise<Rival> {
  let values = 0
  let began = 0
  let first: number | undefined
  const sink = createSocket('udp4', packet => {
    values += valuesIn(packet)
    first ??= performance.now() - began
  })
  sink.bind(0, '127.0.0.1')
  await once(sink, 'listening')
  const file = join(folder, 'collectd.conf')
  writeFileSync(file, collectdConfig(folder, sink.address().port))
  began = performance.now()
  const child = spawn(collectd, ['-f', '-C', file], { stdio: 'ignore' })
  const stop = (): void => {
    sink.close()
    child.kill()
  }
  return { name: 'collectd', process: child, values: () => values, first: () => first, stop }
}

function collectdConfig(folder: string, port: number): string {
  const plugins = ['cpu', 'memory', 'load', 'disk', 'df', 'interface', 'swap', 'vmem', 'processes']
  return [
    `BaseDir "${folder}"`,
    'Interval 1',
    ...plugins.map(p => `LoadPlugin ${p}`),
    'LoadPlugin network',
    `<Plugin network>\n  Server "127.0.0.1" "${port}"\n</Plugin>`,
    '<Plugin cpu>\n  ReportByCpu false\n  ReportByState true\n  ValuesPercentage false\n</Plugin>',
    '<Plugin df>\n  ReportInodes true\n</Plugin>\n',
  ].join('\n')
}

/** Values in one packet of collectd's binary protocol: parts of type and length, type 6 holding counted values. */
function valuesIn(packet: Buffer): number {
  let values = 0
  for (let at = 0; at + 6 <= packet.length; ) {
    const length = packet.readUInt16BE(at + 2)
    if (packet.readUInt16BE(at) === 6) values += packet.readUInt16BE(at + 4)
    if (length < 4) break
    at += length
  }
  return values
}
