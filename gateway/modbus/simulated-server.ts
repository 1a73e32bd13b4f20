// A Modbus TCP server on a free port of loopback, for simulated devices.

import { type IServiceVector, ServerTCP } from 'modbus-serial'
import { freePort } from '../../core/free-port.ts'

export interface SimulatedServer {
  /** For the `url` of a `modbus` source. */
  readonly url: string
  close(): Promise<void>
}

export async function simulatedServer(answers: IServiceVector): Promise<SimulatedServer> {
  const port = await freePort()
  const server = new ServerTCP(answers, { host: '127.0.0.1', port })
  await new Promise<void>((resolve, reject) => {
    server.once('initialized', () => resolve())
    server.once('serverError', reject)
  })
  server.on('socketError', () => {}) // a client that resets its connection is no fault of the simulator
  const close = (): Promise<void> => new Promise(resolve => server.close(() => resolve()))
  return { url: `modbus-tcp://127.0.0.1:${port}`, close }
}

/** What lies at the addresses; the library answers exception 2 for what this throws. */
export function slice<T>(values: readonly T[], address: number, count: number): T[] {
  if (address + count <= values.length) return values.slice(address, address + count)
  throw Object.assign(new RangeError(`no address ${address + count - 1}`), { modbusErrorCode: 2 })
}
