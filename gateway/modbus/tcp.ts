// A TCP connection as a wire. What comes is read into one buffer: Node would take a fresh one of 64 KiB for each answer.

import { once } from 'node:events'
import { connect } from 'node:net'
import type { TcpLine } from './address.ts'
import type { OpenWire } from './wire.ts'

export function tcpWire({ host, port }: TcpLine): OpenWire {
  return async (heard, timeout) => {
    const buffer = Buffer.allocUnsafe(16_384)
    const onread = {
      buffer,
      callback(size: number) {
        heard.data(buffer.subarray(0, size))
        return true
      },
    }
    // Without delay: Nagle's algorithm would hold a second request back until the first one's bytes are acknowledged.
    const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000, onread })
    const signal = AbortSignal.timeout(timeout)
    try {
      await once(socket, 'connect', { signal })
    } catch (cause) {
      socket.destroy()
      throw signal.aborted ? new Error(`no answer within ${timeout} ms`, { cause }) : cause
    }
    let why = new Error('the device closed the connection')
    let closed = false
    socket.on('error', error => {
      why = error
    })
    socket.once('close', () => closed || heard.gone(why))
    return {
      send: bytes => void socket.write(bytes),
      close() {
        closed = true
        socket.destroy()
      },
    }
  }
}
