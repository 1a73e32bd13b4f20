// The embedded broker of the demo, of tests and of one machine alone: aedes, MQTT 3.1.1, on loopback only.
// It keeps nothing over a restart and acknowledges before it delivers; receipts are what nothing is lost by.

import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { Aedes } from 'aedes'
import { maxPacket } from '../core/mqtt-session.ts'
import { packetMeter } from '../core/packet-meter.ts'

export interface BrokerOptions {
  /** A loopback address. */
  readonly host: string
  /** 0: any free one. */
  readonly port: number
}

export interface Broker {
  /** `mqtt://host:port` */
  readonly url: string
  close(): Promise<void>
}

/** A subscriber that reads nothing for this long, ms, is dropped: until then its publishers wait with it. */
const patience = 5000

/** @throws where the address is taken, or is not loopback. */
export async function openBroker({ host, port }: BrokerOptions): Promise<Broker> {
  if (!/^(127\.|localhost$|::1$)/.test(host))
    throw new Error(`the embedded broker listens on loopback only, not on ${host}`)
  const aedes = await Aedes.createBroker({ drainTimeout: patience, maxClientsIdLength: 256, concurrency: 1000 })
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, socket => {
    sockets.add(socket.on('close', () => sockets.delete(socket)))
    limit(socket)
    aedes.handle(socket)
  })
  server.listen(port, host)
  await once(server, 'listening').catch(error => {
    aedes.close()
    throw error
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the embedded broker has no port')
  const close = async (): Promise<void> => {
    const closed = new Promise<void>(resolve => server.close(() => resolve()))
    for (const socket of sockets) socket.destroy()
    await new Promise<void>(resolve => aedes.close(() => resolve()))
    await closed
  }
  return { url: `mqtt://${host.includes(':') ? `[${host}]` : host}:${address.port}`, close }
}

/** aedes reads with `read()` and gathers a packet of any length: what is too long ends the connection on the way in. */
function limit(socket: Socket): void {
  const meter = packetMeter(maxPacket)
  const read = socket.read.bind(socket)
  socket.read = (size?: number) => {
    const chunk: Buffer | null = read(size)
    if (chunk === null || meter(chunk) === 0) return chunk
    socket.destroy()
    return null
  }
}
