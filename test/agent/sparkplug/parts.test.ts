// The parts of an edge node that need no connection.

import t from 'tap'
import { memoryKeep } from '../../../agent/keep.ts'
import { Backlog } from '../../../agent/sparkplug/backlog.ts'
import { BdSeq } from '../../../agent/sparkplug/bd-seq.ts'
import { Catalogue } from '../../../agent/sparkplug/catalogue.ts'
import { sparkplugOptions } from '../../../agent/sparkplug/options.ts'
import { type News, PrimaryHost } from '../../../agent/sparkplug/primary-host.ts'
import { parseTemplate } from '../../../agent/uplinks/template.ts'
import { Place } from '../../../core/shape.ts'
import { seeded } from '../../random.ts'
import { gauge } from '../uplinks/made.ts'

const never = new AbortController().signal
const hour = 3_600_000

function catalogue(max_metrics = 100): Catalogue {
  return new Catalogue({ device: parseTemplate('{source}'), omit: ['site'], max_metrics })
}

t.test('the number of a session is durable before it is used, and none is used twice', async t => {
  const keep = memoryKeep()
  const first = new BdSeq(keep)
  t.equal(first.next(), 0)
  t.equal(first.next(), 0, 'no broker was reached')
  first.used()
  t.equal(first.next(), 1)
  t.equal(new BdSeq(keep).next(), 2, 'killed before it was known whether 1 was used')
  t.equal(new BdSeq(memoryKeep('{"bdSeq":255}')).next(), 255)
  for (const damaged of ['', '{', '{"bdSeq":256}', '{"bdSeq":-1}', '[]', 'null', '{"bdSeq":"1"}'])
    t.equal(new BdSeq(memoryKeep(damaged)).next(), 0, damaged)
})

t.test('a number that cannot be made durable is not used', async t => {
  const keep = {
    load: () => undefined,
    save: () => {
      throw new Error('disk full')
    },
  }
  t.throws(() => new BdSeq({ ...memoryKeep(), ...keep }).next(), { message: 'disk full' })
})

t.test('older streams are a backlog, and after an outage each stream until it has caught up', async t => {
  const now = Date.UTC(2026, 0, 1)
  const backlog = new Backlog()
  const holds = (n: number, age: number, lane = 'metrics'): boolean =>
    backlog.holds({ stream: `spool1.${lane}.${n}-salt`, lastTime: now - age })
  backlog.resume(now)
  t.equal(holds(1, hour), true, 'what waited')
  t.equal(holds(1, 20_000), true)
  t.equal(holds(1, 5000), false, 'caught up')
  t.equal(holds(1, 20_000), false, 'a slow device is no backlog')
  t.equal(holds(2, 0), false)
  t.equal(holds(1, 0), true, 'an older stream')
  t.equal(holds(1, 0, 'events'), false, 'of another lane')
  backlog.resume(now + hour)
  t.equal(holds(2, 0), true, 'an hour later')
})

function state(online: unknown, timestamp: unknown): Buffer {
  return Buffer.from(JSON.stringify({ online, timestamp }))
}

t.test('a state of the primary host counts when it is not older than the one before, broker by broker', async t => {
  const host = new PrimaryHost('scada')
  t.equal(host.topic, 'spBv1.0/STATE/scada')
  const heard = (online: boolean, timestamp: number): News => host.heard(state(online, timestamp))
  t.equal(heard(true, 100), undefined, 'before the connection stands')
  t.equal(host.connected('a'), 'online')
  t.equal(heard(false, 99), undefined)
  t.equal(host.online, true)
  t.equal(heard(false, 100), 'offline', 'its own will')
  t.equal(heard(true, 200), 'online')
  host.disconnected()
  t.equal(host.online, false)
  t.equal(host.connected('b'), undefined)
  t.equal(heard(true, 50), 'online', 'another broker has times of its own')
  host.disconnected()
  host.connected('a')
  t.equal(heard(true, 150), undefined)
  t.equal(host.online, false)
})

t.test('what is no state is not believed', async t => {
  const random = seeded(t)
  const host = new PrimaryHost('scada')
  host.connected('a')
  const wrong = [
    state('true', 1),
    state(true, -1),
    state(true, 1.5),
    state(true, '1'),
    state(true, undefined),
    Buffer.from('ONLINE'),
    Buffer.from('null'),
    Buffer.from(`{"online":true,"timestamp":1,"more":"${'x'.repeat(5000)}"}`),
  ]
  for (const payload of wrong) t.equal(host.heard(payload), undefined)
  for (let n = 0; n < 20_000; n++) {
    const bytes = state(true, 5)
    for (let i = 1 + random.below(3); i > 0; i--) bytes[random.below(bytes.length)] = random.below(256)
    host.heard(bytes)
  }
  t.pass('nothing was thrown')
})

