import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { memoryKeep } from '../../../agent/keep.ts'
import { readSigned, signOrder } from '../../../agent/orders/signed.ts'
import { openDesk } from '../../../agent/orders.ts'
import { Refused } from '../../../core/errors.ts'
import { topic } from '../../../core/topics.ts'
import { seeded } from '../../random.ts'
import { at, given, now, order, publicKey, signed } from './given.ts'

t.test('a signed order that is allowed is done, and what became of it goes home as an event', async t => {
  const { desk, acts, events } = given(t)
  desk.signed(at, signed(order('a')))
  await desk.idle()
  t.strictSame(acts, [{ to: 'lamp.red', value: true }])
  t.match(events, [
    {
      name: 'fieldline.order.outcome',
      time: now,
      severity: 'info',
      body: { id: 'a', to: 'lamp', action: 'write', from: 'operator', state: 'done', result: { value: true } },
      attributes: { order: 'a', state: 'done' },
    },
  ])
})

t.test('an order that comes again is not done again; while it is valid, its outcome is told again', async t => {
  const clock = { now }
  const first = given(t, { clock })
  for (let n = 0; n < 3; n++) first.desk.signed(at, signed(order('a')))
  await first.desk.idle()
  t.equal(first.acts.length, 1)
  t.equal(first.events.length, 1, 'those that came while it was under way are one')
  const second = given(t, { keep: first.keep, clock })
  second.desk.signed(at, signed(order('a')))
  await second.desk.idle()
  t.equal(second.acts.length, 0, 'not after a restart either')
  t.match(second.events, [{ body: { id: 'a', state: 'done', result: { value: true } } }])
  clock.now += 60_000
  second.desk.signed(at, signed(order('a')))
  await second.desk.idle()
  t.equal(second.events.length, 1)
})

t.test('what is not signed by the key, or for another node, is not taken, and said once in a while', async t => {
  const { desk, acts, events, said } = given(t)
  const { privateKey: foreign } = generateKeyPairSync('ed25519')
  desk.signed(at, signOrder(at, order('a'), foreign))
  desk.signed(at, signed(order('a'), topic({ tenant: 'default', node: 'gateway-2', channel: 'order' })))
  const altered = JSON.parse(signed(order('a')).toString())
  desk.signed(at, Buffer.from(JSON.stringify({ ...altered, order: altered.order.replace('true', 'false') })))
  await desk.idle()
  t.strictSame([acts, events], [[], []])
  t.strictSame(said, ['not taken: an order whose signature is not by our key, or not for this node'])
})

const refusals: readonly { why: RegExp; more: object; allow?: readonly object[] }[] = [
  { why: /allow-list/, more: { to: 'press' } },
  { why: /allow-list/, more: { action: 'call' } },
  {
    why: /allow-list/,
    more: { args: { to: 'lamp.green', value: true } },
    allow: [{ source: 'lamp', action: 'write', to: ['lamp.r*'] }],
  },
  { why: /allow-list/, more: {}, allow: [] },
  { why: /expired/, more: { issued: now - 40_000, expires: now - 10_000 } },
  { why: /ahead of the clock/, more: { issued: now + 600_000, expires: now + 610_000 } },
  { why: /more than a day/, more: { expires: now + 100_000_000 } },
  { why: /began to remember/, more: { issued: now - 1 } },
]
for (const { why, more, ...options } of refusals) {
  t.test(`refused, and told so: ${why.source} ${JSON.stringify(more)}`, async t => {
    const { desk, acts, events } = given(t, options)
    desk.signed(at, signed(order('a', more)))
    await desk.idle()
    t.equal(acts.length, 0)
    t.match(events, [{ severity: 'warning', body: { state: 'refused', reason: why } }])
  })
}

t.test('a refused order stays refused when it comes again', async t => {
  const keep = memoryKeep()
  const strict = given(t, { keep, allow: [] })
  strict.desk.signed(at, signed(order('a')))
  await strict.desk.idle()
  const lax = given(t, { keep })
  lax.desk.signed(at, signed(order('a')))
  await lax.desk.idle()
  t.equal(lax.acts.length, 0)
  t.match(lax.events, [{ body: { state: 'refused' } }])
})

t.test('the budget holds over restarts, and allows more when its time has passed', async t => {
  const clock = { now }
  const options = { allow: [{ source: 'lamp', action: 'write', budget: '2/1m' }], keep: memoryKeep(), clock }
  const states: unknown[] = []
  for (const id of ['a', 'b', 'c']) {
    const { desk, events } = given(t, options)
    desk.signed(at, signed(order(id)))
    await desk.idle()
    states.push(events[0]!.attributes.state)
  }
  clock.now += 60_000
  const { desk } = given(t, options)
  states.push((await desk.order(order('d', { issued: clock.now, expires: clock.now + 1 }))).state)
  desk.signed(at, signed(order('e', { issued: clock.now, expires: clock.now + 1 })))
  await desk.idle()
  t.strictSame(states, ['done', 'done', 'refused', 'refused'], 'the last one had no signature')
})

