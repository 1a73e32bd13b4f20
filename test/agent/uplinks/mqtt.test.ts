import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { pump } from '../../../agent/pump.ts'
import type { Uplink } from '../../../agent/uplink.ts'
import { openMqttUplink } from '../../../agent/uplinks/mqtt.ts'
import { openMqttIngest, type Refusal } from '../../../collector/ingest/mqtt.ts'
import { encodeEnvelope, maxEnvelope } from '../../../core/envelope.ts'
import { Refused, reason } from '../../../core/errors.ts'
import { Link } from '../../../core/mqtt.ts'
import { type MqttOptions, mqttOptions } from '../../../core/mqtt-options.ts'
import type { Accept, Receipt } from '../../../core/receipt.ts'
import { Place } from '../../../core/shape.ts'
import { everyNode, shardOf, topic } from '../../../core/topics.ts'
import { aedes, mosquitto, type TestBroker, until } from '../../brokers.ts'
import { reading } from '../../core/readings.ts'
import { memorySpool } from '../memory-spool.ts'
import { envelope, run, testCollector } from './batch.ts'

const never = new AbortController().signal
const stream = 'spool1.metrics.1-salt'

function options(...brokers: readonly TestBroker[]): MqttOptions {
  return mqttOptions.read({ brokers: brokers.map(b => b.url) }, new Place())
}

interface Ingest {
  readonly refusals: readonly string[]
  readonly statuses: readonly string[]
  readonly said: readonly string[]
  close(): Promise<void>
}

/** A collector at the brokers, subscribed when this resolves. */
async function ingest(t: Test, mqtt: MqttOptions, accept: Accept): Promise<Ingest> {
  const seen = { refusals: [] as string[], statuses: [] as string[], said: [] as string[] }
  const probe = new Link({ options: mqtt, clientId: `probe-${Math.random()}`, subscribe: [], deliver: () => {} })
  const opened = openMqttIngest({
    mqtt,
    accept,
    count: (why: Refusal, node = '?') => seen.refusals.push(`${why} ${node}`),
    onStatus: (node, online, info) => seen.statuses.push(`${node} ${online} ${info.spool}`),
    say: (severity, message) => seen.said.push(`${severity} ${message}`),
  })
  t.teardown(() => opened.close())
  const at = topic({ tenant: 'default', node: 'probe', channel: 'status' })
  const session = await probe.ready(5000, never)
  await until('the collector is subscribed', () => {
    session.publish(at, Buffer.from('{"online":true,"spool":"probe"}')).catch(() => {})
    return seen.statuses.length > 0
  })
  await probe.close()
  seen.statuses = seen.statuses.filter(s => !s.startsWith('probe'))
  return Object.assign(seen, { close: () => opened.close() })
}

function uplink(t: Test, mqtt: MqttOptions, node = 'web-1', spool = 'spool1', patience = 1000): Uplink {
  const made = openMqttUplink(mqtt, { node, spool, about: { version: '1.2.3' } }, { patience })
  t.teardown(() => made.close())
  return made
}

const brokers: readonly { name: string; start(t: Test): Promise<TestBroker | undefined> }[] = [
  { name: 'mosquitto', start: t => mosquitto(t) },
  { name: 'aedes', start: t => aedes(t) },
]

