// Stands between a client and a server, and fails as networks do: passes, holds (nothing comes through, nothing ends) or cuts.

import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export interface Proxy {
  readonly port: number
  /** Nothing comes through any more, and nobody is told. */
  hold(): void
  /** Ends what is connected; what comes new passes again. */
  cut(): void
  close(): void
}

/** What the server says may be changed on its way to the client; undefined resets the connection. */
export type Spoil = (bytes: Buffer) => Buffer | undefined

export async function proxy(to: number, spoil: Spoil = bytes => bytes): Promise<Proxy> {
  const sockets = new Set<Socket>()
  let isHeld = false
  const join = (from: Socket, into: Socket, change: Spoil): void => {
    sockets.add(from)
    from.on('data', bytes => {
      const changed = isHeld ? Buffer.alloc(0) : change(bytes)
      if (changed === undefined) into.resetAndDestroy()
      else into.write(changed)
    })
    from.on('error', () => into.destroy())
    from.on('close', () => {
      sockets.delete(from)
      if (!isHeld) into.destroy()
    })
  }
  const server = createServer(client => {
    const upstream = connect(to, '127.0.0.1')
    join(client, upstream, bytes => bytes)
    join(upstream, client, spoil)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const cut = (): void => {
    isHeld = false
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    hold: () => {
      isHeld = true
    },
    cut,
    close: () => {
      cut()
      server.close()
    },
  }
}
