// A collector held still for longer than a default mosquitto queues for it (1,000 messages, then it drops what it has
// acknowledged, without a word).

import t, { type Test } from 'tap'
import { History } from '../../collector/store/history.ts'
import { Link } from '../../core/mqtt.ts'
import { mqttOptions } from '../../core/mqtt-options.ts'
import { Place } from '../../core/shape.ts'
import { mosquitto } from '../brokers.ts'
import { ended, startChild } from './child.ts'
import { eventually, isDrained, startRoadEdge } from './road.ts'
import { account, Witness } from './witness.ts'

/** How many messages the broker says that it dropped. */
function watchDropped(t: Test, broker: string): () => number {
  let dropped = 0
  const link = new Link({
    options: mqttOptions.read({ brokers: [broker] }, new Place()),
    clientId: 'watcher',
    subscribe: ['$SYS/broker/publish/messages/dropped'],
    deliver: (_, payload) => {
      dropped = Number(payload.toString())
    },
  })
  t.teardown(() => link.close())
  return () => dropped
}

t.test('a collector held still until mosquitto drops what it acknowledged: receipts win, nothing is lost', async t => {
  const broker = await mosquitto(t, ['sys_interval 1'])
  if (broker === undefined) return
  const folder = t.testdir()
  const dropped = watchDropped(t, broker.url)
  const child = await startChild(t, `${folder}/collector`, broker.url)
  const nodes = Array.from({ length: 20 }, (_, n) => `edge-${n}`)
  const edges = await Promise.all(
    nodes.map(node => {
      const witness = new Witness({ pause: 20 })
      return startRoadEdge(t, { folder: `${folder}/${node}`, node, brokers: [broker.url], witness })
    }),
  )
  await eventually('data flows', () => edges.every(({ witness }) => witness.told.length > 30))
  child.kill('SIGSTOP')
  await eventually('each has more than its window', () => edges.every(e => e.running.spool.stats().envelopes > 70))
  for (const edge of edges) edge.quiet()
  await eventually('the broker drops messages', () => dropped() > 100)
  t.comment(`${dropped()} acknowledged messages were dropped by the broker`)
  child.kill('SIGCONT')
  await eventually('the spools are empty', () => edges.every(isDrained))
  child.send('finish')
  await ended(child)
  const history = new History({ folder: `${folder}/collector`, say: () => undefined, now: Date.now })
  for (const { node, witness } of edges) {
    const { told, lost, doubled } = account(witness.told, history, node)
    t.strictSame([lost.length, doubled.length], [0, 0], `${node}: none of ${told} lost, none twice`)
  }
  history.close()
})
