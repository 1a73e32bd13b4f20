// A simulated signal lamp: one coil, which may be written. It notes when it was switched.

import { simulatedServer, slice } from './simulated-server.ts'

export interface SimulatedLamp {
  /** Options for a `modbus` source that switches it. */
  readonly options: Readonly<Record<string, unknown>>
  readonly on: boolean
  close(): Promise<void>
}

const registers = [
  { name: 'lamp.red', table: 'coil', address: 0, type: 'bool', unit: '1', write: { min: 0, max: 1 } },
] as const

/** Calls `switched` at each change. */
export async function simulatedLamp(switched: (on: boolean) => void): Promise<SimulatedLamp> {
  const lamp = { on: false }
  const server = await simulatedServer({
    getCoil: (address: number) => slice([lamp.on], address, 1)[0]!,
    setCoil: (address: number, value: boolean) => {
      slice([lamp.on], address, 1)
      if (value === lamp.on) return
      lamp.on = value
      switched(value)
    },
  })
  const options = { url: server.url, interval: '1s', attributes: { simulated: true }, registers }
  return Object.assign(lamp, { options, close: server.close })
}
