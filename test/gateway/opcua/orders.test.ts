import t from 'tap'
import { Refused } from '../../../core/errors.ts'
import { simulator } from '../../../gateway/opcua/simulator.ts'
import { lineNode, onTheLine } from './on-the-line.ts'

const nodes = [
  { name: 'level', node: lineNode('Tank.Level'), write: { min: 0, max: 100 } },
  { name: 'valve', node: lineNode('Valve.Position'), write: { min: 10, max: 4000 } },
  { name: 'open', node: lineNode('Valve.Open'), write: { min: 0, max: 1 } },
  { name: 'mode', node: lineNode('Motor.Mode'), write: { min: 0, max: 1 } },
  { name: 'serial', node: lineNode('Valve.Serial'), write: { min: 0, max: 10 } },
  { name: 'speed', node: lineNode('Motor.Speed') },
]
const methods = [
  {
    name: 'set-speed',
    object: lineNode('Motor'),
    method: lineNode('Motor.SetSpeed'),
    arguments: [{ min: 0, max: 5000 }],
  },
  { name: 'unknown', object: lineNode('Motor'), method: lineNode('Motor.Fly') },
]
const never = new AbortController().signal

t.test('orders', async t => {
  const server = await simulator()
  const source = onTheLine(t, { url: server.url, nodes, options: { methods } })
  t.teardown(() => server.close())
  const { write, call } = source.actions
  await source.until(() => source.samples('valve').length > 0)

  await t.test('a node is written within its limits, and what it then has is read back', async t => {
    t.equal(await write!({ to: 'valve', value: 62.5 }, never), 62.5)
    t.equal(await write!({ to: 'open', value: false }, never), false)
    t.equal(await write!({ to: 'mode', value: 0 }, never), 0)
    await source.until(() => source.samples('valve').at(-1)?.value === 62.5)
  })

  await t.test('what the configuration does not allow is refused, and nothing is written', async t => {
    const before = server.value('Valve.Position')
    const refused = (args: Parameters<NonNullable<typeof write>>[0], message: RegExp) =>
      t.rejects(write!(args, never), { name: 'Refused', message })
    await refused({ to: 'valve', value: 9 }, /valve: 9 lies outside of 10 to 4000/)
    await refused({ to: 'valve', value: 'open' }, /expected a number/)
    await refused({ to: 'valve', value: null }, /expected a number/)
    await refused({ to: 'speed', value: 1 }, /speed may not be written/)
    await refused({ to: 'nothing', value: 1 }, /no node named "nothing"/)
    await refused({ to: 'mode', value: 0.5 }, /0\.5 is no Int32/)
    t.equal(server.value('Valve.Position'), before)
  })

  await t.test('what the server forbids is refused with its reason', async t => {
    await t.rejects(write!({ to: 'level', value: 50 }, never), { name: 'Refused', message: /BadNotWritable/ })
    await t.rejects(write!({ to: 'serial', value: 5 }, never), { name: 'Refused', message: /BadUserAccessDenied/ })
    await t.rejects(write!({ to: 'valve', value: 3999 }, never), { name: 'Refused', message: /BadOutOfRange/ })
  })

  await t.test('a listed method is called with arguments within their limits', async t => {
    t.strictSame(await call!({ method: 'set-speed', arguments: [900] }, never), [900])
    t.equal(server.value('Motor.Speed'), 900)
    await t.rejects(call!({ method: 'set-speed', arguments: [6000] }, never), {
      name: 'Refused',
      message: /argument 1 of set-speed: 6000 lies outside of 0 to 5000/,
    })
    await t.rejects(call!({ method: 'set-speed', arguments: [] }, never), {
      name: 'Refused',
      message: /takes 1 argument/,
    })
    await t.rejects(call!({ method: 'reboot', arguments: [] }, never), { name: 'Refused', message: /no method named/ })
  })

  await t.test('a method that the server refuses, or does not have, is refused', async t => {
    await t.rejects(call!({ method: 'set-speed', arguments: [4000] }, never), {
      name: 'Refused',
      message: /BadOutOfRange/,
    })
    await t.rejects(call!({ method: 'unknown' }, never), { name: 'Refused' })
  })

  await t.test('without a connection it is an error, not a refusal: nothing is known to be forbidden', async t => {
    await server.cut()
    await source.until(() => source.events('opcua.connection.down').length > 0)
    const failed = await write!({ to: 'valve', value: 20 }, never).catch((error: unknown) => error)
    t.ok(failed instanceof Error)
    t.notOk(failed instanceof Refused)
    await server.mend()
  })
})
