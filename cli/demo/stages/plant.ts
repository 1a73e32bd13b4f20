// The scene `plant`: a press over Modbus and a filling line over OPC UA, both simulated. The oil of the press overheats now
// and then, and a rule at the gateway switches its cooler on and closes the valve of the line; a sensor of the line fails.

import { join } from 'node:path'
import { simulatedPlc } from '../../../gateway/modbus/simulator.ts'
import { texts } from '../../texts.ts'
import { nowAndThen, type Stage, type StageOptions } from '../stage.ts'
import { pressHot } from './press.ts'

const hot = { first: 4000, every: 45_000, lasts: 8000 }
const failing = { first: 6000, every: 45_000, lasts: 6000 }
const lineNamespace = 'urn:fieldline:simulated-line'

const nodes = [
  { name: 'line.tank.level', node: 'Tank.Level', unit: '%' },
  { name: 'line.tank.temperature', node: 'Tank.Temperature', unit: 'Cel' },
  { name: 'line.valve.position', node: 'Valve.Position', unit: '%' },
  { name: 'line.valve.open', node: 'Valve.Open', unit: '1', write: { min: 0, max: 1 } },
  { name: 'line.motor.speed', node: 'Motor.Speed', unit: '{rotation}/min' },
  { name: 'line.bottles', node: 'Motor.Bottles', unit: '{bottle}', kind: 'counter' },
].map(({ node, ...more }) => ({ node: `nsu=${lineNamespace};s=${node}`, ...more }))

const cooler = {
  name: 'press-cooler',
  when: { metric: 'press.oil.temperature', above: 80, clear: 70 },
  then: [
    { event: { name: 'press.oil.hot', severity: 'critical', message: 'oil above 80 Cel: cooler on, line closed' } },
    { write: { source: 'simulated-press', to: 'press.cooling', value: true } },
    { write: { source: 'simulated-line', to: 'line.valve.open', value: false } },
  ],
  otherwise: [
    { event: { name: 'press.oil.normal', severity: 'info', message: 'oil below 70 Cel: cooler off, line open' } },
    { write: { source: 'simulated-press', to: 'press.cooling', value: false } },
    { write: { source: 'simulated-line', to: 'line.valve.open', value: true } },
  ],
}

export async function openPlant({ folder }: StageOptions): Promise<Stage> {
  const { simulator } = await simulatedLine()
  const [plc, line] = await Promise.all([simulatedPlc(), simulator({ moves: true })])
  return {
    node: 'simulated-plant',
    host: false,
    sources: [
      { type: 'modbus', name: 'simulated-press', ...plc.options },
      {
        type: 'opcua',
        name: 'simulated-line',
        url: line.url,
        security: { folder: join(folder, 'opcua'), trust_first: true },
        attributes: { simulated: true },
        nodes,
      },
    ],
    rules: [cooler],
    detectors: [pressHot],
    play(tell, signal) {
      nowAndThen(hot, signal, on => {
        plc.overheat = on
        tell(said => (on ? said.pressHeats : said.pressCools))
      })
      nowAndThen(failing, signal, on => {
        if (on) line.spoil('Valve.Position')
        else line.set('Valve.Position', 50)
        tell(said => (on ? said.sensorFails : said.sensorWorks))
      })
    },
    close: async () => void (await Promise.all([plc.close(), line.close()])),
  }
}

/** It takes a package for development, which an installed Fieldline does not have. */
function simulatedLine() {
  return import('../../../gateway/opcua/simulator.ts').catch((cause: unknown) => {
    throw new Error(texts(process.env).said.plantFromCheckout, { cause })
  })
}
