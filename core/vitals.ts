// What a daemon tells of itself at /metrics, in the Prometheus text format 0.0.4. Values are read when asked, never kept.
// HTTP and `prom-client` load when somebody first asks: until then they would cost 11 MB of RSS.

import { once } from 'node:events'
import type { RequestListener, Server } from 'node:http'
import { type Server as BareServer, createServer } from 'node:net'
import type { Registry } from 'prom-client'

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
  let registry: Promise<Registry> | undefined
  return async () => {
    registry ??= registryOf([...vitals, ...ofProcess])
    return (await registry).metrics()
  }
}

type Prometheus = typeof import('prom-client')

async function registryOf(vitals: readonly Vital[]): Promise<Registry> {
  const prometheus = await import('prom-client')
  const registry = new prometheus.Registry()
  for (const vital of vitals) register(prometheus, registry, vital)
  return registry
}

function register({ Counter, Gauge }: Prometheus, registry: Registry, { name, help, kind, labels = [], read }: Vital) {
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

/**
 * Serves /metrics on `host:port`; port 0 takes a free one. Rejects when the address cannot be had. `more` is text in the
 * same format that follows the vitals.
 */
export async function serveVitals(
  listen: string,
  vitals: readonly Vital[],
  more: () => string = () => '',
): Promise<VitalsServer> {
  const text = vitalsText(vitals)
  const answer: RequestListener = (request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') return void response.writeHead(404).end()
    text().then(
      body =>
        response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(body + more()),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  }
  let http: Promise<Server> | undefined
  const server = createServer(socket => {
    http ??= takeOver(server, answer)
    http.then(
      it => it.emit('connection', socket),
      () => socket.destroy(),
    )
  })
  const { host, port } = splitAddress(listen)
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))
  server.unref()
  const at = server.address()
  const close = (): void => {
    server.close()
    void http?.then(it => it.close())
  }
  return { url: `http://${host}:${typeof at === 'object' ? at?.port : port}/metrics`, close }
}

/** From the first connection on an HTTP server accepts what comes to the address of `bare`. */
async function takeOver(bare: BareServer, answer: RequestListener): Promise<Server> {
  const { createServer } = process.getBuiltinModule('node:http')
  const server = createServer({ requestTimeout: 5000 }, answer)
  server.maxConnections = 16
  server.listen(bare).unref()
  await once(server, 'listening')
  return server
}

/** `127.0.0.1:9464` or `[::1]:9464`. */
export function splitAddress(listen: string): { host: string; port: number } {
  const at = listen.lastIndexOf(':')
  return { host: listen.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(listen.slice(at + 1)) }
}