for (const { name, start } of brokers) {
  t.test(`over ${name} a batch is delivered when the collector has committed all of it`, async t => {
    const broker = await start(t)
    if (broker === undefined) return
    const collector = testCollector()
    const seen = await ingest(t, options(broker), collector.accept)
    const delivery = await uplink(t, options(broker)).send(run(1, 200), never)
    t.strictSame([...delivery.committed], [[stream, 200]])
    t.strictSame(
      collector.committed.get(`web-1/${stream}`),
      run(1, 200).map(e => e.seq),
    )
    t.strictSame([delivery.refused, seen.refusals, collector.duplicates], [[], [], 0])
  })

  t.test(`over ${name} the collector hears of nodes that come and go`, async t => {
    const broker = await start(t)
    if (broker === undefined) return
    const seen = await ingest(t, options(broker), testCollector().accept)
    const made = uplink(t, options(broker))
    await until('it is there', () => seen.statuses.includes('web-1 true spool1'))
    await made.close()
    await until('it is gone', () => seen.statuses.at(-1) === 'web-1 false spool1')
  })

  t.test(`over ${name} a namesake does not drive an agent out, nor make it seem gone`, async t => {
    const broker = await start(t)
    if (broker === undefined) return
    const collector = testCollector()
    const seen = await ingest(t, options(broker), collector.accept)
    const first = uplink(t, options(broker), 'web-1', 'spool1')
    const second = uplink(t, options(broker), 'web-1', 'spool2')
    await Promise.all([
      first.send(run(1, 50), never),
      second.send(run(1, 50, { stream: 'spool2.metrics.1-salt' }), never),
    ])
    t.equal(collector.duplicates, 0)
    await second.close()
    await until('the first says that it is still there', () => seen.statuses.at(-1) === 'web-1 true spool1')
    t.equal(collector.committed.get('web-1/spool2.metrics.1-salt')?.length, 50)
  })

  t.test(`over ${name} garbage on every channel is counted, and harms nobody`, async t => {
    const broker = await start(t)
    if (broker === undefined) return
    const collector = testCollector()
    const seen = await ingest(t, options(broker), collector.accept)
    const vandal = new Link({ options: options(broker), clientId: 'vandal', subscribe: [], deliver: () => {} })
    t.teardown(() => vandal.close())
    const session = await vandal.ready(5000, never)
    const at = (node: string, channel: 'up' | 'status' | 'receipt'): string =>
      topic({ tenant: 'default', node, channel })
    const made = uplink(t, options(broker))
    const wrongShard = (shardOf('default', 'web-1') + 1) % 64
    const damaged = Buffer.from(encodeEnvelope(envelope(1)))
    damaged[damaged.length - 1]! ^= 1
    const put = (where: string, what: string | Buffer): Promise<void> => session.publish(where, Buffer.from(what))
    await put(at('web-1', 'receipt'), 'no JSON')
    await put(at('web-1', 'receipt'), '{"stream":"spool1.metrics.1-salt","watermark":-1}')
    await put(at('web-2', 'up'), 'garbage')
    await put(at('web-2', 'up'), Buffer.alloc(0))
    await put(at('web-2', 'up'), damaged)
    await put(at('web-2', 'up'), encodeEnvelope(envelope(1)))
    await put(at('web-2', 'up'), Buffer.alloc(maxEnvelope + 1))
    await put(`fieldline/v1/default/${wrongShard}/web-1/up`, encodeEnvelope(envelope(1)))
    await put(at('web-2', 'status'), 'neither')
    await put(at('web-2', 'status'), '{"online":1}')
    await put(at('web-2', 'status'), JSON.stringify({ online: true, long: 'x'.repeat(5000) }))
    const delivery = await made.send(run(1, 20), never)
    t.strictSame([...delivery.committed], [[stream, 20]])
    t.strictSame([...collector.committed.keys()], [`web-1/${stream}`])
    t.strictSame(seen.refusals, [
      'damaged web-2',
      'damaged web-2',
      'damaged web-2',
      'node web-2',
      'too-large web-2',
      'topic ?',
      'status web-2',
      'status web-2',
      'status web-2',
    ])
  })

  t.test(`over ${name} a broker replaced by an empty one loses nothing`, async t => {
    const broker = await start(t)
    if (broker === undefined) return
    const collector = testCollector()
    const spool = memorySpool('web-1', 'spool1')
    await ingest(t, options(broker), collector.accept)
    const stop = pumping(t, spool, uplink(t, options(broker)))
    for (let n = 0; n < 100; n++) spool.put()
    await until('the first are committed', () => (collector.committed.get(`web-1/${stream}`)?.length ?? 0) >= 100)
    await broker.kill()
    for (let n = 0; n < 100; n++) spool.put()
    await (name === 'aedes' ? aedes(t, broker.port) : mosquitto(t, [], broker.port))
    await until('the spool is empty', () => spool.held.length === 0, 20_000)
    t.strictSame(
      collector.committed.get(`web-1/${stream}`),
      run(1, 200).map(e => e.seq),
    )
    await stop()
  })
}

/** Answers how to stop. */
function pumping(t: Test, spool: ReturnType<typeof memorySpool>, uplink: Uplink): () => Promise<void> {
  const stop = new AbortController()
  const say = (_: string, message: string): void => void t.comment(message)
  const running = pump({ spool, uplink, name: 'mqtt', backlog_rate: 1e9, say, signal: stop.signal })
  const end = (): Promise<void> => {
    stop.abort()
    return running
  }
  t.teardown(end)
  return end
}

