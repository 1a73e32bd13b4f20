// The library's TCP transport, with one thing more: what its decoders throw at the bytes of a server ends the connection
// that they came over. The library catches most of it; the rest would be nobody's, and end the daemon.

import type { ClientTCP_transport, IClientTransportFactory, ISocketLike } from 'node-opcua-transport'

export function guarded(Transport: typeof ClientTCP_transport): IClientTransportFactory {
  class Guarded extends Transport {
    /** Stands in the library's messages; one that counts would make a new one of the same trouble each time. */
    override name = 'TCP'

    protected override _install_socket(socket: ISocketLike): void {
      super._install_socket(socket)
      const takers = socket.listeners('data') as ((bytes: Buffer) => void)[]
      socket.removeAllListeners('data')
      socket.on('data', bytes => {
        try {
          for (const take of takers) take(bytes)
        } catch (cause) {
          this._theCloseError = new Error('the server says what cannot be read', { cause })
          socket.destroy(this._theCloseError)
        }
      })
    }
  }
  return { create: settings => new Guarded(settings) }
}
