// The scene without a name: this host, and one simulated PLC.

import { simulatedPlc } from '../../../gateway/modbus/simulator.ts'
import { nowAndThen, type Stage } from '../stage.ts'

export const pressHot = {
  type: 'threshold',
  name: 'press-oil-hot',
  metric: 'press.oil.temperature',
  above: 80,
  clear: 70,
  for: '3s',
} as const

export async function openPress(): Promise<Stage> {
  const plc = await simulatedPlc()
  return {
    node: 'simulated-press',
    host: true,
    sources: [{ type: 'modbus', name: 'simulated-press', ...plc.options }],
    rules: [],
    detectors: [pressHot],
    play(_, signal) {
      // So that a finding can be seen to open and close.
      nowAndThen({ first: 45_000, every: 180_000, lasts: 20_000 }, signal, on => {
        plc.overheat = on
      })
    },
    close: plc.close,
  }
}
