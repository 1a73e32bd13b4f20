import t from 'tap'
import { memoryKeep } from '../../../agent/keep.ts'
import { rules } from '../../../agent/rules/options.ts'
import { Refused } from '../../../core/errors.ts'
import type { Event } from '../../../core/model.ts'
import { Place } from '../../../core/shape.ts'
import { given, lamp, spo2 } from './given.ts'

const on = 'write lamp.red true'
const off = 'write lamp.red false'

function told(events: readonly Event[]): string[] {
  return events.map(({ name, attributes }) =>
    name === 'fieldline.order.outcome' ? `outcome ${attributes.state}` : name,
  )
}

t.test('a rule raises its alarm and lights its lamp, and takes both back when it is over', async t => {
  const { see, done, events } = given(t, [lamp])
  await see(95)
  t.strictSame(
    [done, told(events)],
    [[off], ['outcome done']],
    'what it can tell first is written; nothing began, so nothing ended',
  )
  await see(85)
  t.strictSame(done, [off, on])
  const alarm = events.find(({ name }) => name === 'ward.alarm')
  t.match(alarm, {
    severity: 'critical',
    body: { rule: 'alarm', holds: true, message: 'SpO2 is low', values: { 'spo2{bed=2}': 85 } },
    attributes: { rule: 'alarm' },
  })
  t.match(events.at(-1), { body: { to: 'lamp', action: 'write', from: 'rule alarm', state: 'done' } })
  await see(84)
  await see(91)
  t.equal(done.length, 2, 'it goes on')
  await see(93)
  t.strictSame(done, [off, on, off])
  t.match(told(events).slice(-2), ['ward.alarm.end', 'outcome done'])
})

t.test('after a restart what it says is written anew, and only changes are told', async t => {
  const keep = memoryKeep()
  const first = given(t, [lamp], { keep })
  await first.see(80)
  const second = given(t, [lamp], { keep })
  await second.pass(1000)
  t.strictSame(second.done, [], 'until it can tell, outputs stay as they are')
  await second.see(80)
  t.strictSame([second.done, told(second.events)], [[on], ['outcome done']])
  const third = given(t, [lamp], { keep })
  await third.see(99)
  t.strictSame([third.done, told(third.events)], [[off], ['ward.alarm.end', 'outcome done']])
})

t.test('start declares what stands at the outputs until the rule can tell', async t => {
  const safe = given(t, [{ ...lamp, start: 'otherwise' }])
  await safe.pass(200)
  t.strictSame([safe.done, told(safe.events)], [[off], ['outcome done']])
  const lit = given(t, [{ ...lamp, start: 'then' }])
  await lit.pass(200)
  t.strictSame([lit.done, told(lit.events)], [[on], ['outcome done']])
})

t.test('a lamp that does not answer is told once, tried until it does, and delays no alarm', async t => {
  let dead = true
  const { see, pass, done, events } = given(t, [lamp], {
    act: async () => {
      if (dead) throw new Error('no answer')
      return null
    },
  })
  await see(85)
  t.strictSame(told(events), ['ward.alarm', 'outcome unknown'])
  await pass(10_000)
  const tries = done.length
  t.ok(tries >= 3 && tries < 15, `${tries} tries in 10 s`)
  t.equal(events.length, 2)
  dead = false
  await pass(60_000)
  t.strictSame(told(events), ['ward.alarm', 'outcome unknown', 'outcome done'])
  t.equal(done.length, tries + 1)
})

t.test('a lamp that hangs does not hold the next alarm back, and is then set to what holds', async t => {
  let hang: (() => void) | undefined
  const { see, done, events } = given(t, [lamp], {
    act: () =>
      new Promise(resolve => {
        hang = () => resolve(null)
      }),
  })
  await see(95)
  await see(85)
  t.ok(told(events).includes('ward.alarm'))
  t.strictSame(done, [off], 'one write at a time at one device')
  hang!()
  await see(85)
  t.strictSame(done, [off, on])
})

t.test('what the device forbids is not tried again', async t => {
  const { see, pass, done, events } = given(t, [lamp], { act: async () => Promise.reject(new Refused('above max')) })
  await see(85)
  await pass(60_000)
  t.strictSame([done, told(events)], [[on], ['ward.alarm', 'outcome refused']])
})

t.test('a rule that flaps stands still in its alarm when its budget is spent, until that allows more', async t => {
  const keep = memoryKeep()
  const flapping = { ...lamp, budget: '4/1m' }
  const { see, pass, done, events } = given(t, [flapping], { keep })
  for (let n = 0; n < 10; n++) await see(n % 2 === 0 ? 85 : 95)
  t.strictSame(done, [on, off, on])
  t.equal(told(events).filter(name => name === 'fieldline.rule.spent').length, 1)
  const again = given(t, [flapping], { keep })
  await again.see(95)
  t.strictSame(again.done, [], 'a restart is no fresh budget')
  await pass(59_000)
  t.equal(done.length, 3)
  await pass(1500)
  t.strictSame(done, [on, off, on, off], 'and then follows what holds')
})

