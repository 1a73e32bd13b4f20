// What a server says, changed on its way, at random and with malice: the library's decoder faces it, and so does what
// becomes of it here. Neither may end the gateway. FIELDLINE_FUZZ=N raises the number of connections, and of notifications a thousandfold.

import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { BinaryStream } from 'node-opcua'
import {
  DataChangeNotification,
  DataType,
  MonitoredItemNotification,
  Variant,
  VariantArrayType,
} from 'node-opcua-client'
import t, { type Test } from 'tap'
import { memoryKeep } from '../../../agent/keep.ts'
import { reason } from '../../../core/errors.ts'
import { realHost } from '../../../core/host.ts'
import { Draft } from '../../../gateway/opcua/draft.ts'
import { library } from '../../../gateway/opcua/library.ts'
import { trackedNodes } from '../../../gateway/opcua/nodes.ts'
import { connect } from '../../../gateway/opcua/session.ts'
import { type Simulator, simulator } from '../../../gateway/opcua/simulator.ts'
import { opcua } from '../../../gateway/sources/opcua.ts'
import { type Random, seeded } from '../../random.ts'
import { folder, line, optionsOf } from './following.ts'
import { proxy } from './proxy.ts'

const rounds = Number(process.env.FIELDLINE_FUZZ ?? 20)
const timeout = 30_000 + rounds * 1000
t.setTimeout(2 * timeout)
t.before(library)

function spoiled(bytes: Buffer, random: Random): Buffer {
  const changed = Buffer.from(bytes)
  for (let n = random.below(4); n >= 0; n--) changed[random.below(changed.length)] = random.below(256)
  if (random() < 0.1) return changed.subarray(0, random.below(changed.length))
  return random() < 0.1 ? Buffer.concat([changed, changed]) : changed
}

/** A server that keeps the sessions of clients that are gone, as all do for a while, and takes as many again. */
async function patient(t: Test): Promise<Simulator> {
  const sim = await simulator()
  t.teardown(() => sim.close())
  sim.server.engine.serverCapabilities.maxSessions = 10_000 + rounds
  return sim
}

/** Of OPC UA TCP (OPC 10000-6, 7.1.2): the head of a message, and what follows. */
function message(type: string, ...words: readonly number[]): Buffer {
  const head = Buffer.from(`${type}F____`)
  head.writeUInt32LE(8 + 4 * words.length, 4)
  return Buffer.concat([head, Buffer.from(Uint32Array.from(words).buffer)])
}

/** What may come in place of a server's next words. */
const lies: Readonly<Record<string, Buffer | undefined>> = {
  'nothing any more': undefined,
  'another protocol': Buffer.from('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'),
  'an acknowledgement of buffers without room': message('ACK', 0, 0, 0, 0, 0),
  'an error without its code': message('ERR'),
  'an error that ends before its text does': message('ERR', 0x8081_0000, 1_000_000),
  'a message without its head': message('MSG'),
}

/** Hello, channel, endpoints, session, login, what there is, clock, types, values, farewell: more than one reading has. */
const moments = 12

t.test('whatever comes in place of an answer, and whichever answer that is: it ends a connection at most', async t => {
  const sim = await patient(t)
  let said = 0
  let moment = 0
  let lie: Buffer | undefined
  const between = await proxy(Number(new URL(sim.url).port), bytes => (++said === moment ? lie : bytes))
  t.teardown(between.close)
  const security = { folder: folder(t), mode: 'None' }
  const read = (url: string, wait: string): Promise<unknown> => {
    const options = optionsOf({ url, timeout: wait, security, nodes: [line('Valve.Position')] })
    const source = opcua.open(options, { name: 'plc', host: realHost(), say: () => {}, keep: memoryKeep() })
    return source.once!(AbortSignal.timeout(60_000)).then(({ samples }) => samples[0]?.value, reason)
  }
  for (const [what, words] of Object.entries(lies)) {
    lie = words
    for (moment = 1; moment <= moments; moment++) {
      said = 0
      const end = await read(`opc.tcp://127.0.0.1:${between.port}`, '1s')
      if (moment === 1) t.type(end, 'string', what)
    }
  }
  t.equal(await read(sim.url, '10s'), 50)
})

