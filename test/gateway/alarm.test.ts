// The example that is shipped, packaging/config/gateway-ward.yaml, with the addresses of this test: from the HL7 message to
// the coil of a lamp, while no collector can be reached.

import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { gatewayShape } from '../../cli/daemons.ts'
import { freePort } from '../../core/free-port.ts'
import { Place } from '../../core/shape.ts'
import { type Bedside, type Vitals, vitals } from '../../gateway/hl7/simulated-messages.ts'
import { simulatedOptions } from '../../gateway/hl7/simulator.ts'
import { start } from '../../gateway/main.ts'
import { until } from '../brokers.ts'
import { peer } from '../peers.ts'
import { monitor } from './hl7/rig.ts'

const example = new URL('../../packaging/config/gateway-ward.yaml', import.meta.url).pathname
const who: Bedside = { device: '0080A1FFFE5100A1', bed: 'WARD3^304^1', patient: { id: 'SIM-0001', name: 'Nobody' } }
const well: Vitals = { heart: 72, saturation: 97, breaths: 15, systolic: 122, diastolic: 78, temperature: 36.8 }

/** What is written to its coil, with the time at which it is heard of. */
interface Lamp {
  readonly port: number
  readonly switched: { readonly on: boolean; readonly at: number }[]
}

async function lamp(t: Test, python: string): Promise<Lamp> {
  const program = new URL('pymodbus-lamp.py', import.meta.url).pathname
  const child = spawn(python, [program], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const seen = { port: 0, switched: [] as { on: boolean; at: number }[] }
  createInterface({ input: child.stdout }).on('line', line => {
    const { port, on } = JSON.parse(line) as { port?: number; on?: boolean }
    if (port !== undefined) seen.port = port
    if (on !== undefined) seen.switched.push({ on, at: performance.now() })
  })
  await until('the lamp is there', () => seen.port > 0, 30_000)
  return seen
}

/** The gateway of the example; no broker is where it sends to. */
async function gateway(t: Test, state: string, lampPort: number): Promise<{ port: number; stop(): Promise<void> }> {
  const [port, nobody] = [await freePort(), await freePort()]
  const raw = parse(readFileSync(example, 'utf8'))
  Object.assign(raw, { state, metrics: 'off', uplinks: [{ type: 'mqtt', brokers: [`mqtt://127.0.0.1:${nobody}`] }] })
  Object.assign(raw.sources[0], { listen: `127.0.0.1:${port}`, ...simulatedOptions })
  Object.assign(raw.sources[1], { url: `modbus-tcp://127.0.0.1:${lampPort}` })
  const place = new Place()
  const config = (await gatewayShape()).read(raw, place)
  t.strictSame(place.problems, [])
  const ending = new AbortController()
  const running = await start(config, () => {}, ending.signal)
  const stop = async (): Promise<void> => {
    if (ending.signal.aborted) return
    ending.abort()
    await running.stop()
  }
  t.teardown(stop)
  return { port, stop }
}

t.test('a value out of limits lights the lamp of the example, and one within limits puts it out', async t => {
  const python = peer(t, 'pymodbus')
  if (python === undefined) return
  const { port: lampPort, switched } = await lamp(t, python)
  const state = t.testdir()
  const first = await gateway(t, state, lampPort)
  await until('the declared state is written at the start', () => switched.length === 1)
  t.equal(switched[0]!.on, false)
  const sender = await monitor(t, connect(first.port, '127.0.0.1'))
  let number = 0
  const send = (more: Partial<Vitals>): Promise<string> =>
    sender.send(vitals(who, `A${++number}`, Date.now(), { ...well, ...more }))
  const isNow = (on: boolean) => switched.at(-1)!.on === on
  await send({})
  const took: number[] = []
  for (const [n, out] of [{ saturation: 82 }, { systolic: 195 }, { systolic: 80 }].entries()) {
    for (let k = 0; k < 5; k++) {
      const sent = performance.now()
      t.equal(await send(out), 'CA')
      await until(`the lamp is lit, ${n} ${k}`, () => isNow(true))
      took.push(switched.at(-1)!.at - sent)
      await send({})
      await until(`the lamp is dark again, ${n} ${k}`, () => isNow(false))
    }
  }
  took.sort((a, b) => a - b)
  t.comment(`HL7 message to coil, ms: median ${took[7]!.toFixed(1)}, longest ${took[14]!.toFixed(1)} of 15`)

  await send({ saturation: 82 })
  await until('the lamp is lit', () => isNow(true))
  await first.stop()
  const before = switched.length
  const second = await gateway(t, state, lampPort)
  await until('after a restart it is dark until a message comes', () => switched.length > before && isNow(false))
  const again = await monitor(t, connect(second.port, '127.0.0.1'))
  await again.send(vitals(who, `A${++number}`, Date.now(), { ...well, saturation: 82 }))
  await until('and then what holds', () => isNow(true))
})
