// The MLLP listener: lets senders in, serves each, and tells now and then how it fares.

import { readFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { openOutbox } from '../../agent/outbox.ts'
import type { Emit, Surroundings } from '../../agent/source.ts'
import { secretPath } from '../../core/config-shapes.ts'
import type { Series } from '../../core/model.ts'
import { serve } from './connection.ts'
import { Counts } from './counts.ts'
import { Intake } from './intake.ts'
import type { Mapper } from './mapper.ts'
import { Pace } from './pace.ts'
import { gate, type Peer, type Sender } from './senders.ts'

export interface ListenerOptions {
  /** `host:port` */
  readonly listen: string
  readonly tls: { readonly cert: string; readonly key: string; readonly ca: string | undefined } | undefined
  readonly senders: readonly Sender[]
  readonly charset: string | undefined
  readonly max_message: number
  readonly max_connections: number
  /** ms */
  readonly idle: number
  readonly frame_timeout: number
  /** Messages a second of one address. */
  readonly pace: number
  readonly max_aside: number
  readonly mapper: Mapper
}

/** Between what it tells of itself, and how long a handshake may take, ms. */
const interval = 10_000
const handshake = 10_000

/** Listens until the signal aborts, and then lets what is under way finish. @throws where it cannot listen. */
export async function listen(
  options: ListenerOptions,
  at: Omit<Surroundings, 'keep' | 'folder'> & { readonly folder: string | undefined },
  emit: Emit,
  signal: AbortSignal,
  listening?: (port: number) => void,
): Promise<void> {
  const counts = new Counts(at.name)
  const server = serverOf(options, counts)
  const open = new Set<Promise<void>>()
  const admit = admitter(options, at, emit, counts)
  server.on(options.tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    const served = admit(socket, signal)
    open.add(served)
    void served.finally(() => open.delete(served))
  })
  await started(server, options.listen)
  listening?.((server.address() as { port: number }).port)
  try {
    await tell(counts, at, emit, signal)
  } finally {
    server.close()
    await Promise.all(open)
  }
}

function admitter(
  options: ListenerOptions,
  at: Omit<Surroundings, 'keep' | 'folder'> & { readonly folder: string | undefined },
  emit: Emit,
  counts: Counts,
) {
  const { host, name, say } = at
  const allowed = gate(options.senders)
  const controlId = controlIds(host.now())
  const aside = { folder: at.folder, most: options.max_aside }
  const intake = new Intake({ ...options, name, host, say, emit, gate: allowed, counts, aside, controlId })
  const common = { ...options, host, intake, counts, pace: new Pace(options.pace, host) }
  return async (socket: Socket, signal: AbortSignal): Promise<void> => {
    const peer = peerOf(socket)
    if (signal.aborted || !allowed.admits(peer)) {
      counts.refused++
      socket.destroy()
      return
    }
    counts.connections++
    await serve(socket, peer, common, signal)
    counts.connections--
  }
}

function serverOf({ tls, max_connections }: ListenerOptions, counts: Counts): Server {
  const server = tls === undefined ? createServer() : secureServer(tls)
  server.maxConnections = max_connections
  server.on('drop', () => counts.refused++)
  server.on('tlsClientError', () => counts.refused++)
  return server
}

/** With `ca`, only who shows a certificate of it gets in. TLS loads where it is configured. */
function secureServer({ cert, key, ca }: NonNullable<ListenerOptions['tls']>): Server {
  return process.getBuiltinModule('node:tls').createServer({
    cert: readPem('cert', cert),
    key: readPem('key', key),
    ...(ca !== undefined && { ca: readPem('ca', ca), requestCert: true, rejectUnauthorized: true }),
    minVersion: 'TLSv1.2',
    handshakeTimeout: handshake,
  })
}

function readPem(what: string, file: string): Buffer {
  try {
    return readFileSync(secretPath(file))
  } catch (cause) {
    throw new Error(`cannot read tls.${what}`, { cause })
  }
}

async function started(server: Server, address: string): Promise<void> {
  const { hostname, port } = new URL(`tcp://${address}`)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.on('error', cause => reject(new Error(`cannot listen on ${address}`, { cause })))
  server.listen({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) }, resolve)
  await promise
}

async function tell(
  counts: Counts,
  { name, host, say }: Pick<Surroundings, 'name' | 'host' | 'say'>,
  emit: Emit,
  signal: AbortSignal,
): Promise<void> {
  const success: Series = { name: 'fieldline.source.success', unit: '1', kind: 'gauge', attributes: { source: name } }
  const outbox = openOutbox(name, emit, say)
  while (!signal.aborted) {
    await host.sleep(interval - (host.now() % interval), signal)
    const time = host.now()
    await outbox.hand({ samples: [...counts.samples(time), { series: success, time, value: 1 }], events: [] })
  }
  await outbox.close()
}

function peerOf(socket: Socket): Peer {
  const address = (socket.remoteAddress ?? '').replace(/^::ffff:/, '')
  if (!('getPeerCertificate' in socket)) return { address, names: [] }
  const { subject, subjectaltname = '' } = (socket as TLSSocket).getPeerCertificate()
  const alternatives = subjectaltname.split(', ').filter(name => name.startsWith('DNS:'))
  const common = subject?.CN ?? []
  return {
    address,
    names: [...alternatives.map(name => name.slice(4)), ...(Array.isArray(common) ? common : [common])],
  }
}

/** Unlike those of any earlier start; at most 20 characters, as old versions want it. */
function controlIds(start: number): () => string {
  let n = 0
  return () => `${start.toString(36)}.${(n++).toString(36)}`.toUpperCase()
}
