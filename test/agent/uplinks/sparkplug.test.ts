import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { Aedes } from 'aedes'
import t, { type Test } from 'tap'
import { type Keep, memoryKeep } from '../../../agent/keep.ts'
import { sparkplugOptions } from '../../../agent/sparkplug/options.ts'
import type { Delivery, Identity, Uplink } from '../../../agent/uplink.ts'
import { openSparkplugUplink, type SparkplugTiming } from '../../../agent/uplinks/sparkplug.ts'
import type { Envelope } from '../../../core/envelope.ts'
import type { Sample, Series } from '../../../core/model.ts'
import { Place } from '../../../core/shape.ts'
import { aedes, mosquitto, type TestBroker, until } from '../../brokers.ts'
import { seeded } from '../../random.ts'
import { HostApplication } from '../sparkplug/host-application.ts'
import { decode, encode } from '../sparkplug/official.ts'
import { gauge, type Maker, maker } from './made.ts'

const never = new AbortController().signal
const press = { source: 'press-3' }
const oil = gauge('oil.temperature', press, 'Cel')
const strokes: Series = { name: 'strokes', unit: '{stroke}', kind: 'counter', attributes: press }
const load = gauge('system.load', {}, '1')
const success = gauge('fieldline.source.success', press)

interface Setting {
  readonly options?: Readonly<Record<string, unknown>>
  readonly identity?: Partial<Identity>
  readonly timing?: Partial<SparkplugTiming>
  readonly keep?: Keep
}

interface Scene {
  readonly broker: TestBroker
  readonly host: HostApplication
  readonly uplink: Uplink
  readonly made: Maker
  /** Sends samples of one moment. */
  send(...samples: readonly Sample[]): Promise<void>
}

function uplinkTo(t: Test, brokers: readonly TestBroker[], { options, identity, timing, keep }: Setting): Uplink {
  const problems = new Place()
  const raw = { brokers: brokers.map(b => b.url), group: 'plant', primary_host: 'scada', ...options }
  const read = sparkplugOptions.read(raw, problems)
  t.strictSame(problems.problems, [])
  const self = { node: 'gate-1', spool: 'spool1', keep: keep ?? memoryKeep(), ...identity }
  const opened = openSparkplugUplink(read, self, { patience: 3000, now: Date.now, ...timing })
  t.teardown(() => opened.close())
  return opened
}

/** A host that is online, and an edge node at the same mosquitto. */
async function scene(t: Test, setting: Setting = {}): Promise<Scene | undefined> {
  const broker = await mosquitto(t)
  if (broker === undefined) return undefined
  const host = new HostApplication(broker.url)
  await host.connect(t)
  await host.say(true)
  const uplink = uplinkTo(t, [broker], setting)
  const made = maker()
  const send = async (...samples: readonly Sample[]): Promise<void> => {
    await uplink.send([made.samples(samples)], never)
  }
  return { broker, host, uplink, made, send }
}

/** What was sent before has come to the host when this resolves. */
async function heard(host: HostApplication, verb: string, count = 1): Promise<void> {
  await until(`${count} ${verb}`, () => host.verbs.filter(v => v === verb).length >= count)
}

/** Until it goes through: a connection and the word of the host take their time. */
async function delivered(uplink: Uplink, batch: readonly Envelope[]): Promise<Delivery> {
  for (let tries = 1; ; tries++) {
    try {
      return await uplink.send(batch, never)
    } catch (error) {
      if (tries === 100) throw error
    }
  }
}

