// A gateway whose PLC, a server nobody here wrote, is killed and comes back.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { modbus } from '../../gateway/sources/modbus.ts'
import { aedes } from '../brokers.ts'
import { peer } from '../peers.ts'
import { arrived, eventually, flowing, startRoadCollector, startRoadEdge, verify } from './road.ts'
import { openWay } from './way.ts'

interface Plc {
  readonly child: ChildProcess
  readonly port: number
  readonly layout: readonly { type: string; byte_order: string; word_order: string; address: number; value: number }[]
}

async function startPlc(t: Test, python: string): Promise<Plc> {
  const program = new URL('../gateway/modbus/pymodbus-server.py', import.meta.url).pathname
  const child = spawn(python, [program], { stdio: ['ignore', 'pipe', 'ignore'] })
  t.teardown(() => child.kill('SIGKILL'))
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return { child, ...JSON.parse(line) }
}

/** For connecting, and for each answer, ms. */
const timeout = 500

t.test(
  'a PLC that is killed and comes back: no success and no values while it is gone, everything else goes on',
  async t => {
    const python = peer(t, 'pymodbus')
    if (python === undefined) return
    const folder = t.testdir()
    const broker = await aedes(t)
    const first = await startPlc(t, python)
    const way = await openWay(t, first.port)
    const collector = await startRoadCollector(t, { folder: `${folder}/collector`, brokers: [broker.url] })
    const registers = first.layout.map(({ value: _, ...at }, n) => ({
      ...at,
      table: 'holding-register',
      name: `r.${n}`,
    }))
    const plc = {
      type: 'modbus',
      url: `modbus-tcp://127.0.0.1:${way.port}`,
      interval: '100ms',
      timeout: `${timeout}ms`,
      registers,
    }
    const edge = await startRoadEdge(t, {
      folder: `${folder}/gateway`,
      node: 'north',
      brokers: [broker.url],
      known: [modbus],
      more: { sources: [{ type: 'witness' }, plc] },
    })
    const { history } = collector.running
    const samples = (name: string, attributes = {}) => {
      const refs = history.find({ node: 'north', name, attributes })
      return refs.flatMap(ref => {
        const { times, values } = history.range(ref, 0, Number.MAX_SAFE_INTEGER)
        return [...times].map((time, n) => ({ time, value: values[n] }))
      })
    }
    const success = () => samples('fieldline.source.success', { source: 'modbus' })
    await eventually('it is read', () => samples('r.0').length >= 5)
    first.child.kill('SIGKILL')
    await once(first.child, 'exit')
    const gone = Date.now()
    await eventually('its failure is in history', () => success().filter(s => s.value === 0).length >= 5)
    await flowing(collector, [edge])
    const second = await startPlc(t, python)
    way.to = second.port
    const back = Date.now()
    await eventually('it is read again', () => samples('r.0').filter(s => s.time > back).length >= 5)
    await arrived(collector, [edge])
    for (const [n, { type, value }] of first.layout.entries()) {
      const read = samples(`r.${n}`)
      const wanted = type === 'f32' ? Math.fround(value) : value
      t.strictSame([...new Set(read.map(s => s.value))], [wanted], `${type}: only what the PLC holds`)
      // A reading under way when it died is dated before.
      t.notOk(
        read.some(s => s.time > gone && s.time < back),
        'nothing is invented while it is gone',
      )
    }
    // One that was waiting for an answer when it came back is dated before, too: by as much as connecting and one answer take.
    t.notOk(
      success().some(s => s.value === 1 && s.time > gone && s.time < back - 2 * timeout),
      'no success while it is gone',
    )
    t.match(
      edge.said.filter(s => s.includes('source modbus')),
      [/^error source modbus: /, /^info source modbus: works again$/],
    )
    await verify(t, collector, [edge])
  },
)
