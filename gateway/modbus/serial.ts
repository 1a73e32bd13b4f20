// A serial port as a wire. The package with the native part loads when a port is opened, and so only where one is configured.

import type { SerialLine } from './address.ts'
import type { OpenWire } from './wire.ts'

/** Bits a byte takes on the line: start, 8 of data, parity, stop. */
export function bitsAByte({ parity, stop }: SerialLine): number {
  return 9 + (parity === 'none' ? 0 : 1) + stop
}

/** ms */
export function byteTime(line: SerialLine): number {
  return (bitsAByte(line) * 1000) / line.baud
}

/** The pause between two frames, ms: 3.5 characters, and 1.75 ms above 19,200 baud (MODBUS over Serial Line V1.02, clause 2.5.1.1). */
export function silence(line: SerialLine): number {
  return line.baud > 19_200 ? 1.75 : 3.5 * byteTime(line)
}

export function serialWire(line: SerialLine): OpenWire {
  return async heard => {
    const { LinuxBinding } = await import('@serialport/bindings-cpp')
    const { path, baud: baudRate, parity, stop: stopBits } = line
    const port = await LinuxBinding.open({ path, baudRate, parity, stopBits, dataBits: 8 })
    await port.flush()
    let closed = false
    const gone = (error: unknown): void => {
      if (closed) return
      closed = true
      port.close().catch(() => undefined)
      heard.gone(new Error('the serial port is gone', { cause: error }))
    }
    const listen = async (): Promise<void> => {
      const buffer = Buffer.allocUnsafe(1024)
      while (!closed) {
        const { bytesRead } = await port.read(buffer, 0, buffer.length)
        if (!closed) heard.data(buffer.subarray(0, bytesRead))
      }
    }
    listen().catch(gone)
    return {
      send: bytes => void port.write(bytes).catch(gone),
      close() {
        if (closed) return
        closed = true
        // Closing a port that was pulled out fails, and it is closed all the same.
        port.close().catch(() => undefined)
      },
    }
  }
}
