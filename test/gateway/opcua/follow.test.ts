import t from 'tap'
import { simulator } from '../../../gateway/opcua/simulator.ts'
import { eventOf, folder, follow, line, quick, valuesOf } from './following.ts'

// A server takes its time to start, and more on a busy machine.
t.setTimeout(120_000)
const sim = await simulator({ namespaces: ['urn:before'] })
t.teardown(() => sim.close())
const security = { folder: folder(t), trust_first: true }
const level = line('Valve.Position')
const common = { ...quick, url: sim.url, security }

t.test('values of all shapes come as samples and events, dated by their source', async t => {
  const nodes = (
    [
      'Valve.Position',
      'Tank.Product',
      'Valve.Open',
      'Motor.Mode',
      'Motor.Currents',
      'Motor.Bottles',
      'Motor.Nameplate',
    ] as const
  ).map(name => ({ ...line(name), attributes: { line: 'A' } }))
  const at = follow(t, { ...common, nodes })
  await at.until('the first values', now => valuesOf(now, 'motor.nameplate.power').length > 0)
  const dated = new Date(Date.now() - 5000)
  sim.set('Valve.Position', 61.5, dated)
  sim.set('Motor.Mode', 2)
  sim.set('Tank.Product', 'milk')
  sim.set('Motor.Bottles', [1, 2])
  const sample = await at.until('a level', now =>
    now.samples.find(s => s.series.name === 'valve.position' && s.value === 61.5),
  )
  t.equal(sample.time, dated.getTime())
  t.strictSame(sample.series, {
    name: 'valve.position',
    unit: '1',
    kind: 'gauge',
    attributes: { source: 'plc', line: 'A' },
  })
  await at.until('bottles', now => valuesOf(now, 'motor.bottles').at(-1) === 2 ** 32 + 2)
  t.strictSame(await at.until('a mode', now => eventOf(now, 'opcua.value.changed', 'motor.mode')?.body as object), {
    value: 2,
    name: 'Fault',
  })
  t.strictSame(
    await at.until('milk', now => now.events.find(e => JSON.stringify(e.body) === '{"value":"milk"}')?.name),
    'opcua.value.changed',
  )
  t.equal(valuesOf(at, 'valve.open').at(-1), 1)
  t.strictSame(
    at.samples.filter(s => s.series.name === 'motor.currents').map(s => s.series.attributes.index),
    ['0', '1', '2'],
  )
  t.equal(valuesOf(at, 'motor.nameplate.poles').at(-1), 4)
})

t.test('bad quality is no value and an event on the change, and so is its end', async t => {
  const at = follow(t, { ...common, nodes: [level] })
  await at.until('a value', now => valuesOf(now, 'valve.position').length > 0)
  sim.spoil('Valve.Position')
  const bad = await at.until('bad', now => eventOf(now, 'opcua.quality.bad'))
  t.match(bad, {
    severity: 'warning',
    body: { status: 'BadSensorFailure' },
    attributes: { source: 'plc', node: 'valve.position' },
  })
  const before = valuesOf(at, 'valve.position').length
  sim.set('Valve.Position', 62)
  await at.until('good', now => eventOf(now, 'opcua.quality.good'))
  t.strictSame(valuesOf(at, 'valve.position').slice(before), [62])
})

t.test('a node the server does not know is named, the rest goes on, and it is picked up when it appears', async t => {
  sim.remove('Motor.Speed')
  const at = follow(t, {
    ...common,
    nodes: [line('Motor.Speed'), level, { name: 'nobody', node: 'nsu=urn:nobody;s=x' }],
  })
  const unknown = await at.until('unknown', now => eventOf(now, 'opcua.node.unknown', 'motor.speed'))
  t.strictSame(unknown.body, { node: 'nsu=urn:fieldline:simulated-line;s=Motor.Speed', status: 'BadNodeIdUnknown' })
  t.match(eventOf(at, 'opcua.node.unknown', 'nobody')?.body, { status: 'the server has no namespace urn:nobody' })
  t.match(at.said.join(), /the server has no .*motor\.speed .*BadNodeIdUnknown/)
  await at.until('the rest', now => valuesOf(now, 'valve.position').length > 0)
  sim.add('Motor.Speed')
  await at.until('found', now => eventOf(now, 'opcua.node.found', 'motor.speed'))
  await at.until('its value', now => valuesOf(now, 'motor.speed').length > 0)
})

t.test('a node that is removed while it is watched is told, and comes back', async t => {
  const at = follow(t, { ...common, nodes: [line('Motor.Speed'), level] })
  await at.until('values', now => valuesOf(now, 'motor.speed').length > 0)
  sim.remove('Motor.Speed')
  await at.until('bad', now => eventOf(now, 'opcua.quality.bad', 'motor.speed'))
  await at.until('unknown', now => eventOf(now, 'opcua.node.unknown', 'motor.speed'))
  sim.add('Motor.Speed')
  await at.until('found', now => eventOf(now, 'opcua.node.found', 'motor.speed'))
  sim.set('Motor.Speed', 1234)
  await at.until('its value', now => valuesOf(now, 'motor.speed').includes(1234))
})

t.test('a server is polled where that is asked for, and what did not change is not told again', async t => {
  const at = follow(t, {
    ...common,
    mode: 'poll',
    nodes: [level, line('Tank.Product'), { name: 'no', node: 'ns=0;s=no' }],
  })
  await at.until('a value', now => valuesOf(now, 'valve.position').length > 0)
  t.ok(await at.until('unknown', now => eventOf(now, 'opcua.node.unknown', 'no')))
  sim.set('Valve.Position', 301)
  await at.until('the next', now => valuesOf(now, 'valve.position').at(-1) === 301)
  sim.set('Valve.Position', 302)
  await at.until('the one after', now => valuesOf(now, 'valve.position').at(-1) === 302)
  t.strictSame(valuesOf(at, 'valve.position').slice(-2), [301, 302])
  sim.remove('Valve.Position')
  await at.until('gone', now => eventOf(now, 'opcua.node.unknown', 'valve.position'))
  sim.add('Valve.Position')
  await at.until('back', now => eventOf(now, 'opcua.node.found', 'valve.position'))
})

t.test('a server whose clock is wrong is told, and its values are set right', async t => {
  const at = follow(t, { ...common, max_skew: '1s', nodes: [level] })
  await at.until('a value', now => valuesOf(now, 'valve.position').length > 0)
  sim.ahead = 3_600_000
  sim.set('Valve.Position', 303)
  const late = await at.until('it', now => now.samples.find(s => s.value === 303))
  t.ok(Math.abs(late.time - Date.now()) < 60_000, 'a time stamp from the future is not believed')
  t.match(await at.until('told', now => eventOf(now, 'opcua.time.impossible')), { body: { nodes: ['valve.position'] } })
  sim.ahead = 0
})
