import t from 'tap'
import { Opener } from '../../../agent/uplinks/opened.ts'
import type { Event, Series } from '../../../core/model.ts'
import { seeded } from '../../random.ts'
import { gauge, maker } from './made.ts'

const start = Date.UTC(2026, 0, 1)
const resource = { 'host.name': 'gate-1', site: 'south' }
const counter: Series = { name: 'press.strokes', unit: '{stroke}', kind: 'counter', attributes: { source: 'press-3' } }

t.test('samples come back as they were read, with their series and resource', async t => {
  const samples = [
    { series: gauge('press.oil.temperature', { source: 'press-3', line: 'A' }, 'Cel'), time: start, value: 41.5 },
    { series: counter, time: start + 1, value: 12_345 },
  ]
  const opened = new Opener().open(maker(resource).samples(samples))
  t.strictSame(opened, { resource, samples, events: [] })
})

t.test('a series is the same object from one envelope to the next', async t => {
  const opener = new Opener()
  const made = maker()
  const [first, second] = [1, 2].map(value => opener.open(made.samples([{ series: counter, time: start, value }])))
  t.equal(first!.samples[0]!.series, second!.samples[0]!.series)
})

t.test('events come back with body and attributes, and tell the resource', async t => {
  const event: Event = {
    name: 'hl7.alarm',
    time: start,
    severity: 'critical',
    body: { text: 'apnea', list: [1, null] },
    attributes: { source: 'bed-4' },
  }
  t.strictSame(new Opener().open(maker(resource).events([event])), { resource, samples: [], events: [event] })
})

t.test('a histogram comes as the series that a collector makes of it', async t => {
  const value = { count: 3, sum: 4, bounds: [1], counts: [2, 1] }
  const latency: Series = { name: 'latency', unit: 's', kind: 'counter', attributes: {} }
  const { samples } = new Opener().open(maker().samples([], [{ series: latency, time: start, value }]))
  t.strictSame(
    samples.map(s => [s.series.name, s.series.attributes, s.value]),
    [
      ['latency.count', {}, 3],
      ['latency.sum', {}, 4],
      ['latency.bucket', { le: '1' }, 2],
      ['latency.bucket', { le: '+Inf' }, 3],
    ],
  )
})

t.test('what was stored just now is not decompressed again', async t => {
  const envelope = maker().samples([{ series: counter, time: start, value: 1 }])
  const { samples } = new Opener().open(envelope)
  const bytes = await import('node:zlib').then(z => z.zstdDecompressSync(envelope.payload))
  const damaged = { ...envelope, payload: Buffer.from('no zstd') }
  const opener = new Opener({ opened: payload => (payload === damaged.payload ? bytes : undefined) })
  t.strictSame(opener.open(damaged).samples, samples)
})

t.test('damage throws, and harms nothing that follows', async t => {
  const random = seeded(t)
  const opener = new Opener()
  const made = maker()
  for (let n = 0; n < 300; n++) {
    const envelope = made.samples([{ series: counter, time: start + n, value: n }])
    const payload = Buffer.from(envelope.payload)
    payload[random.below(payload.length)]! ^= 1 + random.below(255)
    try {
      opener.open({ ...envelope, payload })
    } catch (error) {
      t.type(error, Error)
    }
    t.equal(opener.open(envelope).samples[0]!.value, n)
  }
})
