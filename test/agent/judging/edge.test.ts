// The whole edge: a rule acts on what a detector finds, with no far end to be reached.

import t from 'tap'
import { agentConfig } from '../../../agent/config.ts'
import { startEdge } from '../../../agent/main.ts'
import type { Source } from '../../../agent/source.ts'
import { uplinks } from '../../../agent/uplinks/index.ts'
import { object, Place } from '../../../core/shape.ts'
import { detectors } from '../../../judge/index.ts'
import { until } from '../../brokers.ts'
import { heat, hot } from './given.ts'

t.test('a rule at the edge acts on what a detector finds there', async t => {
  let value = 20
  const written: unknown[] = []
  const press: Source<unknown> = {
    name: 'press',
    options: object({}),
    metrics: undefined,
    writes: () => ({ lamp: () => undefined }),
    open: (_, { host }) => ({
      async run(emit, signal) {
        for (; !signal.aborted; await host.sleep(20, signal))
          await emit({ samples: [{ series: heat, time: host.now(), value }], events: [] })
      },
      actions: { write: async ({ value }) => written.push(value) },
    }),
  }
  const write = (value: boolean) => [{ write: { source: 'press', to: 'lamp', value } }]
  const when = { metric: 'fieldline.findings', where: { rule: 'hot' }, above: 0 }
  const place = new Place()
  const config = agentConfig([press], uplinks, detectors).read(
    {
      daemon: 'agent',
      node: 'press-1',
      state: t.testdir(),
      metrics: 'off',
      sources: [{ type: 'press' }],
      uplinks: [{ type: 'mqtt', brokers: ['mqtt://127.0.0.1:1'] }],
      detectors: [hot],
      rules: [{ name: 'alarm', when, then: write(true), otherwise: write(false) }],
    },
    place,
  )
  t.strictSame(place.problems, [])
  const stop = new AbortController()
  const said: string[] = []
  const edge = await startEdge(config, [press], (_, message) => void said.push(message), stop.signal)
  t.teardown(() => {
    stop.abort()
    return edge.stop()
  })
  await until('the lamp is off', () => written.at(-1) === false, 30_000)
  value = 96
  await until('the lamp is on', () => written.at(-1) === true, 30_000)
  value = 20
  await until('the lamp is off again', () => written.at(-1) === false, 30_000)
  t.strictSame(written, [false, true, false])
  t.strictSame(
    said.filter(line => line.startsWith('finding')),
    ['finding hot: press.heat is 96, above 90', 'finding hot ended: press.heat is 96, above 90'],
  )
})