t.test('nothing is lost over a mosquitto that drops what it acknowledged while the collector stands still', async t => {
  const broker = await mosquitto(t)
  if (broker === undefined) return
  const held = Promise.withResolvers<void>()
  const collector = testCollector(() => held.promise)
  const seen = await ingest(t, options(broker), collector.accept)
  // A flood without windows: 4,000 acknowledged messages of 4 KB, where mosquitto queues 1,000 a client and drops the rest.
  const flooder = new Link({ options: options(broker), clientId: 'flooder', subscribe: [], deliver: () => {} })
  t.teardown(() => flooder.close())
  const session = await flooder.ready(5000, never)
  const nodes = ['n1', 'n2', 'n3', 'n4']
  const payload = Buffer.alloc(4096, 7)
  const batches = nodes.map(node => run(1, 1000, { node, payload }))
  let acknowledged = 0
  for (const e of batches.flat()) {
    const at = topic({ tenant: 'default', node: e.node, channel: 'up' })
    await session.publish(at, encodeEnvelope(e))
    acknowledged++
  }
  held.resolve()
  t.equal(acknowledged, 4000)
  const count = (): number => [...collector.committed.values()].reduce((sum, seqs) => sum + seqs.length, 0)
  let last = -1
  await until('what the broker kept has come through', () => {
    const still = count() === last && last > 0
    last = count()
    return still
  })
  t.comment(`${count()} of ${acknowledged} acknowledged messages came through`)
  t.ok(count() < acknowledged, 'mosquitto dropped acknowledged messages')
  await Promise.all(
    nodes.map(async (node, n) => {
      const spool = memorySpool(node, 'spool1')
      for (const { payload } of batches[n]!) spool.put(payload)
      const stop = pumping(t, spool, uplink(t, options(broker), node))
      await until(`${node} is empty`, () => spool.held.length === 0, 20_000)
      await stop()
    }),
  )
  for (const node of nodes) {
    t.strictSame(
      collector.committed.get(`${node}/${stream}`),
      run(1, 1000).map(e => e.seq),
    )
  }
  t.strictSame(seen.refusals, [])
})

t.test(
  'readings travel after one that is kept; a collector that begins anew has them whole, and has them all',
  async t => {
    const broker = await aedes(t)
    const collector = testCollector()
    const arrived: Buffer[] = []
    const accept: Accept = e => {
      arrived[e.seq - 1] = zstdDecompressSync(e.payload)
      return collector.accept(e)
    }
    const sizes: number[] = []
    const watch = new Link({
      options: options(broker),
      clientId: 'watch',
      subscribe: [everyNode('default', 'up')],
      deliver: (_, payload) => void sizes.push(payload.length),
    })
    t.teardown(() => watch.close())
    await watch.ready(5000, never)
    const first = await ingest(t, options(broker), accept)
    const spool = memorySpool('web-1', 'spool1')
    const stop = pumping(t, spool, uplink(t, options(broker)))
    const put = async (from: number, to: number): Promise<void> => {
      for (let n = from; n <= to; n++) {
        spool.put(zstdCompressSync(reading(n)))
        await until('it is committed', () => spool.held.length === 0)
      }
    }
    await put(1, 20)
    await first.close()
    const second = await ingest(t, options(broker), accept)
    await put(21, 40)
    await stop()
    t.ok(arrived.every((bytes, n) => bytes.equals(reading(n + 1))))
    t.strictSame(
      collector.committed.get(`web-1/${stream}`),
      arrived.map((_, n) => n + 1),
    )
    t.strictSame([first.refusals, second.refusals], [[], ['no-base web-1']])
    t.comment(sizes.join(' '))
    t.ok(sizes.filter(size => size < 1000).length > 30, 'most of them shortened')
  },
)

t.test('a call to go back is followed at once, and data flows on', async t => {
  const broker = await aedes(t)
  const dropped = new Set([7, 50, 51, 150])
  const collector = testCollector()
  const accept: Accept = async e => {
    if (dropped.delete(e.seq)) return { stream: e.stream, watermark: 0 }
    return collector.accept(e)
  }
  await ingest(t, options(broker), accept)
  const spool = memorySpool('web-1', 'spool1')
  for (let n = 0; n < 200; n++) spool.put()
  const stop = pumping(t, spool, uplink(t, options(broker)))
  await until('the spool is empty', () => spool.held.length === 0)
  await stop()
  t.strictSame(
    collector.committed.get(`web-1/${stream}`),
    run(1, 200).map(e => e.seq),
  )
  t.equal(dropped.size, 0)
})

t.test('a refused envelope is set aside and holds nothing up', async t => {
  const broker = await aedes(t)
  const collector = testCollector(e => {
    if (e.seq % 10 === 3) throw new Refused('three is not a number')
  })
  const seen = await ingest(t, options(broker), collector.accept)
  const spool = memorySpool('web-1', 'spool1')
  for (let n = 0; n < 30; n++) spool.put()
  const stop = pumping(t, spool, uplink(t, options(broker)))
  await until('the spool is empty', () => spool.held.length === 0)
  await stop()
  t.strictSame(
    spool.refused.map(e => e.seq),
    [3, 13, 23],
  )
  t.equal(collector.committed.get(`web-1/${stream}`)?.length, 27)
  t.ok(seen.refusals.every(r => r === 'refused web-1'))
})

