// A command of a Sparkplug host, through a whole gateway, to a coil of a PLC and back as data.

import t from 'tap'
import { startEdge } from '../../agent/main.ts'
import { uplinks } from '../../agent/uplinks/index.ts'
import { Place } from '../../core/shape.ts'
import { gatewayConfig } from '../../gateway/config.ts'
import { simulatedPlc } from '../../gateway/modbus/simulator.ts'
import { sources } from '../../gateway/sources/index.ts'
import { HostApplication } from '../agent/sparkplug/host-application.ts'
import { mosquitto, until } from '../brokers.ts'

t.test('a host switches a coil that may be written, and no other; it sees the value and what became of it', async t => {
  const broker = await mosquitto(t)
  if (broker === undefined) return
  const plc = await simulatedPlc()
  t.teardown(() => plc.close())
  const host = new HostApplication(broker.url)
  await host.connect(t)
  await host.say(true)
  const place = new Place()
  const config = gatewayConfig(sources, uplinks).read(
    {
      daemon: 'gateway',
      node: 'gate-1',
      state: t.testdir(),
      metrics: 'off',
      sources: [{ type: 'modbus', name: 'press-3', ...plc.options, interval: '50ms' }],
      orders: { allow: [{ source: 'press-3', action: 'write', unsigned: true }] },
      uplinks: [
        { type: 'sparkplug', brokers: [broker.url], group: 'plant', primary_host: 'scada', omit: ['simulated'] },
      ],
    },
    place,
  )
  t.strictSame(place.problems, [])
  const stop = new AbortController()
  const said: string[] = []
  const edge = await startEdge(config, sources, (_, message) => void said.push(message), stop.signal)
  t.teardown(async () => {
    stop.abort()
    await edge.stop()
  })
  const cooling = 'press-3/press/cooling'
  await until('the coil is told', () => host.told.has(cooling))
  const wanted = host.values(cooling).at(-1) === 1 ? 0 : 1
  const dcmd = 'spBv1.0/plant/DCMD/gate-1/press-3'
  await host.command(dcmd, [{ name: 'press/cooling', double_value: wanted }])
  await until('the coil has switched', () => host.values(cooling).at(-1) === wanted, 20_000)
  await host.command(dcmd, [{ name: 'press/pump/running', double_value: 1 }])
  await until('it is refused', () => said.some(s => s.includes('may not be written')))
  const outcomes = (): string[] =>
    [...host.told].filter(([name]) => name.includes('Events/')).flatMap(([, v]) => v.map(x => String(x.value)))
  await until('both outcomes are told', () => outcomes().length >= 2, 20_000)
  t.strictSame(host.faults, [])
})
