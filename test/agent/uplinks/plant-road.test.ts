// A whole edge with both uplinks of the plant's world at one broker: the trouble of one is not the other's.

import { connectAsync } from 'mqtt'
import t from 'tap'
import { agentConfig } from '../../../agent/config.ts'
import { startEdge } from '../../../agent/main.ts'
import { polled } from '../../../agent/polled.ts'
import type { Source } from '../../../agent/source.ts'
import { uplinks } from '../../../agent/uplinks/index.ts'
import { object, Place } from '../../../core/shape.ts'
import { mosquitto, until } from '../../brokers.ts'
import { HostApplication } from '../sparkplug/host-application.ts'
import { gauge } from './made.ts'

const counted = gauge('count', { source: 'press-3' })

function countingSource(): Source<unknown> {
  let value = 0
  const read = (time: number) => ({ samples: [{ series: counted, time, value: ++value }], events: [] })
  return {
    name: 'counting',
    options: object({}),
    metrics: undefined,
    open: (_, at) => polled({ ...at, interval: 20, read }),
  }
}

t.test('while the primary host is offline Sparkplug waits, and the topics go on; then it has all of it', async t => {
  const broker = await mosquitto(t)
  if (broker === undefined) return
  const host = new HostApplication(broker.url)
  await host.connect(t)
  const shown: number[] = []
  const client = await connectAsync(broker.url)
  t.teardown(() => client.endAsync(true))
  client.on('message', (_, payload) => shown.push(JSON.parse(String(payload)).value))
  await client.subscribeAsync('fieldline/gate-1/press-3/count')
  const sources = [countingSource()]
  const place = new Place()
  const brokers = [broker.url]
  const config = agentConfig(sources, uplinks).read(
    {
      daemon: 'agent',
      node: 'gate-1',
      state: t.testdir(),
      metrics: 'off',
      sources: [{ type: 'counting', name: 'press-3' }],
      uplinks: [
        { type: 'mqtt-topics', brokers },
        { type: 'sparkplug', brokers, group: 'plant', primary_host: 'scada' },
      ],
    },
    place,
  )
  t.strictSame(place.problems, [])
  const stop = new AbortController()
  const said: string[] = []
  const edge = await startEdge(config, sources, (_, message) => void said.push(message), stop.signal)
  await until('the topics flow', () => shown.length > 20)
  t.strictSame(host.verbs, [])
  await host.say(true)
  await until('Sparkplug flows', () => host.values('press-3/count').length > shown.length / 2, 30_000)
  stop.abort()
  await edge.stop()
  await until('its death is heard', () => host.verbs.includes('NDEATH'))
  const last = Math.max(...shown)
  const all = Array.from({ length: last }, (_, n) => n + 1)
  t.strictSame(shown, all)
  t.strictSame(new Set(host.values('press-3/count')), new Set(all))
  t.strictSame(host.faults, [])
})
