import t from 'tap'
import { mqttTopicsOptions } from '../../../agent/mqtt-topics/options.ts'
import { Tree } from '../../../agent/mqtt-topics/tree.ts'
import type { Attributes, Event, Sample } from '../../../core/model.ts'
import { Place } from '../../../core/shape.ts'
import { seeded } from '../../random.ts'
import { gauge } from '../uplinks/made.ts'

const resource = { 'host.name': 'gate-1', site: 'south' }
const oil = gauge('oil.temperature', { source: 'press-3' }, 'Cel')
const pulse = gauge('fieldline.source.success', { source: 'press-3' })

function tree(more: Readonly<Record<string, unknown>> = {}): Tree {
  const place = new Place()
  const options = mqttTopicsOptions.read({ brokers: ['mqtt://broker.example'], ...more }, place)
  if (place.problems.length > 0) throw new Error(place.problems[0]!.message)
  return new Tree(options)
}

interface Shown {
  readonly topic: string
  readonly retain: boolean
  readonly said: unknown
}

function tell(of: Tree, samples: readonly Sample[], events: readonly Event[] = []): Shown[] {
  const messages = of.tell([{ resource, samples, events }])
  return messages.map(({ topic, payload, retain }) => ({ topic, retain, said: JSON.parse(String(payload)) }))
}

t.test('a value stands on a topic of its own, with time, unit and quality', async t => {
  t.strictSame(tell(tree(), [{ series: oil, time: 1000, value: 41.5 }]), [
    {
      topic: 'fieldline/gate-1/press-3/oil.temperature',
      retain: true,
      said: { time: 1000, value: 41.5, unit: 'Cel', quality: 'good' },
    },
  ])
})

t.test('topics follow the template; what it does not use tells series apart, unless it is omitted', async t => {
  const topicOf = (options: Readonly<Record<string, unknown>>, attributes: Attributes): string =>
    tell(tree(options), [{ series: gauge('speed', attributes), time: 1, value: 1 }])[0]!.topic
  const attributes = { source: 'press-3', line: 'A', cell: 7 }
  t.equal(topicOf({}, attributes), 'fieldline/gate-1/press-3/speed/cell=7/line=A')
  t.equal(topicOf({ topic: '{site}/line-{line}/{cell}/{name}', omit: ['source'] }, attributes), 'south/line-A/7/speed')
  t.equal(topicOf({}, {}), 'fieldline/gate-1/speed', 'a level without its attribute is left out')
  t.equal(topicOf({}, { source: 'a/b+c#d\u0000' }), 'fieldline/gate-1/a_b_c_d_/speed')
  t.equal(topicOf({ topic: '{source}/{name}' }, { source: '$SYS' }), '_SYS/speed')
})

t.test('an event is told with all it says, and not retained', async t => {
  const event = {
    name: 'plc.alarm',
    time: 5,
    severity: 'error',
    body: { n: 1 },
    attributes: { source: 'press-3' },
  } as const
  t.strictSame(tell(tree(), [], [event]), [
    { topic: 'fieldline/gate-1/press-3/events/plc.alarm', retain: false, said: { ...event } },
  ])
})

t.test('what is retained on a topic is never older than what was, and everything is told', async t => {
  const random = seeded(t)
  const made = tree()
  const retained = new Map<string, number>()
  const sent = new Map<string, number[]>()
  const heard = new Map<string, number[]>()
  for (let n = 0; n < 200; n++) {
    const samples = Array.from({ length: random.below(20) }, () => {
      const series = gauge('speed', { source: `p${random.below(3)}` })
      const time = 1 + random.below(1000)
      const topic = `fieldline/gate-1/${series.attributes.source}/speed`
      sent.set(topic, [...(sent.get(topic) ?? []), time])
      return { series, time, value: time }
    })
    for (const { topic, retain, said } of tell(made, samples)) {
      const { time } = said as { time: number }
      heard.set(topic, [...(heard.get(topic) ?? []), time])
      if (!retain) continue
      t.ok(time >= (retained.get(topic) ?? 0))
      retained.set(topic, time)
    }
  }
  for (const [topic, times] of sent) {
    t.strictSame(heard.get(topic)!.toSorted(), times.toSorted(), 'all were told')
    t.equal(retained.get(topic), Math.max(...times), 'the newest is what stays')
  }
})

t.test('when a source fails its last values are bad, until there are new ones', async t => {
  const made = tree()
  tell(made, [
    { series: oil, time: 1000, value: 41.5 },
    { series: pulse, time: 1000, value: 1 },
  ])
  const failed = tell(made, [{ series: pulse, time: 2000, value: 0 }])
  t.strictSame(failed.at(-1), {
    topic: 'fieldline/gate-1/press-3/oil.temperature',
    retain: true,
    said: { time: 2000, value: null, unit: 'Cel', quality: 'bad' },
  })
  t.equal(tell(made, [{ series: pulse, time: 3000, value: 0 }]).length, 1, 'said once')
  const back = tell(made, [
    { series: oil, time: 4000, value: 40 },
    { series: pulse, time: 4000, value: 1 },
  ])
  t.match(back[0], { retain: true, said: { value: 40, quality: 'good' } })
  t.equal(tell(made, [{ series: pulse, time: 5000, value: 0 }]).length, 2)
})

t.test('a template that makes no topic is told as a mistake', async t => {
  const mistakes = (more: Readonly<Record<string, unknown>>): string[] => {
    const place = new Place()
    mqttTopicsOptions.read({ brokers: ['mqtt://broker.example'], ...more }, place)
    return place.problems.map(({ path, message }) => `${path.join('.')}: ${message}`)
  }
  t.match(mistakes({ topic: 'plant/{site}' }), [/^topic: expected \{name\}/])
  t.match(mistakes({ topic: 'plant/+/{name}' }), [/^topic: a topic has no \+/])
  t.match(mistakes({ topic: '$SYS/{name}' }), [/^topic: what begins with \$/])
  t.match(mistakes({ events_topic: 'a/{na me}/{name}' }), [/^events_topic: attributes stand in it/])
  t.match(mistakes({ topics: 'a' }), [/^topics: unknown key topics; did you mean topic\?/])
  t.match(mistakes({ brokers: [] }), [/name at least one broker/])
})
