// The MLLP listener: lets senders in, serves each, and tells now and then how it fares.

import { createServer, type Server, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { openOutbox } from '../../agent/outbox.ts'
import type { Emit, Surroundings } from '../../agent/source.ts'
import type { Series } from '../../core/model.ts'
import { serve } from './connection.ts'
import { Counts } from './counts.ts'
import { Intake } from './intake.ts'
import type { Mapper } from './mapper.ts'
import { Pace } from './pace.ts'
import { type SecureServer, secureServer, type TlsFiles } from './secure.ts'
import { gate, type Peer, type Sender } from './senders.ts'

export interface ListenerOptions {
  /** `host:port` */
  readonly listen: string
  readonly tls: TlsFiles | undefined
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

/** Between what it tells of itself, ms. */
const interval = 10_000

type At = Omit<Surroundings, 'keep' | 'folder'> & { readonly folder: string | undefined }

/** Listens until the signal aborts, and then lets what is under way finish. @throws where it cannot listen. */
export async function listen(
  options: ListenerOptions,
  at: At,
  emit: Emit,
  signal: AbortSignal,
  listening?: (port: number) => void,
): Promise<void> {
  const counts = new Counts(at.name)
  const { server, renew } = serverOf(options, counts)
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
    await tell(counts, at, emit, signal, renew)
  } finally {
    server.close()
    await Promise.all(open)
  }
}

function admitter(options: ListenerOptions, at: At, emit: Emit, counts: Counts) {
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

function serverOf({ tls, max_connections }: ListenerOptions, counts: Counts): SecureServer {
  const made = tls === undefined ? { server: createServer(), renew: () => undefined } : secureServer(tls)
  made.server.maxConnections = max_connections
  made.server.on('drop', () => counts.refused++)
  made.server.on('tlsClientError', () => counts.refused++)
  return made
}

async function started(server: Server, address: string): Promise<void> {
  const { hostname, port } = new URL(`tcp://${address}`)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.on('error', cause => reject(new Error(`cannot listen on ${address}`, { cause })))
  server.listen({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) }, resolve)
  await promise
}

/** And looks whether the certificates were renewed. */
async function tell(
  counts: Counts,
  { name, host, say }: At,
  emit: Emit,
  signal: AbortSignal,
  renew: SecureServer['renew'],
): Promise<void> {
  const success: Series = { name: 'fieldline.source.success', unit: '1', kind: 'gauge', attributes: { source: name } }
  const outbox = openOutbox(name, emit, say)
  let told: string | undefined
  while (!signal.aborted) {
    await host.sleep(interval - (host.now() % interval), signal)
    const time = host.now()
    await outbox.hand({ samples: [...counts.samples(time), { series: success, time, value: 1 }], events: [] })
    const trouble = renew()
    if (trouble !== undefined && trouble !== told)
      say('error', `source ${name}: keeps its old certificates: ${trouble}`, { source: name })
    told = trouble
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
