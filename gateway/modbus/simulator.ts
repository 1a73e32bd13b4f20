// A simulated PLC: a hydraulic press as a Modbus TCP server, for `npm start` and for looking around without a plant.
// Its values follow from the time alone. Whatever reads it is told so: the configuration it offers marks every series
// `simulated: true`.

import { simulatedServer, slice } from './simulated-server.ts'

export interface SimulatedPlc {
  /** Options for a `modbus` source that reads it. */
  readonly options: Readonly<Record<string, unknown>>
  /** The oil overheats while true. */
  overheat: boolean
  /** Since when its relief valve is stuck: the pressure stays up, the motor labours, the oil grows hot. */
  stuckSince: number | undefined
  /** Its second coil, which may be written: the oil cooler runs. */
  cooling: boolean
  close(): Promise<void>
}

const strokeSeconds = 12

const registers = [
  { name: 'press.oil.temperature', table: 'holding-register', address: 0, type: 'i16', scale: 0.1, unit: 'Cel' },
  { name: 'press.pressure', table: 'holding-register', address: 1, type: 'u16', scale: 0.01, unit: 'bar' },
  { name: 'press.motor.speed', table: 'holding-register', address: 2, type: 'f32', unit: '{rotation}/min' },
  { name: 'press.strokes', table: 'holding-register', address: 4, type: 'u32', unit: '{stroke}', kind: 'counter' },
  { name: 'press.tank.level', table: 'input-register', address: 0, type: 'u16', scale: 0.001, unit: '1' },
  { name: 'press.pump.running', table: 'coil', address: 0, type: 'bool', unit: '1' },
  { name: 'press.cooling', table: 'coil', address: 1, type: 'bool', unit: '1', write: { min: 0, max: 1 } },
  { name: 'press.door.open', table: 'discrete-input', address: 0, type: 'bool', unit: '1' },
] as const

/** Starts it on a free port of loopback. */
export async function simulatedPlc(): Promise<SimulatedPlc> {
  const plc = { overheat: false, cooling: false, stuckSince: undefined }
  const server = await simulatedServer({
    // The library asks for single ones apart, and answers nothing where it cannot.
    getMultipleHoldingRegisters: (address: number, count: number) => slice(holding(plc), address, count),
    getHoldingRegister: (address: number) => slice(holding(plc), address, 1)[0]!,
    getMultipleInputRegisters: (address: number, count: number) => slice(input(), address, count),
    getInputRegister: (address: number) => slice(input(), address, 1)[0]!,
    getCoil: (address: number) => slice([phase() > 0.05, plc.cooling], address, 1)[0]!,
    getDiscreteInput: (address: number) => slice([phase() > 0.9], address, 1)[0]!,
    setCoil: (address: number, value: boolean) => {
      slice([0, 1], address, 1)
      if (address === 1) plc.cooling = value
    },
  })
  const options = { url: server.url, interval: '1s', attributes: { simulated: true }, registers }
  return Object.assign(plc, { options, close: server.close })
}

/** Where the press is in its stroke, 0 to 1. */
function phase(): number {
  return ((Date.now() / 1000) % strokeSeconds) / strokeSeconds
}

function input(): readonly number[] {
  return [850 - Math.round(20 * phase())]
}

function holding(plc: Pick<SimulatedPlc, 'overheat' | 'cooling' | 'stuckSince'>): readonly number[] {
  const { overheat, cooling, stuckSince } = plc
  const stuck = stuckSince === undefined ? 0 : (Date.now() - stuckSince) / 1000
  const swing = Math.sin(2 * Math.PI * phase())
  const warm = Math.max(overheat ? (cooling ? 85 : 92) : 54, Math.min(54 + 7 * stuck, 95))
  const oil = Math.round(warm * 10 + 8 * swing)
  const bar = Math.round(100 * (stuck > 0 ? 235 + 3 * swing : 20 + 160 * Math.max(0, swing)))
  const speed = Buffer.alloc(4)
  speed.writeFloatBE(1480 - 35 * Math.max(0, swing) - Math.min(60 * stuck, 180))
  const strokes = Math.floor(Date.now() / 1000 / strokeSeconds) % 0x1_0000_0000
  return [oil, bar, speed.readUInt16BE(0), speed.readUInt16BE(2), strokes >>> 16, strokes & 0xffff]
}
