// `fieldline status`: what the daemons of this host say of themselves at /metrics; of one that is not running, what its
// state folder shows, and what to do.

import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { agentMetrics } from '../agent/config.ts'
import { collectorListen } from '../collector/config.ts'
import { defaultState } from '../core/config-shapes.ts'
import { reason } from '../core/errors.ts'
import { gatewayMetrics } from '../gateway/config.ts'
import { readArguments } from './arguments.ts'
import { checked } from './check.ts'
import { reachable } from './collector-api.ts'
import { type Command, status as exit, print } from './command.ts'
import { agentShape, collectorShape, type DaemonName, daemons, gatewayShape } from './daemons.ts'
import { type Metric, parseMetrics } from './metrics-text.ts'
import { table } from './table.ts'
import { texts } from './texts.ts'

const timeLimit = 3000

interface Daemon {
  readonly daemon: DaemonName
  /** Of /metrics; undefined where the configuration says off. */
  readonly address: string | undefined
  readonly state: string
}

interface Report extends Daemon {
  readonly running: boolean
  readonly metrics: readonly Metric[]
  /** Why it could not be asked. */
  readonly trouble?: string
}

export const status: Command = {
  async run(args) {
    const { values } = readArguments(args, { config: { type: 'string' }, json: { type: 'boolean' } })
    const reports = await (values.config === undefined ? local() : ask(await configured(values.config)).then(r => [r]))
    if (values.json) print(JSON.stringify(reports))
    else print(reports.map(report => asText(report, values.config)).join('\n\n'))
    return reports.every(r => r.running) ? exit.ok : exit.failed
  },
}

/** The daemons that have a configuration here; without any, those that answer at their default addresses. */
async function local(): Promise<Report[]> {
  const files = daemons.map(d => `/etc/fieldline/${d}.yaml`).filter(file => existsSync(file))
  if (files.length > 0) return Promise.all(files.map(async file => ask(await configured(file))))
  const reports = await Promise.all(daemons.map(byDefault).map(ask))
  const running = reports.filter(r => r.running)
  return running.length > 0 ? running : reports.slice(0, 1)
}

const addresses: Readonly<Record<DaemonName, string>> = {
  agent: agentMetrics,
  gateway: gatewayMetrics,
  collector: collectorListen,
}

function byDefault(daemon: DaemonName): Daemon {
  return { daemon, address: addresses[daemon], state: defaultState(daemon) }
}

async function configured(file: string): Promise<Daemon> {
  const { daemon, config } = await checked(file)
  if (daemon === 'collector') {
    const { listen, state } = config.check(await collectorShape())
    return { daemon, address: listen, state }
  }
  const { metrics, state } = config.check(await (daemon === 'agent' ? agentShape() : gatewayShape()))
  return { daemon, address: metrics, state }
}

async function ask(daemon: Daemon): Promise<Report> {
  if (daemon.address === undefined)
    return { ...daemon, running: false, metrics: [], trouble: texts(process.env).said.metricsOff }
  try {
    const answer = await fetch(`http://${reachable(daemon.address)}/metrics`, {
      signal: AbortSignal.timeout(timeLimit),
    })
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`)
    return { ...daemon, running: true, metrics: parseMetrics(await answer.text()) }
  } catch (error) {
    return { ...daemon, running: false, metrics: [], trouble: reason(error) }
  }
}

function asText(report: Report, file: string | undefined): string {
  const { said } = texts(process.env)
  const { daemon, address = 'off', trouble = '', state, metrics } = report
  if (!report.running) {
    return [said.notRunning(daemon, address, trouble), ...stateText(state), said.whatToDo(daemon, file)].join('\n')
  }
  const rows = metrics
    .filter(({ name }) => /^(fieldline_|process_resident)/.test(name))
    .flatMap(({ name, help, values }) => values.map(v => [label(name, v.labels), amount(name, v.value), help]))
  return [said.running(daemon, address), table(rows, [1])].join('\n')
}

function label(name: string, labels: string): string {
  const words = name
    .replace(/^fieldline_|_total$/g, '')
    .replace(/_(bytes|seconds)$/, '')
    .replaceAll('_', ' ')
  return labels === '' ? words : `${words} (${labels.replaceAll('"', '').replaceAll(',', ', ')})`
}

/** By the unit at the end of the name: bytes, a time, seconds, or a count. */
function amount(name: string, value: number): string {
  const plain = name.replace(/_total$/, '')
  if (plain.endsWith('_bytes')) return size(value)
  if (plain.endsWith('_timestamp_seconds')) return value === 0 ? '-' : new Date(value * 1000).toISOString()
  return plain.endsWith('_seconds') ? `${Number(value.toFixed(3))} s` : String(value)
}

function size(bytes: number): string {
  const unit = Math.min(4, Math.floor(Math.log2(Math.max(1, bytes)) / 10))
  return `${Number((bytes / 1024 ** unit).toFixed(1))} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][unit]}`
}

/** What waits in the spool of a daemon that does not answer. */
function stateText(state: string): string[] {
  const file = join(state, 'spool.db')
  const found = statSync(file, { throwIfNoEntry: false })
  if (found === undefined) return []
  return [texts(process.env).said.spoolThere(file, size(found.size), found.mtime.toISOString())]
}