async function portOf(t: Test, server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

const at = (series: Series, value: number, time = Date.now()): Sample => ({ series, time, value })

t.test('births come before data: the node, then its devices, each with all metrics and their values', async t => {
  const s = await scene(t)
  if (s === undefined) return
  const now = Date.now()
  await s.send(at(oil, 41.5, now), at(strokes, 7, now), at(load, 0.5, now))
  await s.send(at(oil, 42, now + 1), at(load, 0.75, now + 1))
  await heard(s.host, 'DDATA press-3')
  t.strictSame(s.host.verbs.toSorted(), ['DBIRTH press-3', 'DDATA press-3', 'NBIRTH', 'NDATA'])
  t.equal(s.host.verbs[0], 'NBIRTH')
  t.equal(s.host.verbs[1], 'DBIRTH press-3')
  t.strictSame(s.host.values('press-3/oil/temperature'), [41.5, 42])
  t.strictSame(s.host.values('press-3/strokes'), [7])
  t.strictSame(s.host.values('system/load'), [0.5, 0.75])
  t.strictSame(s.host.values('Properties/host.name'), ['gate-1'])
  const birth = s.host.messages[1]!.payload.metrics!
  t.match(birth, [
    { name: 'oil/temperature', datatype: 10, timestamp: now },
    { name: 'strokes', datatype: 8, timestamp: now },
  ])
  t.match(birth[0]!.properties, { keys: ['engUnit', 'source'], values: [{ string_value: 'Cel' }, {}] })
  t.strictSame(s.host.faults, [])
})

t.test('while the primary host is offline nothing is said, and the spool keeps everything', async t => {
  const broker = await mosquitto(t)
  if (broker === undefined) return
  const host = new HostApplication(broker.url)
  await host.connect(t)
  const uplink = uplinkTo(t, [broker], { timing: { patience: 100 } })
  const made = maker()
  const batch = [made.samples([at(oil, 1)])]
  await t.rejects(uplink.send(batch, never), { message: /primary host scada is not online/ })
  await host.say(false)
  await t.rejects(uplink.send(batch, never), { message: /primary host scada is not online/ })
  t.strictSame(host.verbs, [])
  await host.raw('spBv1.0/STATE/other', Buffer.from('{"online":true,"timestamp":9999999999999}'))
  await t.rejects(uplink.send(batch, never), { message: /primary host scada is not online/ })
  await host.say(true)
  const delivery = await delivered(uplink, batch)
  t.strictSame([...delivery.committed], [[batch[0]!.stream, 1]])
  await heard(host, 'DBIRTH press-3')
  t.strictSame(host.values('press-3/oil/temperature'), [1])
  t.strictSame(host.faults, [])
})

t.test('without a primary host data goes to whoever listens', async t => {
  const s = await scene(t, { options: { primary_host: undefined } })
  if (s === undefined) return
  await s.host.say(false)
  await s.send(at(oil, 1))
  await heard(s.host, 'DBIRTH press-3')
  t.strictSame(s.host.faults, [])
})

t.test('a primary host that goes offline ends the session; what it missed follows as history', async t => {
  const s = await scene(t)
  if (s === undefined) return
  const start = Date.now() - 60_000
  await s.send(at(oil, 1, start))
  await heard(s.host, 'DBIRTH press-3')
  await s.host.say(false)
  await heard(s.host, 'NDEATH')
  const late = [s.made.samples([at(oil, 2, start + 1000)]), s.made.samples([at(oil, 3, start + 2000)])]
  await t.rejects(s.uplink.send(late, never), { message: /primary host scada/ })
  await s.host.say(true)
  await delivered(s.uplink, late)
  await s.send(at(oil, 4))
  await until('the newest is there', () => s.host.values('press-3/oil/temperature').includes(4))
  const told = s.host.told.get('press-3/oil/temperature')!
  t.strictSame(
    told.filter(v => v.isHistorical).map(v => v.value),
    [2, 3],
  )
  t.equal(told.at(-1)!.isHistorical, false)
  const births = s.host.bdSeqs('NBIRTH')
  t.ok(births.length >= 2 && births.at(-1) === Number(births[0]) + 1, `bdSeq ${births}`)
  t.equal(s.host.bdSeqs('NDEATH')[0], births[0])
  t.strictSame(s.host.faults, [])
})

t.test('a death of the primary host from before its last birth is not believed', async t => {
  const s = await scene(t)
  if (s === undefined) return
  await s.send(at(oil, 1))
  await s.host.say(false, -5000)
  await s.send(at(oil, 2))
  await heard(s.host, 'DDATA press-3')
  t.notOk(s.host.verbs.includes('NDEATH'))
})

t.test(
  'the will of a primary host, from when it connected, is not believed after it said that it is online',
  async t => {
    const s = await scene(t)
    if (s === undefined) return
    const other = new HostApplication(s.broker.url, 'other')
    await other.connect(t)
    await s.send(at(oil, 1))
    s.host.pull()
    await until('the will is there', () => other.states.get('scada')?.includes('false') === true)
    await s.send(at(oil, 2))
    await heard(other, 'DDATA press-3')
    t.notOk(other.verbs.includes('NDEATH'))
  },
)

t.test('a host that asks for a rebirth gets all births anew, with the number of the session', async t => {
  const s = await scene(t, { options: { rebirth_pause: '100ms' } })
  if (s === undefined) return
  await s.send(at(oil, 1), at(load, 1))
  const wish = { name: 'Node Control/Rebirth', datatype: 11, boolean_value: true }
  const node = 'spBv1.0/plant/NCMD/gate-1'
  for (const none of [
    { ...wish, boolean_value: false },
    { ...wish, name: 'Rebirth' },
  ])
    await s.host.command(node, [none])
  await s.host.command('spBv1.0/plant/DCMD/gate-1/press-3', [wish])
  await s.send(at(oil, 2))
  await heard(s.host, 'DDATA press-3')
  t.strictSame(s.host.verbs, ['NBIRTH', 'DBIRTH press-3', 'DDATA press-3'], 'those were no wishes for one')
  await s.host.command(node, [wish])
  await heard(s.host, 'DBIRTH press-3', 2)
  await s.send(at(oil, 3))
  await heard(s.host, 'DDATA press-3', 2)
  t.strictSame(s.host.verbs.slice(3), ['NBIRTH', 'DBIRTH press-3', 'DDATA press-3'])
  t.strictSame(s.host.values('press-3/oil/temperature'), [1, 2, 2, 3])
  t.equal(new Set(s.host.bdSeqs('NBIRTH')).size, 1)
  t.strictSame(s.host.faults, [])
})

t.test('many wishes for a rebirth within a moment are granted together, and no data goes before', async t => {
  const said: string[] = []
  const identity = { say: (_: string, message: string) => void said.push(message) }
  const s = await scene(t, { options: { rebirth_pause: '2s' }, identity })
  if (s === undefined) return
  await s.send(at(oil, 1))
  const wish = [{ name: 'Node Control/Rebirth', boolean_value: true }]
  for (let n = 0; n < 100; n++) await s.host.command('spBv1.0/plant/NCMD/gate-1', wish)
  await s.host.raw('spBv1.0/plant/NCMD/gate-1', Buffer.from('the end of the wishes'))
  await until('all have come', () => said.length > 0)
  await s.send(at(oil, 2))
  await heard(s.host, 'DDATA press-3')
  t.strictSame(s.host.verbs, ['NBIRTH', 'DBIRTH press-3', 'NBIRTH', 'DBIRTH press-3', 'DDATA press-3'])
  t.strictSame(s.host.faults, [])
})

t.test('the sequence runs from 0 to 255 and begins again', async t => {
  const s = await scene(t)
  if (s === undefined) return
  for (let n = 0; n < 300; n++) await s.send(at(oil, n))
  await heard(s.host, 'DDATA press-3', 299)
  t.equal(s.host.messages.at(-1)!.payload.seq, 300 % 256)
  t.strictSame(
    s.host.values('press-3/oil/temperature'),
    Array.from({ length: 300 }, (_, n) => n),
  )
  t.strictSame(s.host.faults, [])
})

t.test('a value that did not change is told once, or always where the configuration says so', async t => {
  for (const by_exception of [true, false]) {
    const s = await scene(t, { options: { by_exception } })
    if (s === undefined) return
    const now = Date.now()
    for (const [n, value] of [5, 5, 5, 6, 6].entries()) await s.send(at(oil, value, now + n), at(load, n, now + n))
    await heard(s.host, 'NDATA', 4)
    t.strictSame(s.host.values('press-3/oil/temperature'), by_exception ? [5, 6] : [5, 5, 5, 6, 6])
    t.strictSame(s.host.faults, [])
  }
})

t.test('a device whose source fails is dead until it works again; its last values are stale then', async t => {
  const s = await scene(t)
  if (s === undefined) return
  const now = Date.now()
  await s.send(at(oil, 1, now), at(strokes, 1, now), at(success, 1, now))
  await s.send(at(success, 0, now + 1))
  await heard(s.host, 'DDEATH press-3')
  await s.send(at(load, 1, now + 2))
  await s.send(at(oil, 2, Date.now()), at(success, 1, now + 3))
  await heard(s.host, 'DBIRTH press-3', 2)
  t.strictSame(
    s.host.verbs.filter(v => v.startsWith('D')),
    ['DBIRTH press-3', 'DDEATH press-3', 'DBIRTH press-3'],
  )
  const birth = s.host.messages.findLast(m => m.verb === 'DBIRTH')!.payload.metrics!
  const quality = (name: string): number | undefined => {
    const { keys = [], values = [] } = birth.find(m => m.name === name)!.properties ?? {}
    return values[keys.indexOf('Quality')]?.int_value
  }
  t.equal(quality('strokes'), 500, 'not read since')
  t.equal(quality('oil/temperature'), undefined, 'good')
  t.strictSame(s.host.faults, [])
})

t.test('a device that falls silent dies, and lives when it is heard again', async t => {
  let ahead = 0
  const now = (): number => Date.now() + ahead
  const s = await scene(t, { options: { silent_after: '20s' }, timing: { now } })
  if (s === undefined) return
  await s.send(at(oil, 1, now()), at(load, 0, now()))
  ahead = 21_000
  await s.send(at(load, 1, now()))
  await heard(s.host, 'DDEATH press-3')
  await s.send(at(oil, 2, now()))
  await heard(s.host, 'DBIRTH press-3', 2)
  t.strictSame(s.host.faults, [])
})

t.test('history of a dead device is told between a birth and a death', async t => {
  const s = await scene(t)
  if (s === undefined) return
  const now = Date.now()
  await s.send(at(oil, 9, now), at(success, 1, now))
  await s.uplink.send([s.made.samples([at(success, 0, now + 1)], [], 2)], never)
  await heard(s.host, 'DDEATH press-3')
  await s.send(at(oil, 7, now - 5000), at(oil, 8, now - 4000))
  await heard(s.host, 'DDEATH press-3', 2)
  t.strictSame(s.host.verbs.slice(-3), ['DBIRTH press-3', 'DDATA press-3', 'DDEATH press-3'])
  t.match(s.host.told.get('press-3/oil/temperature')!.slice(-2), [
    { value: 7, isHistorical: true },
    { value: 8, isHistorical: true },
  ])
  t.strictSame(s.host.faults, [])
})

t.test('a new metric of a device has it born anew, one of the node all', async t => {
  const s = await scene(t)
  if (s === undefined) return
  await s.send(at(oil, 1), at(load, 1))
  await s.send(at(strokes, 1))
  await heard(s.host, 'DBIRTH press-3', 2)
  await s.send(at(gauge('system.uptime', {}, 's'), 1))
  await heard(s.host, 'NBIRTH', 2)
  await heard(s.host, 'DBIRTH press-3', 3)
  t.strictSame(s.host.verbs, ['NBIRTH', 'DBIRTH press-3', 'DBIRTH press-3', 'NBIRTH', 'DBIRTH press-3'])
  t.strictSame(s.host.values('system/uptime'), [1])
  t.strictSame(s.host.faults, [])
})

t.test('a count that turns out to be none is born anew as a Double', async t => {
  const s = await scene(t)
  if (s === undefined) return
  await s.send(at(strokes, 7))
  await s.send(at(strokes, 7.5))
  await heard(s.host, 'DBIRTH press-3', 2)
  t.strictSame(
    s.host.messages.filter(m => m.verb === 'DBIRTH').map(m => m.payload.metrics![0]!.datatype),
    [8, 10],
  )
  t.strictSame(s.host.values('press-3/strokes'), [7, 7.5])
  t.strictSame(s.host.faults, [])
})

t.test('samples that come out of order are history, and what is of the present stays in order', async t => {
  const random = seeded(t)
  const s = await scene(t, { options: { by_exception: false } })
  if (s === undefined) return
  const start = Date.now()
  const sent = new Set<string>()
  for (let n = 0; n < 30; n++) {
    const samples = Array.from({ length: 1 + random.below(20) }, () => {
      const sample = at(
        gauge('temperature', { ...press, n: random.below(4) }),
        random.below(1e6),
        start + random.below(5000),
      )
      sent.add(`${sample.series.attributes.n} ${sample.time} ${sample.value}`)
      return sample
    })
    await s.send(...samples)
  }
  await s.send(at(load, 1))
  await heard(s.host, 'NBIRTH', 2)
  t.strictSame(s.host.faults, [])
  const told = [0, 1, 2, 3].flatMap(n =>
    (s.host.told.get(`press-3/temperature/n=${n}`) ?? []).map(v => `${n} ${v.time} ${v.value}`),
  )
  t.strictSame(new Set(told), sent, 'all were told, and nothing else')
})

t.test('events are metrics of their own: text with what it says, never the present value of a birth', async t => {
  const s = await scene(t)
  if (s === undefined) return
  const event = { name: 'plc.alarm', time: Date.now(), severity: 'error', body: 'hot', attributes: press } as const
  await s.send(at(oil, 1))
  await s.uplink.send([s.made.events([event])], never)
  await s.uplink.send([s.made.events([{ ...event, time: event.time + 1 }])], never)
  await heard(s.host, 'DDATA press-3', 2)
  const text = JSON.stringify({ severity: 'error', body: 'hot', attributes: press })
  t.strictSame(s.host.values('press-3/Events/plc/alarm'), [text, text])
  t.strictSame(s.host.faults, [])
})

t.test('a device can be made of any attributes, and its name fit for a topic', async t => {
  const s = await scene(t, { options: { device: '{line}-{source}' } })
  if (s === undefined) return
  const of = (line: string): Sample => at(gauge('speed', { ...press, line }), 1)
  await s.send(of('A/1'), of('A+1'), of('#'), at(oil, 1))
  await heard(s.host, 'DBIRTH A_1-press-3_2')
  t.strictSame(s.host.verbs, ['NBIRTH', 'DBIRTH A_1-press-3', 'DBIRTH A_1-press-3_2', 'DBIRTH _-press-3'])
  t.strictSame(s.host.values('oil/temperature/source=press-3'), [1], 'without the attributes it is the node’s')
  t.strictSame(s.host.faults, [])
})

t.test(
  'a value written by a host becomes an order to the source, by name or alias; anything else is refused',
  async t => {
    const orders: unknown[] = []
    const said: string[] = []
    const s = await scene(t, {
      options: { max_command: '1KiB' },
      identity: {
        say: (_, message) => void said.push(message),
        orders: {
          signed: () => {},
          order: async ({ id, to, action, args, from }) => {
            orders.push({ to, action, args, from })
            return args.value === 99 ? { id, state: 'refused', reason: 'above 50' } : { id, state: 'done' }
          },
        },
      },
    })
    if (s === undefined) return
    await s.send(at(oil, 1), at(load, 1))
    await heard(s.host, 'DBIRTH press-3')
    const alias = s.host.messages[1]!.payload.metrics![0]!.alias!
    const dcmd = 'spBv1.0/plant/DCMD/gate-1/press-3'
    await s.host.command(dcmd, [
      { name: 'oil/temperature', double_value: 40 },
      { alias, int_value: 41 },
    ])
    await s.host.command(dcmd, [{ alias, double_value: 99 }])
    await s.host.command(dcmd, [
      { name: 'oil/temperature', string_value: 'hot' },
      { name: 'gone', int_value: 1 },
    ])
    await s.host.command('spBv1.0/plant/NCMD/gate-1', [
      { name: 'system/load', double_value: 1 },
      { alias, int_value: 1 },
    ])
    await s.host.command('spBv1.0/plant/DCMD/gate-1/other', [{ alias, int_value: 1 }])
    await s.host.raw(dcmd, Buffer.from('garbage'))
    await s.host.raw(dcmd, Buffer.alloc(2000))
    await until('all are refused', () => said.length === 8)
    const write = { to: 'press-3', action: 'write', from: 'sparkplug plant/gate-1' }
    t.strictSame(
      orders,
      [40, 41, 99].map(value => ({ ...write, args: { to: 'oil.temperature', value } })),
    )
    t.match(said.toSorted(), [
      /command alias \d+: there is no such metric/,
      /other: alias \d+: there is no such metric/,
      /press-3: alias \d+: refused: above 50/,
      /press-3: gone: there is no such metric/,
      /press-3: oil\/temperature: "hot" is not of its type/,
      /2000 bytes, at most 1024 are taken/,
      /press-3: protobuf/,
      /system\/load: it was not read from a device/,
    ])
  },
)

t.test('a command that a broker had kept is not carried out', async t => {
  const broker = await mosquitto(t)
  if (broker === undefined) return
  const said: string[] = []
  const host = new HostApplication(broker.url)
  await host.connect(t)
  await host.raw(
    'spBv1.0/plant/DCMD/gate-1/press-3',
    encode({ metrics: [{ name: 'oil/temperature', int_value: 1 }] }),
    true,
  )
  await host.say(true)
  const uplink = uplinkTo(t, [broker], { identity: { say: (_, message) => void said.push(message) } })
  await uplink.send([maker().samples([at(oil, 1)])], never)
  t.match(said, [/it is retained$/])
})

t.test('a message is no larger than the broker takes; an event that would be is refused', async t => {
  const broker = await mosquitto(t, ['max_packet_size 20000'])
  if (broker === undefined) return
  const host = new HostApplication(broker.url)
  await host.connect(t)
  await host.say(true)
  const uplink = uplinkTo(t, [broker], {})
  const made = maker()
  const of = (body: string) => ({ name: 'note', time: Date.now(), severity: 'info', body, attributes: press }) as const
  await uplink.send([made.samples([at(oil, 0)])], never)
  const many = Array.from({ length: 5000 }, (_, n) => at(oil, n + 1, Date.now() - 5000 + n))
  const batch = [
    made.samples(many),
    made.events([of('a'.repeat(15_000)), of('b'.repeat(15_000)), of('c'.repeat(30_000))]),
  ]
  const { refused } = await uplink.send(batch, never)
  t.match(refused, [{ seq: 1, reason: /1 values .* too large for the broker/ }])
  await until('all are told', () => host.values('press-3/oil/temperature').length >= 5000)
  await until('the events are told', () => host.values('press-3/Events/note').length === 2)
  t.ok(host.verbs.filter(v => v === 'DDATA press-3').length > 5)
  t.strictSame(host.faults, [])
})

t.test('without leave for orders a written value is refused', async t => {
  const said: string[] = []
  const s = await scene(t, { identity: { say: (_, message) => void said.push(message) } })
  if (s === undefined) return
  await s.send(at(oil, 1))
  await s.host.command('spBv1.0/plant/DCMD/gate-1/press-3', [{ name: 'oil/temperature', double_value: 40 }])
  await until('it is refused', () => said.length === 1)
  t.match(said[0], /allows no orders/)
})

t.test('a broker that dies and comes back: a new session, and all that waited', async t => {
  const s = await scene(t)
  if (s === undefined) return
  const start = Date.now() - 60_000
  await s.send(at(oil, 1, start))
  await heard(s.host, 'DBIRTH press-3')
  await s.broker.kill()
  const late = s.made.samples([at(oil, 2, start + 1)])
  await t.rejects(s.uplink.send([late], never))
  await mosquitto(t, [], s.broker.port)
  const host = new HostApplication(s.broker.url)
  await host.connect(t)
  await host.say(true)
  await delivered(s.uplink, [late])
  await heard(host, 'DDATA press-3')
  t.strictSame(host.told.get('press-3/oil/temperature'), [
    { time: start, value: 1, isHistorical: false },
    { time: start + 1, value: 2, isHistorical: true },
  ])
  t.strictSame(
    host.bdSeqs('NBIRTH'),
    [Number(s.host.bdSeqs('NBIRTH')[0]) + 1],
    'attempts that reached no broker used none',
  )
  t.strictSame(host.faults, [])
})

t.test('the number of births and deaths goes on over restarts, and after 255 comes 0', async t => {
  const broker = await mosquitto(t)
  if (broker === undefined) return
  const host = new HostApplication(broker.url)
  await host.connect(t)
  await host.say(true)
  const keep = memoryKeep('{"bdSeq":254}')
  for (let n = 0; n < 3; n++) {
    const uplink = uplinkTo(t, [broker], { keep })
    await uplink.send([maker().samples([at(oil, n)])], never)
    await uplink.close()
  }
  // MQTT 5 brokers publish the will besides what the edge node says itself.
  await heard(host, 'NDEATH', 6)
  t.strictSame(host.bdSeqs('NBIRTH'), [254, 255, 0])
  t.strictSame([...new Set(host.bdSeqs('NDEATH'))], [254, 255, 0])
  t.strictSame(host.faults, [])
})

t.test('over MQTT 3.1.1 too: births, data, and a death before the goodbye', async t => {
  const broker = await aedes(t)
  const host = new HostApplication(broker.url)
  await host.connect(t, 4)
  await host.say(true)
  const uplink = uplinkTo(t, [broker], {})
  await uplink.send([maker().samples([at(oil, 1)])], never)
  await uplink.close()
  await heard(host, 'NDEATH')
  t.strictSame(host.verbs, ['NBIRTH', 'DBIRTH press-3', 'NDEATH'])
  t.strictSame(host.bdSeqs('NDEATH'), host.bdSeqs('NBIRTH'))
  t.strictSame(host.faults, [])
})

interface Connect {
  readonly level: number
  readonly flags: number
  /** As bytes; none in MQTT 3.1.1. */
  readonly properties: Buffer
  readonly will: { readonly topic: string; readonly payload: Buffer }
}

/** A CONNECT packet as far as it matters here (MQTT 5, 3.1; MQTT 3.1.1 has no properties). */
function readConnect(bytes: Buffer): Connect {
  // Type, two or one bytes of length; then `MQTT` behind its length, level, flags, keep-alive.
  let at = (bytes[1]! < 0x80 ? 2 : 3) + 6
  const [level, flags] = [bytes[at]!, bytes[at + 1]!]
  at += 4
  const propertiesHere = (): Buffer => {
    if (level !== 5) return Buffer.alloc(0)
    const start = at + 1
    at = start + bytes[at]!
    return bytes.subarray(start, at)
  }
  const field = (): Buffer => {
    const start = at + 2
    at = start + bytes.readUInt16BE(at)
    return bytes.subarray(start, at)
  }
  const properties = propertiesHere()
  field()
  propertiesHere()
  return { level, flags, properties, will: { topic: String(field()), payload: field() } }
}

t.test('each CONNECT carries the death: clean, QoS 1, not retained, the next number', async t => {
  const connects: Connect[] = []
  const server = createServer(socket => {
    socket.once('data', bytes => {
      connects.push(readConnect(bytes))
      socket.destroy()
    })
    socket.on('error', () => {})
  })
  const port = await portOf(t, server)
  uplinkTo(t, [{ url: `mqtt://127.0.0.1:${port}`, port, kill: async () => {} }], {})
  await until('both versions were tried, twice', () => connects.length >= 4)
  t.strictSame(
    connects.slice(0, 4).map(({ level }) => level),
    [5, 4, 5, 4],
  )
  for (const [n, { flags, properties, will }] of connects.entries()) {
    const [size, length] = [0x27, 5]
    t.ok(
      properties.length === 0 || (properties[0] === size && properties.length === length),
      'no session expiry: it is 0',
    )
    t.equal(flags & 0b0011_1110, 0b0000_1110, 'will of QoS 1, not retained, clean')
    t.equal(will.topic, 'spBv1.0/plant/NDEATH/gate-1')
    t.match(decode(will.payload), { metrics: [{ name: 'bdSeq', datatype: 4, long_value: n }] })
    t.equal(decode(will.payload).seq, undefined)
  }
})

t.test('its commands and the state of its host are subscribed with QoS 1', async t => {
  const subscribed: Record<string, number> = {}
  const broker = await Aedes.createBroker()
  broker.on('subscribe', all => {
    for (const { topic, qos } of all) subscribed[topic] = qos
  })
  const port = await portOf(t, createServer(broker.handle))
  t.teardown(() => broker.close())
  uplinkTo(t, [{ url: `mqtt://127.0.0.1:${port}`, port, kill: async () => {} }], {})
  await until('it has subscribed', () => Object.keys(subscribed).length >= 3)
  t.strictSame(subscribed, {
    'spBv1.0/plant/NCMD/gate-1': 1,
    'spBv1.0/plant/DCMD/gate-1/+': 1,
    'spBv1.0/STATE/scada': 1,
  })
})

t.test('of several brokers the one with the primary host is used, and only that one', async t => {
  const [first, second] = [await mosquitto(t), await mosquitto(t)]
  if (first === undefined || second === undefined) return
  const hosts = [new HostApplication(first.url), new HostApplication(second.url)]
  for (const host of hosts) await host.connect(t)
  await hosts[0]!.say(false)
  await hosts[1]!.say(true)
  const uplink = uplinkTo(t, [first, second], {})
  const made = maker()
  await delivered(uplink, [made.samples([at(oil, 1)])])
  await heard(hosts[1]!, 'DBIRTH press-3')
  const isDeath = (verb: string): boolean => verb === 'NDEATH'
  t.ok(hosts[0]!.verbs.every(isDeath), 'where the host is offline nothing is said')
  await hosts[0]!.say(true)
  await hosts[1]!.say(false)
  await heard(hosts[1]!, 'NDEATH')
  const ended = hosts[1]!.verbs.length
  await delivered(uplink, [made.samples([at(oil, 2)])])
  await heard(hosts[0]!, 'DBIRTH press-3')
  t.ok(hosts[1]!.verbs.slice(ended).every(isDeath), 'it has left the other')
  t.strictSame(
    hosts.flatMap(h => h.faults),
    [],
  )
})

t.test('damaged envelopes and too many metrics are refused, the rest goes on', async t => {
  const s = await scene(t, { options: { max_metrics: 3 } })
  if (s === undefined) return
  const [good, more] = [s.made.samples([at(oil, 1)]), s.made.samples([at(oil, 2), at(strokes, 1), at(load, 1)])]
  const damaged = { ...s.made.samples([at(oil, 3)]), payload: Buffer.from('no zstd') }
  const delivery = await s.uplink.send([good, more, damaged], never)
  t.strictSame([...delivery.committed.values()], [3])
  t.match(delivery.refused, [
    { seq: 2, reason: /1 values beyond max_metrics/ },
    { seq: 3, reason: /cannot be read/ },
  ])
  t.strictSame(s.host.faults, [])
})

t.test('garbage on every topic it listens to harms nothing', async t => {
  const random = seeded(t)
  const s = await scene(t)
  if (s === undefined) return
  await s.send(at(oil, 0))
  for (let n = 1; n <= 300; n++) {
    const bytes = Buffer.from(Array.from({ length: random.below(200) }, () => random.below(256)))
    const topics = ['spBv1.0/STATE/scada', 'spBv1.0/plant/NCMD/gate-1', 'spBv1.0/plant/DCMD/gate-1/press-3']
    await s.host.raw(random.pick(topics), bytes)
    if (n % 50 === 0) await s.send(at(oil, n))
  }
  await heard(s.host, 'DDATA press-3', 6)
  t.notOk(s.host.verbs.includes('NDEATH'))
  t.strictSame(s.host.faults, [])
})
