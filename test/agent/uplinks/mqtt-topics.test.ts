import { connectAsync } from 'mqtt'
import t, { type Test } from 'tap'
import { mqttTopicsOptions } from '../../../agent/mqtt-topics/options.ts'
import { pump } from '../../../agent/pump.ts'
import { openMqttTopicsUplink } from '../../../agent/uplinks/mqtt-topics.ts'
import { Place } from '../../../core/shape.ts'
import { mosquitto, type TestBroker, until } from '../../brokers.ts'
import { openWay } from '../../road/way.ts'
import { memorySpool } from '../memory-spool.ts'
import { gauge, maker } from './made.ts'

const never = new AbortController().signal
const oil = gauge('oil.temperature', { source: 'press-3' }, 'Cel')
const topic = 'fieldline/gate-1/press-3/oil.temperature'

function uplinkTo(t: Test, broker: Pick<TestBroker, 'url'>) {
  const options = mqttTopicsOptions.read({ brokers: [broker.url] }, new Place())
  const uplink = openMqttTopicsUplink(options, { node: 'gate-1', spool: 'spool1' }, { patience: 1000 })
  t.teardown(() => uplink.close())
  return uplink
}

/** Values as they come, and whether the broker had kept them. */
async function listener(t: Test, broker: TestBroker): Promise<{ value: unknown; retained: boolean }[]> {
  const client = await connectAsync(broker.url, { reconnectPeriod: 0 })
  t.teardown(() => client.endAsync(true))
  const heard: { value: unknown; retained: boolean }[] = []
  client.on('error', () => {})
  client.on('message', (_, payload, { retain }) =>
    heard.push({ value: JSON.parse(String(payload)).value, retained: retain }),
  )
  await client.subscribeAsync(topic, { qos: 1 })
  return heard
}

t.test('who listens hears every value, who comes later the newest', async t => {
  const broker = await mosquitto(t)
  if (broker === undefined) return
  const now = await listener(t, broker)
  const uplink = uplinkTo(t, broker)
  const made = maker()
  const at = (value: number, time: number) => made.samples([{ series: oil, time, value }])
  const batch = [at(1, 1000), at(3, 3000), at(2, 2000)]
  const delivery = await uplink.send(batch, never)
  t.strictSame([...delivery.committed.values()], [3])
  await uplink.send([at(0, 500)], never)
  await until('all are heard', () => now.length === 4)
  t.strictSame(
    now.map(m => m.value),
    [1, 2, 3, 0],
  )
  const later = await listener(t, broker)
  await until('the retained one is heard', () => later.length === 1)
  t.strictSame(later, [{ value: 3, retained: true }])
})

t.test('through an outage of the broker nothing is lost', async t => {
  const broker = await mosquitto(t)
  if (broker === undefined) return
  const spool = memorySpool('gate-1', 'spool1')
  const made = maker()
  const put = (value: number): void =>
    void spool.put(made.samples([{ series: oil, time: 1000 * value, value }]).payload)
  const stop = new AbortController()
  const way = await openWay(t, broker.port)
  const uplink = uplinkTo(t, way)
  const running = pump({ spool, uplink, name: 'topics', backlog_rate: 1e9, say: () => {}, signal: stop.signal })
  t.teardown(() => {
    stop.abort()
    return running
  })
  const first = await listener(t, broker)
  for (let n = 1; n <= 50; n++) put(n)
  await until('the first are heard', () => first.length === 50)
  await broker.kill()
  for (let n = 51; n <= 100; n++) put(n)
  const next = await mosquitto(t)
  if (next === undefined) return
  const second = await listener(t, next)
  way.to = next.port
  await until('the spool is empty', () => spool.held.length === 0, 20_000)
  const late = await listener(t, next)
  await until('the newest is kept', () => late.length === 1)
  t.strictSame(late, [{ value: 100, retained: true }])
  t.ok(second.every(({ value }) => (value as number) > 50))
})

t.test('a damaged envelope is refused and holds nothing up', async t => {
  const broker = await mosquitto(t)
  if (broker === undefined) return
  const made = maker()
  const damaged = { ...made.samples([{ series: oil, time: 1, value: 1 }]), payload: Buffer.from('no zstd') }
  const good = made.samples([{ series: oil, time: 2, value: 2 }])
  const { committed, refused } = await uplinkTo(t, broker).send([damaged, good], never)
  t.strictSame([...committed.values()], [2])
  t.match(refused, [{ seq: 1, reason: /cannot be read/ }])
})

t.test('without a broker a send throws', async t => {
  const broker = await mosquitto(t)
  if (broker === undefined) return
  await broker.kill()
  await t.rejects(uplinkTo(t, broker).send([maker().samples([{ series: oil, time: 1, value: 1 }])], never), {
    message: 'no broker can be reached',
  })
})