t.test('an envelope too large for collector or broker is refused here, and holds nothing up', async t => {
  const broker = await aedes(t)
  const collector = testCollector()
  await ingest(t, options(broker), collector.accept)
  const batch = [envelope(1), envelope(2, { payload: Buffer.alloc(maxEnvelope) }), envelope(3)]
  const delivery = await uplink(t, options(broker)).send(batch, never)
  t.strictSame([...delivery.committed], [[stream, 3]])
  t.match(delivery.refused, [{ stream, seq: 2, reason: /^4194\d+ bytes/ }])
  t.strictSame(collector.committed.get(`web-1/${stream}`), [1, 3])
})

t.test('a collector that cannot commit makes the edge wait, and loses nothing', async t => {
  const broker = await aedes(t)
  let failures = 2
  const collector = testCollector(e => {
    if (e.seq === 5 && failures-- > 0) throw new Error('disk full')
  })
  const seen = await ingest(t, options(broker), collector.accept)
  const made = uplink(t, options(broker))
  const first = await made.send(run(1, 8), never)
  t.strictSame([...first.committed], [[stream, 4]])
  t.strictSame(seen.refusals.slice(0, 1), ['not-committed web-1'])
  let at = 4
  for (let n = 0; n < 5 && at < 8; n++) {
    const next = await made.send(run(at + 1, 8), never)
    at = next.committed.get(stream) ?? at
  }
  t.equal(at, 8)
})

t.test('without a collector a send throws, and the next broker of the list is tried', async t => {
  const [lonely, busy] = [await aedes(t), await aedes(t)]
  const collector = testCollector()
  await ingest(t, options(busy), collector.accept)
  const made = uplink(t, options(lonely, busy), 'web-1', 'spool1', 200)
  const errors: string[] = []
  for (let n = 0; n < 10; n++) {
    const delivery = await made.send(run(1, 3), never).catch((e: unknown) => void errors.push(reason(e)))
    if (delivery?.committed.get(stream) === 3) break
  }
  t.match(errors[0], `no receipt from a collector over ${lonely.url}`)
  t.equal(collector.committed.get(`web-1/${stream}`)?.length, 3)
})

t.test('a collector that begins to listen is heard: what waits for its receipts is sent again at once', async t => {
  const broker = await aedes(t)
  const collector = testCollector()
  let sent = 0
  const mqtt = options(broker)
  const probe = new Link({
    options: mqtt,
    clientId: 'p',
    subscribe: [everyNode('default', 'up')],
    deliver: () => void sent++,
  })
  t.teardown(() => probe.close())
  await probe.ready(5000, never)
  const made = uplink(t, mqtt, 'web-1', 'spool1', 60_000)
  const first = made.send(run(1, 3), never)
  await until('it was sent and nobody listened', () => sent === 3)
  await ingest(t, options(broker), collector.accept)
  t.strictSame(await first, { committed: new Map(), refused: [] }, 'nothing is known of it, and that is no trouble')
  t.equal((await made.send(run(1, 3), never)).committed.get(stream), 3)
  t.equal(collector.committed.get(`web-1/${stream}`)?.length, 3)
})

t.test('a send that is aborted ends at once', async t => {
  const broker = await aedes(t)
  const made = uplink(t, options(broker), 'web-1', 'spool1', 60_000)
  const stop = new AbortController()
  const sent = made.send(run(1, 3), stop.signal)
  setTimeout(() => stop.abort(), 50)
  await t.rejects(sent, { message: /no receipt/ })
})

t.test('the collector reads the broker no further than its limit of envelopes in flight', async t => {
  const broker = await aedes(t)
  const held = Promise.withResolvers<void>()
  let offered = 0
  const collector = testCollector(() => {
    offered++
    return held.promise
  })
  await ingest(t, options(broker), collector.accept)
  const flooder = new Link({ options: options(broker), clientId: 'flooder', subscribe: [], deliver: () => {} })
  t.teardown(() => flooder.close())
  const session = await flooder.ready(5000, never)
  const at = topic({ tenant: 'default', node: 'web-1', channel: 'up' })
  for (const e of run(1, 400)) await session.publish(at, encodeEnvelope(e))
  await until('the limit is reached', () => offered >= 256)
  t.equal(offered, 256)
  held.resolve()
  await until('the rest follows', () => offered === 400)
  t.equal(collector.committed.get(`web-1/${stream}`)?.length, 400)
})

t.test('receipts that nobody asked for move nothing', async t => {
  const broker = await aedes(t)
  const forger: Receipt = { stream: 'another.metrics.1', watermark: 99 }
  const collector = testCollector()
  await ingest(t, options(broker), async e => (e.seq === 1 ? forger : collector.accept(e)))
  await t.rejects(uplink(t, options(broker), 'web-1', 'spool1', 100).send([envelope(1)], never), /no receipt/)
})