t.test('publish goes to the uplink, by default as JSON, and is tried again while it holds', async t => {
  let failing = 1
  const then = [{ publish: { uplink: 'plant', topic: 'ward/alarm', retain: true } }]
  const otherwise = [{ publish: { uplink: 'plant', topic: 'ward/alarm', payload: 'over' } }]
  const { see, pass, done } = given(t, [{ ...lamp, then, otherwise }], {
    publish: async () => {
      if (failing-- > 0) throw new Error('no broker')
    },
  })
  await see(80)
  await pass(2000)
  await see(95)
  const values = '{"spo2{bed=2}":80}'
  const message = (time: number) =>
    `publish plant ward/alarm {"rule":"alarm","holds":true,"time":${1_790_000_000_000 + time},"values":${values}} true`
  t.equal(done.length, 3)
  t.equal(done[0], message(0))
  t.match(done[1], /^publish plant ward\/alarm .*"holds":true.* true$/)
  t.equal(done[2], 'publish plant ward/alarm over false')
})

t.test('a method is called once, whatever became of it', async t => {
  const then = [{ call: { source: 'press', method: 'Stop', arguments: [1] } }]
  const { see, pass, done } = given(t, [{ ...lamp, then }], { act: async () => Promise.reject(new Error('?')) })
  await see(80)
  await pass(60_000)
  t.strictSame(done, ['call Stop 1'])
})

t.test('relay copies the newest value, scaled, when it changes and not too often, while the rule holds', async t => {
  const relay = { metric: 'spo2', from: 'monitor', source: 'press', to: 'display', scale: 10, offset: 1, every: '5s' }
  const { see, pass, done, events } = given(t, [{ name: 'copy', then: [{ relay }] }])
  await pass(200)
  for (const value of [90, 91, 92]) await see(value)
  t.strictSame(done, ['write display 901'])
  await pass(5000)
  t.strictSame(done, ['write display 901', 'write display 921'])
  await pass(60_000)
  await see(92)
  t.equal(done.length, 2)
  t.strictSame(told(events), ['outcome done'], 'its outcome is told when it changes')
  const while85 = given(t, [{ name: 'copy', when: { metric: 'spo2', below: 90 }, then: [{ relay }] }])
  for (const value of [95, 85, 95, 86]) {
    await while85.see(value)
    await while85.pass(5000)
  }
  t.strictSame(while85.done, ['write display 851', 'write display 861'])
})

t.test('what a relay was writing when its rule ended is written anew when it begins again', async t => {
  const answers: (() => void)[] = []
  const relay = { metric: 'spo2', source: 'press', to: 'display', every: '1s' }
  const { see, pass, done } = given(t, [{ name: 'copy', when: { metric: 'spo2', below: 90 }, then: [{ relay }] }], {
    act: () => new Promise(resolve => answers.push(() => resolve(null))),
  })
  for (const value of [85, 95, 85]) await see(value)
  t.strictSame(done, ['write display 85'])
  answers[0]!()
  await pass(2000)
  t.strictSame(done, ['write display 85', 'write display 85'])
})

t.test('relay follows a device whose clock is set back', async t => {
  const relay = { metric: 'spo2', from: 'monitor', source: 'press', to: 'display', every: '1s' }
  const { see, pass, done } = given(t, [{ name: 'copy', then: [{ relay }] }])
  await pass(200)
  await see(90)
  for (const value of [91, 92]) {
    await see(value, spo2, -3_600_000)
    await pass(11_000)
  }
  t.strictSame(done, ['write display 90', 'write display 92'])
})

t.test('missing values raise an alarm by themselves', async t => {
  const { see, pass, events } = given(t, [{ ...lamp, when: { metric: 'spo2', silent_for: '10s' } }])
  await pass(9000)
  await see(97)
  await pass(9800)
  t.notOk(told(events).includes('ward.alarm'))
  await pass(300)
  t.ok(told(events).includes('ward.alarm'))
})

t.test('rules see what is durable, and only that', async t => {
  let full = true
  const { see, done } = given(t, [lamp], {
    emit: async () => {
      if (full) throw new Error('spool full')
    },
  })
  await t.rejects(see(80), /spool full/)
  t.strictSame(done, [])
  full = false
  await see(80)
  t.strictSame(done, [on])
  await see(95, { ...spo2, name: 'other' })
  t.strictSame(done, [on])
})

t.test('what is wrong with a rule is said with its name', t => {
  const wrong = (...raw: unknown[]): string[] => {
    const place = new Place()
    rules.read(raw, place)
    return place.problems.map(({ path, message }) => `${path.join('.')}: ${message}`)
  }
  t.match(wrong({ ...lamp, when: { metric: 'spo2' } }), [/^0.when: rule alarm: spo2: a condition needs/])
  t.match(wrong({ ...lamp, then: [{ wirte: {} }] }), [/^0.then.0: rule alarm: expected a map with one of write, call/])
  t.match(wrong({ ...lamp, then: [{ event: { name: 'fieldline.x' } }] }), [
    /^0.then.0.event.name: rule alarm: expected a dotted/,
  ])
  t.match(wrong({ ...lamp, then: [{ publish: { uplink: 'u', topic: 'fieldline/v1/x' } }] }), [/not below fieldline/])
  t.match(wrong({ ...lamp, budget: '1/1h' }), [/^0.budget: rule alarm: expected a budget such as 10\/1h \(at least 2/])
  t.match(wrong({ ...lamp, otherwise: [{ relay: { metric: 'm', source: 's', to: 't' } }] }), [/relay goes on while/])
  t.match(wrong(lamp, lamp), [/^1.name: a second rule with the name alarm/])
  t.end()
})
