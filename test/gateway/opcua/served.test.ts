import { coerceNodeId, DataType, type UAVariable, VariantArrayType, type VariantOptions } from 'node-opcua'
import t from 'tap'
import { simulator } from '../../../gateway/opcua/simulator.ts'
import { eventOf, folder, follow, line, quick, valuesOf } from './following.ts'

// A server takes its time to start, and more on a busy machine.
t.setTimeout(120_000)
const sim = await simulator()
t.teardown(() => sim.close())
const common = { ...quick, url: sim.url, security: { folder: folder(t), trust_first: true } }
const level = line('Valve.Position')

/** A variable of the server's own, whatever its type. */
function served(name: string, value: VariantOptions): UAVariable {
  const space = sim.server.engine.addressSpace!
  return space.getOwnNamespace().addVariable({
    organizedBy: space.rootFolder.objects,
    browseName: name,
    nodeId: `s=${name}`,
    dataType: DataType[value.dataType as DataType],
    valueRank: value.arrayType === VariantArrayType.Array ? 1 : -1,
    value,
  })
}

t.test('every built-in type comes over the wire', async t => {
  const all: readonly (readonly [string, VariantOptions, number | string])[] = [
    ['Boolean', { dataType: DataType.Boolean, value: true }, 1],
    ['SByte', { dataType: DataType.SByte, value: -5 }, -5],
    ['Byte', { dataType: DataType.Byte, value: 200 }, 200],
    ['Int16', { dataType: DataType.Int16, value: -30_000 }, -30_000],
    ['UInt16', { dataType: DataType.UInt16, value: 60_000 }, 60_000],
    ['Int32', { dataType: DataType.Int32, value: -2_000_000_000 }, -2_000_000_000],
    ['UInt32', { dataType: DataType.UInt32, value: 4_000_000_000 }, 4_000_000_000],
    [
      'Int64',
      { dataType: DataType.Int64, value: [0xffff_ffff, 0xffff_ff9c], arrayType: VariantArrayType.Scalar },
      -100,
    ],
    ['UInt64', { dataType: DataType.UInt64, value: [1, 0], arrayType: VariantArrayType.Scalar }, 2 ** 32],
    ['Float', { dataType: DataType.Float, value: 0.5 }, 0.5],
    ['Double', { dataType: DataType.Double, value: 1e300 }, 1e300],
    ['String', { dataType: DataType.String, value: 'Grüße' }, 'Grüße'],
    ['DateTime', { dataType: DataType.DateTime, value: new Date(86_400_500) }, 86_400.5],
    [
      'Guid',
      { dataType: DataType.Guid, value: '72962B91-FA75-4AE6-8D28-B404DC7DAF63' },
      '72962B91-FA75-4AE6-8D28-B404DC7DAF63',
    ],
    ['ByteString', { dataType: DataType.ByteString, value: Buffer.from('hi') }, 'aGk='],
    ['LocalizedText', { dataType: DataType.LocalizedText, value: { text: 'an', locale: 'de' } }, 'an'],
    ['NodeId', { dataType: DataType.NodeId, value: coerceNodeId('ns=1;s=x') }, 'ns=1;s=x'],
  ]
  for (const [name, value] of all) served(name, value)
  const at = follow(t, { ...common, nodes: all.map(([name]) => ({ name, node: `ns=1;s=${name}` })) })
  for (const [name, , expected] of all) {
    const found = await at.until(name, now =>
      typeof expected === 'number'
        ? valuesOf(now, name).at(-1)
        : (eventOf(now, 'opcua.value.changed', name)?.body as { value: string } | undefined)?.value,
    )
    t.equal(found, expected, name)
  }
})

t.test('a change smaller than the deadband is not told', async t => {
  const at = follow(t, { ...common, nodes: [{ ...level, deadband: 5 }], sampling: '0ms' })
  await at.until('a value', now => valuesOf(now, 'valve.position').length > 0)
  for (const value of [51, 52, 60, 62, 70]) sim.set('Valve.Position', value)
  await at.until('the last', now => valuesOf(now, 'valve.position').at(-1) === 70)
  t.strictSame(valuesOf(at, 'valve.position'), [50, 60, 70])
})

t.test('where the server cannot filter a node, all its values are told', async t => {
  const at = follow(t, { ...common, nodes: [{ ...line('Tank.Product'), deadband: 5 }, level] })
  await at.until('a text', now => eventOf(now, 'opcua.value.changed', 'tank.product'))
  t.notOk(eventOf(at, 'opcua.node.unknown'))
})

t.test('a queue of the server that runs over is told, with the nodes', async t => {
  const at = follow(t, { ...common, interval: '500ms', nodes: [{ ...level, queue: 2 }], sampling: '0ms' })
  await at.until('a value', now => valuesOf(now, 'valve.position').length > 0)
  for (let n = 1; n <= 10; n++) sim.set('Valve.Position', 20 + n)
  const { body } = await at.until('the event', now => eventOf(now, 'opcua.queue.overflow'))
  t.match(body, { nodes: ['valve.position'] })
  t.equal(valuesOf(at, 'valve.position').at(-1), 30)
})

t.test('a server that makes no subscriptions is polled, unless that is forbidden', async t => {
  const capabilities = sim.server.engine.serverCapabilities
  const before = capabilities.maxSubscriptionsPerSession
  capabilities.maxSubscriptionsPerSession = 0
  t.teardown(() => {
    capabilities.maxSubscriptionsPerSession = before
  })
  sim.server.engine.serverCapabilities.maxSubscriptions = 0
  t.teardown(() => {
    capabilities.maxSubscriptions = 100
  })
  const at = follow(t, { ...common, nodes: [level] })
  await at.until('said', now => now.said.some(said => /makes no subscriptions.*polled instead/.test(said)))
  await at.until('a value', now => valuesOf(now, 'valve.position').length > 0)
  const strict = follow(t, { ...common, mode: 'subscribe', nodes: [level] })
  await strict.until('down', now =>
    /makes no subscriptions/.test(JSON.stringify(eventOf(now, 'opcua.connection.down')?.body)),
  )
})
