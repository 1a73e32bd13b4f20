// What a server says, changed on its way at random: the library's decoder faces it, and so does what becomes of it here.
// Neither may end the gateway. FIELDLINE_FUZZ=N raises the number of connections, and of notifications a thousandfold.

import { setTimeout as delay } from 'node:timers/promises'
import { BinaryStream } from 'node-opcua'
import {
  DataChangeNotification,
  DataType,
  MonitoredItemNotification,
  Variant,
  VariantArrayType,
} from 'node-opcua-client'
import t from 'tap'
import { reason } from '../../../core/errors.ts'
import { Draft } from '../../../gateway/opcua/draft.ts'
import { library } from '../../../gateway/opcua/library.ts'
import { trackedNodes } from '../../../gateway/opcua/nodes.ts'
import type { OpcUaOptions } from '../../../gateway/opcua/options.ts'
import { connect } from '../../../gateway/opcua/session.ts'
import { simulator } from '../../../gateway/opcua/simulator.ts'
import { type Random, seeded } from '../../random.ts'
import { folder, optionsOf } from './following.ts'
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

t.test('whatever a server answers, connecting ends, well or with a reason', { timeout }, async t => {
  const sim = await simulator()
  t.teardown(() => sim.close())
  const random = seeded(t)
  let until = 0
  const between = await proxy(Number(new URL(sim.url).port), bytes => (--until === 0 ? spoiled(bytes, random) : bytes))
  t.teardown(between.close)
  const security = { folder: folder(t), mode: 'None' }
  const options = optionsOf({ url: `opc.tcp://127.0.0.1:${between.port}`, timeout: '300ms', security, nodes: [] })
  const ends = { well: 0, failed: 0 }
  for (let n = 0; n < rounds; n++) {
    until = 1 + random.below(8)
    try {
      const session = await connect(options, { folder: security.folder, now: Date.now }, AbortSignal.timeout(60_000))
      await session.close(false)
      ends.well++
    } catch (error) {
      if (reason(error) === '') t.fail('no reason')
      ends.failed++
    }
  }
  until = 0
  t.ok(await understood({ ...options, timeout: 10_000 }, security.folder))
  t.equal(ends.well + ends.failed, rounds)
})

/** A server keeps sessions whose clients are gone for a while, and takes no new ones as long as there are too many. */
async function understood(options: OpcUaOptions, folder: string): Promise<boolean> {
  while (true) {
    try {
      const session = await connect(options, { folder, now: Date.now }, AbortSignal.timeout(60_000))
      await session.close(false)
      return true
    } catch (error) {
      if (!/BadTooManySessions/.test(reason(error))) throw error
      await delay(1000)
    }
  }
}

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
