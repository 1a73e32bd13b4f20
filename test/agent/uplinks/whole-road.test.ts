// The road with nothing replaced: the real spool, the pump, a broker or HTTP, ingest and the real inbox.

import { fastify } from 'fastify'
import t, { type Test } from 'tap'
import { pump } from '../../../agent/pump.ts'
import type { Spool } from '../../../agent/spool.ts'
import type { Uplink } from '../../../agent/uplink.ts'
import { openMqttUplink } from '../../../agent/uplinks/mqtt.ts'
import { otlpUplink } from '../../../agent/uplinks/otlp.ts'
import { otlpOptions } from '../../../agent/uplinks/otlp-options.ts'
import { openMqttIngest } from '../../../collector/ingest/mqtt.ts'
import { registerOtlp } from '../../../collector/ingest/otlp.ts'
import { type MqttOptions, mqttOptions } from '../../../core/mqtt-options.ts'
import { Place } from '../../../core/shape.ts'
import { aedes, mosquitto, type TestBroker, until } from '../../brokers.ts'
import { inboxIn } from '../../collector/ingest/envelopes.ts'
import { parcel, rig } from '../spool/rig.ts'

interface Road {
  readonly spool: Spool
  put(n: number): Promise<void>
  /** Labels of what the inbox holds. */
  arrived(): string[]
}

async function road(t: Test): Promise<Road & { readonly inbox: ReturnType<typeof inboxIn>['inbox'] }> {
  const folder = t.testdir({ edge: {}, home: {} })
  const { inbox, rows } = inboxIn(`${folder}/home`)
  const spool = await rig(`${folder}/edge`).open()
  t.teardown(async () => {
    await spool.close()
    await inbox.close()
  })
  let last = 0
  const put = async (n: number): Promise<void> => {
    const parcels = Array.from({ length: n }, () => parcel(`sample ${++last}`, 200))
    await Promise.all(parcels.map(p => spool.put(p)))
  }
  const arrived = (): string[] => rows.map(row => Buffer.from(row.payload).toString('latin1').split('|')[0]!)
  return { spool, inbox, put, arrived }
}

function start(t: Test, spool: Spool, uplink: Uplink): void {
  const stop = new AbortController()
  const say = (_: string, message: string): void => void t.comment(message)
  const running = pump({ spool, uplink, name: 'home', backlog_rate: 1e9, say, signal: stop.signal })
  t.teardown(async () => {
    stop.abort()
    await running
    await uplink.close()
  })
}

function options(...brokers: readonly TestBroker[]): MqttOptions {
  return mqttOptions.read({ brokers: brokers.map(b => b.url) }, new Place())
}

const labels = (n: number): string[] => Array.from({ length: n }, (_, i) => `sample ${i + 1}`)

t.test(
  'over MQTT, with the first broker killed on the way: all arrive once, the next is in use within ten seconds',
  async t => {
    const first = await mosquitto(t)
    if (first === undefined) return
    const second = await aedes(t)
    const { spool, inbox, put, arrived } = await road(t)
    const mqtt = options(first, second)
    const quiet = { count: () => {}, onStatus: () => {}, say: () => {} }
    const ingest = openMqttIngest({ mqtt, accept: inbox.offer, ...quiet })
    start(t, spool, openMqttUplink(mqtt, { node: 'web-1', spool: spool.id }, { patience: 1000 }))
    t.teardown(() => ingest.close())
    await put(50)
    await until('data flows', () => arrived().length >= 50, 10_000)
    await first.kill()
    const began = performance.now()
    await put(50)
    await until('data flows again', () => arrived().length >= 100, 10_000)
    t.comment(`${Math.round(performance.now() - began)} ms from the kill to the last commit`)
    await until('the spool is empty', () => spool.stats().envelopes === 0)
    t.strictSame(arrived(), labels(100))
    t.equal(inbox.stats().lost_envelopes, 0)
  },
)

t.test('over OTLP/HTTP to a Fieldline collector: all arrive once, through answers that get lost', async t => {
  const { spool, inbox, put, arrived } = await road(t)
  const app = fastify()
  registerOtlp(app, { take: p => inbox.take(p), accept: inbox.offer, count: () => {} })
  let lost = 3
  app.addHook('onSend', async (_, reply) => {
    if (lost-- > 0) reply.raw.destroy()
  })
  t.teardown(() => app.close())
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const told = otlpOptions.read({ url, fieldline: true }, new Place())
  start(t, spool, otlpUplink.open(told, { node: 'web-1', spool: spool.id }))
  await put(30)
  await until('all have arrived', () => arrived().length >= 30)
  await until('the spool is empty', () => spool.stats().envelopes === 0)
  t.strictSame(arrived(), labels(30))
  t.ok(inbox.stats().duplicate_envelopes > 0, 'lost answers made the edge send again')
})