t.test('who waits for the primary host is told when it comes, or that it does not', async t => {
  const host = new PrimaryHost('scada')
  host.connected('a')
  t.equal(await host.ready(1, never), false)
  const waits = host.ready(60_000, never)
  host.heard(state(true, 1))
  t.equal(await waits, true)
  host.disconnected()
  const stop = new AbortController()
  const stopped = host.ready(60_000, stop.signal)
  stop.abort()
  t.equal(await stopped, false)
  t.equal(await new PrimaryHost(undefined).ready(60_000, never), true)
})

t.test('the same series is the same metric, whichever object it comes as', async t => {
  const all = catalogue()
  const one = all.ofSeries(gauge('speed', { source: 'p', a: 1, b: 2 }), 1, 0)
  t.equal(all.ofSeries(gauge('speed', { b: 2, a: 1, source: 'p' }), 1, 0), one)
  t.not(all.ofSeries(gauge('speed', { source: 'p', a: 1 }), 1, 0), one)
  t.match(one, { name: 'speed/a=1/b=2', owner: { device: 'p' }, target: { source: 'p', name: 'speed' } })
  t.equal(
    all.ofSeries(gauge('load', { source: 'p', site: 'south' }), 1, 0)!.name,
    'load',
    'what is omitted does not show',
  )
  t.equal(all.ofSeries(gauge('load', { source: 'p', site: 'north' }), 1, 0)!.name, 'load/2', 'and yet tells them apart')
})

t.test('names that hosts could take for one another are told apart', async t => {
  const all = catalogue()
  const names = [gauge('a.b'), gauge('a/b'), gauge('A.B'), gauge('a.b', {}, 's')].map(s => all.ofSeries(s, 1, 0)!.name)
  t.strictSame(names, ['a/b', 'a/b/2', 'A/B/3', 'a/b/4'])
  const devices = ['x/y', 'x+y', 'X_y'].map(source => all.ofSeries(gauge('n', { source }), 1, 0)!.owner.device)
  t.strictSame(devices, ['x_y', 'x_y_2', 'X_y_3'])
})

t.test('what the daemon tells of itself is the node’s own, and tells of a source that it lives', async t => {
  const all = catalogue()
  const speed = all.ofSeries(gauge('speed', { source: 'p' }), 1, 0)!
  const pulse = all.ofSeries(gauge('fieldline.source.success', { source: 'p' }), 1, 0)!
  t.match(pulse, { owner: { device: undefined }, isPulse: true, target: undefined })
  t.equal(pulse.life, speed.life)
})

t.test('metrics that were not heard for an hour make room for others', async t => {
  const all = catalogue(3)
  const take = (name: string, now: number, source = 'p') => {
    const tag = all.ofSeries(gauge(name, { source }), 1, now)
    if (tag !== undefined) tag.heard = now
    return tag
  }
  const first = take('a', 0, 'gone')!
  t.ok(take('b', hour))
  t.ok(take('c', hour))
  t.equal(take('d', hour), undefined, 'all were heard within the hour')
  first.owner.isChanged = false
  t.ok(take('e', hour + 1))
  t.equal(first.isGone, true)
  t.strictSame(
    [...all.devices].map(d => d.device),
    ['p'],
    'and so did its device',
  )
  t.equal(all.find('p', undefined, first.alias), undefined)
})

t.test('each mistake of a configuration is told', async t => {
  const mistakes = (more: Readonly<Record<string, unknown>>): string[] => {
    const place = new Place()
    sparkplugOptions.read({ brokers: ['mqtt://broker.example'], ...more }, place)
    return place.problems.map(({ path, message }) => `${path.join('.')}: ${message}`)
  }
  t.strictSame(mistakes({ group: 'plant south', edge_node: 'gate 1', primary_host: 'scada' }), [])
  for (const bad of ['a/b', 'a+b', '#', '', 'STATE', 'a\u0007', 'x'.repeat(129), '\ud800'])
    t.match(mistakes({ group: bad }), [/^group: expected a Sparkplug name/], JSON.stringify(bad))
  t.match(mistakes({ edge_node: 'a/b' }), [/^edge_node: /])
  t.match(mistakes({ primary_host: '+' }), [/^primary_host: /])
  t.match(mistakes({ device: '{line}/{source}' }), [/^device: a device is called without/])
  t.match(mistakes({ device: '{line' }), [/^device: attributes stand in it as \{name\}/])
  t.match(mistakes({ primaryhost: 'x' }), [/unknown key primaryhost; did you mean primary_host\?/])
  t.match(mistakes({ password: 'x' }), [/a secret does not belong in this file; write password_file/])
  t.match(mistakes({ cert: '/c.pem' }), [/cert and key belong together/])
  t.match(mistakes({ rebirth_pause: 0 }), [/^rebirth_pause: expected a duration/])
})
