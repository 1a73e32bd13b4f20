import { coerceNodeId, DataType, StatusCodes, Variant, type VariantOptions } from 'node-opcua-client'
import t from 'tap'
import { memoryKeep } from '../../../agent/keep.ts'
import type { Event } from '../../../core/model.ts'
import { read } from '../../../gateway/opcua/alarm-fields.ts'
import { simulator } from '../../../gateway/opcua/simulator.ts'
import { lineNode, onTheLine } from './on-the-line.ts'

const nodes = [{ name: 'level', node: lineNode('Tank.Level') }]
const options = { alarms: {} }
const active = (events: readonly Event[]) => events.map(({ body }) => (body as { active?: boolean }).active)

t.test('alarms', async t => {
  const server = await simulator()
  t.teardown(() => server.close())
  const keep = memoryKeep()
  const source = onTheLine(t, { url: server.url, nodes, options, keep })
  const told = () => source.events('opcua.condition')
  await source.until(() => source.samples('level').length > 0)

  await t.test('a limit that is exceeded is an event, and so is its end', async t => {
    server.set('Tank.Level', 97)
    await source.until(() => told().length >= 1)
    t.match(told()[0], {
      severity: 'critical',
      body: { active: true, acked: false, retain: true, limit: 'HighHigh', severity: 900, message: /97.000 %/ },
      attributes: { source: 'plc', condition: 'LevelAlarm', about: /Tank/, node: lineNode('Tank.LevelAlarm') },
    })
    t.ok(Math.abs(told()[0]!.time - Date.now()) < 60_000)
    server.set('Tank.Level', 50)
    await source.until(() => active(told()).includes(false))
    t.equal(told().find(({ body }) => (body as { active: boolean }).active === false)!.severity, 'info')
  })

  await t.test('after a restart of the gateway what is still retained is not told again', async t => {
    server.set('Tank.Level', 97)
    await source.until(() => active(told()).at(-1) === true)
    await source.stop()
    const again = onTheLine(t, { url: server.url, nodes, options, keep })
    await again.until(() => again.samples('level').length > 0)
    server.set('Tank.Level', 3)
    const limits = () => again.events('opcua.condition').map(({ body }) => (body as { limit?: string }).limit)
    await again.until(() => limits().includes('LowLow'))
    t.notOk(limits().includes('HighHigh'))
    await again.stop()
  })

  await t.test('what ended while nobody looked is told, too', async t => {
    const before = onTheLine(t, { url: server.url, nodes, options, keep })
    await before.until(() => before.samples('level').length > 0)
    await before.stop()
    await server.stop()
    server.set('Tank.Level', 50)
    await server.restart()
    const again = onTheLine(t, { url: server.url, nodes, options, keep })
    await again.until(() => again.events('opcua.condition').length > 0)
    t.match(again.events('opcua.condition'), [
      { severity: 'info', body: { active: false, retain: false, unseen: true } },
    ])
    await again.stop()
  })

  await t.test('conditions that are not severe enough are left out', async t => {
    const choosy = onTheLine(t, { url: server.url, nodes, options: { alarms: { severity: 1000 } } })
    const other = onTheLine(t, { url: server.url, nodes, options })
    await choosy.until(() => choosy.samples('level').length > 0 && other.samples('level').length > 0)
    server.set('Tank.Level', 90)
    await other.until(() => other.events('opcua.condition').length > 0)
    await choosy.until(() => choosy.samples('level').at(-1)?.value === 90)
    t.strictSame(choosy.events('opcua.condition'), [])
  })
})

t.test('a notifier that does not exist is said, and the values go on', async t => {
  const server = await simulator()
  t.teardown(() => server.close())
  const source = onTheLine(t, { url: server.url, nodes, options: { alarms: { notifier: 'ns=3;s=Nobody' } } })
  await source.until(() => source.said.some(text => /no alarms from ns=3;s=Nobody/.test(text)))
  await source.until(() => source.samples('level').length > 0)
  t.strictSame(source.events('opcua.condition'), [])
})

t.test('fields that the server does not have, and says so in its own way, are left out', async t => {
  const lacking: VariantOptions = { dataType: DataType.StatusCode, value: StatusCodes.BadNodeIdUnknown }
  const all = Array.from({ length: 13 }, () => new Variant(lacking))
  t.equal(read(all, String, 100), undefined)
  all[5] = new Variant({ dataType: DataType.NodeId, value: coerceNodeId('ns=1;s=Alarm') })
  t.strictSame(read(all, String, 100), {
    id: 'ns=1;s=Alarm',
    branch: '',
    name: '',
    about: '',
    time: 0,
    message: '',
    severity: 1,
    retain: false,
  })
})
