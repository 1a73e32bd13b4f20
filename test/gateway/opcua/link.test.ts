import t from 'tap'
import { memoryKeep } from '../../../agent/keep.ts'
import { simulator } from '../../../gateway/opcua/simulator.ts'
import { eventOf, folder, follow, line, quick, valuesOf } from './following.ts'
import { proxy } from './proxy.ts'

// A server takes its time to start, and more on a busy machine.
t.setTimeout(120_000)
const sim = await simulator({ namespaces: ['urn:before'] })
t.teardown(() => sim.close())
const security = { folder: folder(t), trust_first: true }
const level = line('Valve.Position')
const common = { ...quick, url: sim.url, security }

t.test('what changes while the wire is cut comes afterwards: the subscription is transferred', async t => {
  const at = follow(t, { ...common, nodes: [level], sampling: '0ms', queue: 100 })
  await at.until('a value', now => valuesOf(now, 'valve.position').length > 0)
  await sim.cut()
  await at.until('the loss', now => eventOf(now, 'opcua.connection.down'))
  for (let n = 1; n <= 20; n++) sim.set('Valve.Position', 100 + n)
  await sim.mend()
  const all = Array.from({ length: 20 }, (_, n) => 101 + n)
  await at.until('all of them', now => valuesOf(now, 'valve.position').at(-1) === 120)
  t.strictSame(
    valuesOf(at, 'valve.position').filter(v => v > 100),
    all,
  )
})

t.test('what cannot be handed on is kept by the server, and acknowledged only when it is safe', async t => {
  const at = follow(t, { ...common, nodes: [level], sampling: '0ms', queue: 1000 })
  await at.until('a value', now => valuesOf(now, 'valve.position').length > 0)
  at.failing = new Error('the disk is full')
  for (let n = 1; n <= 200; n++) sim.set('Valve.Position', 200 + n)
  await at.until('said', now =>
    now.said.some(line => /cannot hand on values, the server keeps them: the disk is full/.test(line)),
  )
  at.failing = undefined
  await at.until('all', now => valuesOf(now, 'valve.position').at(-1) === 400)
  t.strictSame(
    valuesOf(at, 'valve.position').filter(v => v > 200),
    Array.from({ length: 200 }, (_, n) => 201 + n),
  )
})

t.test('a restarted server has no subscription any more, and other namespace indices: all is built anew', async t => {
  const at = follow(t, { ...common, nodes: [level] })
  await at.until('a value', now => valuesOf(now, 'valve.position').length > 0)
  await sim.restart(['urn:first', 'urn:second', 'urn:third'])
  await at.until('up again', now => now.events.filter(e => e.name === 'opcua.connection.up').length === 2)
  sim.set('Valve.Position', 77)
  await at.until('a value', now => valuesOf(now, 'valve.position').includes(77))
})

t.test('a wire that carries nothing any more is noticed, and what was sent into it comes again', async t => {
  const between = await proxy(Number(new URL(sim.url).port))
  t.teardown(between.close)
  const url = `opc.tcp://127.0.0.1:${between.port}`
  const at = follow(t, { ...common, url, timeout: '1s', nodes: [level], sampling: '0ms', queue: 1000 })
  await at.until('a value', now => valuesOf(now, 'valve.position').length > 0)
  between.hold()
  for (let n = 1; n <= 20; n++) sim.set('Valve.Position', 500 + n)
  const down = await at.until('the loss', now => eventOf(now, 'opcua.connection.down'))
  t.match(down.body, { reason: /no answer within 1 s/ })
  between.cut()
  await at.until('all', now => valuesOf(now, 'valve.position').at(-1) === 520)
  const late = valuesOf(at, 'valve.position').filter(v => v > 500)
  t.strictSame(
    late,
    Array.from({ length: 20 }, (_, n) => 501 + n),
  )
})

t.test('a gateway that is killed finds its subscription again, with all that never reached its spool', async t => {
  const between = await proxy(Number(new URL(sim.url).port))
  t.teardown(between.close)
  const url = `opc.tcp://127.0.0.1:${between.port}`
  const options = { ...common, url, timeout: '1s', nodes: [level, line('Motor.Mode')], sampling: '0ms', queue: 1000 }
  const keep = memoryKeep()
  const before = follow(t, options, keep)
  await before.until('a value', now => valuesOf(now, 'valve.position').length > 0)
  before.failing = new Error('the disk is full')
  for (let n = 1; n <= 50; n++) sim.set('Valve.Position', 600 + n)
  await before.until('said', now => now.said.some(said => /the server keeps them/.test(said)))
  // It says no farewell, as one that is killed.
  between.hold()
  await before.stop()
  between.cut()
  for (let n = 51; n <= 100; n++) sim.set('Valve.Position', 600 + n)
  const after = follow(t, options, keep)
  await after.until('all', now => valuesOf(now, 'valve.position').at(-1) === 700)
  const all = Array.from({ length: 100 }, (_, n) => 601 + n)
  t.strictSame([...valuesOf(before, 'valve.position').filter(v => v > 600), ...valuesOf(after, 'valve.position')], all)
  sim.set('Motor.Mode', 0)
  await after.until('the other node', now => valuesOf(now, 'motor.mode').at(-1) === 0)
})

t.test('with other nodes, or after a restart of the server, nobody takes the old subscription for its own', async t => {
  const keep = memoryKeep()
  const before = follow(t, { ...common, nodes: [level] }, keep)
  await before.until('a value', now => valuesOf(now, 'valve.position').length > 0)
  await before.stop()
  const other = follow(t, { ...common, nodes: [line('Motor.Mode'), level] }, keep)
  await other.until(
    'values',
    now => valuesOf(now, 'motor.mode').length > 0 && valuesOf(now, 'valve.position').length > 0,
  )
  await other.stop()
  await sim.restart()
  const after = follow(t, { ...common, nodes: [line('Motor.Mode'), level] }, keep)
  await after.until(
    'values',
    now => valuesOf(now, 'motor.mode').length > 0 && valuesOf(now, 'valve.position').length > 0,
  )
})
