// The scene without a name: this host, and one simulated PLC. With --fault its relief valve sticks a few seconds after the
// start, and what three rules find of that is one incident.

import { simulatedPlc } from '../../../gateway/modbus/simulator.ts'
import { nowAndThen, type Stage, type StageOptions } from '../stage.ts'

/** ms after the start. */
const faultAfter = 6000

export const pressHot = {
  type: 'threshold',
  name: 'press-oil-hot',
  metric: 'press.oil.temperature',
  above: 80,
  clear: 70,
  for: '3s',
} as const

const pressure = {
  type: 'threshold',
  name: 'press-pressure-high',
  metric: 'press.pressure',
  above: 200,
  clear: 190,
  for: '2s',
  severity: 'error',
} as const

const speed = { type: 'threshold', name: 'press-slow', metric: 'press.motor.speed', below: 1400, for: '2s' } as const

export async function openPress({ fault }: StageOptions): Promise<Stage> {
  const plc = await simulatedPlc()
  return {
    node: 'simulated-press',
    host: true,
    sources: [{ type: 'modbus', name: 'simulated-press', ...plc.options }],
    rules: [],
    detectors: [pressHot, pressure, speed],
    play(tell, signal) {
      if (fault) {
        const timer = setTimeout(() => {
          plc.stuckSince = Date.now()
          tell(said => said.valveSticks)
        }, faultAfter)
        signal.addEventListener('abort', () => clearTimeout(timer))
        return
      }
      // So that a finding can be seen to open and close.
      nowAndThen({ first: 45_000, every: 180_000, lasts: 20_000 }, signal, on => {
        plc.overheat = on
      })
    },
    faultAt: () => plc.stuckSince,
    close: plc.close,
  }
}
