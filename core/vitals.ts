// What a daemon tells of itself at /metrics, in the Prometheus text format 0.0.4. Values are read when asked, never kept.

import { createServer } from 'node:http'
import { Counter, Gauge, Registry } from 'prom-client'

export interface Vital {
  /** Prometheus metric name; counters end in `_total`. */
  readonly name: string
  readonly help: string
  readonly kind: 'gauge' | 'counter'
  readonly labels?: readonly string[]
  /** One value, or one for each set of labels. */
  read(): number | readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[]
}

/** The text of /metrics; with the process's own memory and CPU time beside what is given. */
export function vitalsText(vitals: readonly Vital[]): () => Promise<string> {
  const registry = new Registry()
  for (const vital of [...vitals, ...ofProcess]) register(registry, vital)
  return () => registry.metrics()
}

function register(registry: Registry, { name, help, kind, labels = [], read }: Vital): void {
  const refresh = (): void => {
    metric.reset()
    const now = read()
    for (const { labels, value } of typeof now === 'number' ? [{ labels: {}, value: now }] : now)
      metric.inc(labels, value)
  }
  const options = { name, help, labelNames: labels, registers: [registry], collect: () => refresh() }
  const metric = kind === 'gauge' ? new Gauge(options) : new Counter(options)
}

const ofProcess: readonly Vital[] = [
  {
    name: 'process_resident_memory_bytes',
    help: 'Resident memory of this process.',
    kind: 'gauge',
    read: () => process.memoryUsage.rss(),
  },
  {
    name: 'process_cpu_seconds_total',
    help: 'User and system CPU time of this process.',
    kind: 'counter',
    read: () => {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1e6
    },
  },
]

export interface VitalsServer {
  readonly url: string
  close(): void
}

/** Serves /metrics on `host:port`; port 0 takes a free one. Rejects when the address cannot be had. */
export async function serveVitals(listen: string, vitals: readonly Vital[]): Promise<VitalsServer> {
  const text = vitalsText(vitals)
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') return void response.writeHead(404).end()
    text().then(
      body => response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(body),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  server.maxConnections = 16
  server.requestTimeout = 5000
  const { host, port } = splitAddress(listen)
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))
  server.unref()
  const at = server.address()
  return { url: `http://${host}:${typeof at === 'object' ? at?.port : port}/metrics`, close: () => void server.close() }
}

/** `127.0.0.1:9464` or `[::1]:9464`. */
export function splitAddress(listen: string): { host: string; port: number } {
  const at = listen.lastIndexOf(':')
  return { host: listen.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(listen.slice(at + 1)) }
}