t.test('a command without signature is taken only where the allow-list says so', async t => {
  const { desk, acts } = given(t, { allow: [{ source: 'lamp', action: 'write', unsigned: true }] })
  t.match(await desk.order(order('a')), { id: 'a', state: 'done', result: { value: true } })
  t.match(await given(t).desk.order(order('a')), { state: 'refused', reason: /allow-list/ })
  t.equal(acts.length, 1)
})

t.test('what the device forbids is refused; anything else leaves it unknown whether it was done', async t => {
  const refusing = given(t, { write: async () => Promise.reject(new Refused('above max 10')) })
  refusing.desk.signed(at, signed(order('a')))
  await refusing.desk.idle()
  t.match(refusing.events, [{ body: { state: 'refused', reason: 'above max 10' } }])
  const broken = given(t, { write: async () => Promise.reject(new Error('no answer')) })
  broken.desk.signed(at, signed(order('a')))
  await broken.desk.idle()
  t.match(broken.events, [{ severity: 'error', body: { state: 'unknown', reason: 'no answer' } }])
})

t.test('an order that cannot be remembered is not begun', async t => {
  const keep = { ...memoryKeep() }
  const { desk, acts, events } = given(t, { keep })
  keep.save = () => {
    throw new Error('disk full')
  }
  desk.signed(at, signed(order('a')))
  await desk.idle()
  t.equal(acts.length, 0)
  t.match(events, [{ body: { state: 'refused', reason: /cannot be remembered: disk full/ } }])
})

t.test('an outcome that the spool does not take is told until it does, and by the next start if need be', async t => {
  let failing = 2
  const { desk, events, said } = given(t, {
    emit: async () => {
      if (failing-- > 0) throw new Error('spool full')
    },
  })
  desk.signed(at, signed(order('a')))
  await desk.idle()
  t.equal(events.length, 1)
  t.equal(said.length, 1, 'said once')
  const keep = memoryKeep()
  const stuck = given(t, { keep, emit: () => new Promise(() => {}) })
  await stuck.desk.order(order('b'))
  const next = given(t, { keep })
  await next.desk.idle()
  t.match(next.events, [{ body: { id: 'b' } }])
})

t.test(
  'an outcome that was told just before a crash is told under the same key; one that is asked for anew has none',
  async t => {
    const saved: string[] = []
    const keep = { ...memoryKeep(), save: (text: string) => void saved.push(text) }
    const first = given(t, { keep })
    first.desk.signed(at, signed(order('a')))
    await first.desk.idle()
    const clock = { now: now + 5000 }
    const second = given(t, { keep: memoryKeep(saved.at(-2)), clock })
    await second.desk.idle()
    t.strictSame([first.keys, second.keys], [[`orders a ${now}`], [`orders a ${now}`]])
    second.desk.signed(at, signed(order('a')))
    await second.desk.idle()
    t.strictSame(second.keys[1], undefined)
  },
)

t.test('a damaged memory lets nothing run that may have run', async t => {
  const { desk, acts, events } = given(t, { keep: memoryKeep('{"since"') })
  desk.signed(at, signed(order('a', { issued: now - 1 })))
  await desk.idle()
  t.equal(acts.length, 0)
  t.match(events, [{ body: { state: 'refused' } }])
})

t.test('a key that is none ends the start, naming the file', t => {
  const file = `${t.testdir({ key: 'no key' })}/key`
  const open = () => openDesk({ config: { key: file, allow: [] } } as never)
  t.throws(open, { name: 'Refused', message: new RegExp(`${file} holds no public Ed25519 key`) })
  t.end()
})

t.test('whatever comes as a message is an order or Refused', t => {
  const random = seeded(t)
  const count = Number(process.env.FIELDLINE_FUZZ ?? 5000)
  const good = signed(order('a'))
  t.equal(readSigned(at, good, publicKey).id, 'a')
  let taken = 0
  for (let n = 0; n < count; n++) {
    const bytes = Buffer.from(good)
    for (let k = random.below(4); k >= 0; k--) bytes[random.below(bytes.length)] = random.below(256)
    const cut = random.below(3) === 0 ? bytes.subarray(0, random.below(bytes.length)) : bytes
    try {
      readSigned(at, cut, publicKey)
      taken++
    } catch (error) {
      if (!(error instanceof Refused)) throw error
    }
  }
  // What JSON and base64 leave open may be changed without changing what was signed.
  t.ok(taken < count / 50, `${taken} of ${count} altered messages still said the same`)
  const deep = signed(order('a', { args: { value: JSON.parse('['.repeat(20) + ']'.repeat(20)) } }))
  t.throws(() => readSigned(at, deep, publicKey), /nested at most 8 deep/)
  t.end()
})