t.test('a server that ends each connection is the same trouble each time', async t => {
  const server = createServer(socket => socket.once('data', () => socket.end())).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const security = { folder: folder(t), mode: 'None' }
  const options = optionsOf({ url: `opc.tcp://127.0.0.1:${port}`, security, nodes: [] })
  const why = (): Promise<unknown> =>
    connect(options, { folder: security.folder, now: Date.now }, AbortSignal.timeout(60_000)).catch(reason)
  const first = await why()
  t.match(first, /disconnected by third party/)
  t.equal(await why(), first)
})

t.test('whatever a server answers, connecting ends, well or with a reason', { timeout }, async t => {
  const sim = await patient(t)
  const random = seeded(t)
  let until = 0
  const between = await proxy(Number(new URL(sim.url).port), bytes => (--until === 0 ? spoiled(bytes, random) : bytes))
  t.teardown(between.close)
  const security = { folder: folder(t), mode: 'None' }
  const options = optionsOf({ url: `opc.tcp://127.0.0.1:${between.port}`, timeout: '300ms', security, nodes: [] })
  const at = { folder: security.folder, now: Date.now }
  const ends = { well: 0, failed: 0 }
  for (let n = 0; n < rounds; n++) {
    until = 1 + random.below(8)
    try {
      const session = await connect(options, at, AbortSignal.timeout(60_000))
      await session.close(false)
      ends.well++
    } catch (error) {
      if (reason(error) === '') t.fail('no reason')
      ends.failed++
    }
  }
  until = 0
  const session = await connect({ ...options, timeout: 10_000 }, at, AbortSignal.timeout(60_000))
  await session.close(false)
  t.equal(ends.well + ends.failed, rounds)
})

t.test('whatever a notification holds, what is made of it is finite and bounded', { timeout }, async t => {
  const random = seeded(t)
  const { nodes, limits, attributes } = optionsOf({ url: 'opc.tcp://x', nodes: [{ name: 'a', node: 'i=1' }] })
  const whole = Buffer.from(encoded())
  const now = Date.now()
  for (let n = 0; n < rounds * 1000; n++) {
    const [node] = trackedNodes(nodes, { source: 'plc', attributes, uncertain: 'keep', limits })
    const notification = new DataChangeNotification(null as never)
    try {
      notification.decode(new BinaryStream(spoiled(whole, random)))
    } catch {
      continue // what the library refuses it drops, with the connection
    }
    const draft = new Draft({ now, skew: 0, maxSkew: 60_000 })
    for (const { value } of notification.monitoredItems ?? []) node!.take(value, draft)
    const { samples, events } = draft.observation('plc')
    const isRight = samples.every(({ value, time }) => Number.isFinite(value) && time > 0 && time <= now + 60_000)
    if (!isRight || samples.length > 10 * limits.elements || !events.every(({ time }) => time > 0))
      t.fail(`seed ${random.seed}`)
  }
  t.pass()
})

function encoded(): Uint8Array {
  const now = new Date()
  const values: readonly Variant[] = [
    new Variant({ dataType: DataType.Double, value: 1.5 }),
    new Variant({ dataType: DataType.String, value: 'text' }),
    new Variant({ dataType: DataType.UInt64, arrayType: VariantArrayType.Scalar, value: [1, 2] }),
    new Variant({ dataType: DataType.Int16, arrayType: VariantArrayType.Array, value: new Int16Array([1, 2, 3]) }),
    new Variant({ dataType: DataType.LocalizedText, value: { text: 'an', locale: 'de' } }),
    new Variant({
      dataType: DataType.Variant,
      arrayType: VariantArrayType.Array,
      value: [new Variant({ dataType: DataType.Byte, value: 1 })],
    }),
  ]
  const monitoredItems = values.map(
    (value, n) =>
      new MonitoredItemNotification({ clientHandle: n, value: { value, sourceTimestamp: now, serverTimestamp: now } }),
  )
  const notification = new DataChangeNotification({ monitoredItems })
  const stream = new BinaryStream(notification.binaryStoreSize())
  notification.encode(stream)
  return stream.buffer
}
