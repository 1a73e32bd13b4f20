// Bytes that are not what they say: nothing but RangeError is thrown, nothing hangs, nothing is delivered by halves.

import t from 'tap'
import type { Sample } from '../../../core/model.ts'
import { decodeLogs } from '../../../core/otlp/decode.ts'
import { encodeLogs, metricsEncoder } from '../../../core/otlp/encode.ts'
import { ProtoWriter } from '../../../core/protobuf.ts'
import { type Random, seeded } from '../../random.ts'
import { randomEvent, randomSamples } from './cases.ts'
import { Listener } from './heard.ts'
import { metricsRequest, toKeyValues } from './official.ts'

const attributes = toKeyValues({ a: 'x', b: [1, { c: true }] })
const time_unix_nano = '1790000000000000000'
const point = { attributes, time_unix_nano }

/** A request with every kind of metric in it. */
const everything = metricsRequest.encode({
  resource_metrics: [
    {
      resource: { attributes: toKeyValues({ 'host.name': 'web-1' }) },
      scope_metrics: [
        {
          metrics: [
            {
              name: 'g',
              unit: 's',
              gauge: {
                data_points: [
                  { ...point, as_double: 1 },
                  { ...point, as_int: 2 },
                ],
              },
            },
            {
              name: 's',
              sum: { data_points: [{ ...point, as_int: 2 }], aggregation_temporality: 2, is_monotonic: true },
            },
            {
              name: 'h',
              histogram: { data_points: [{ ...point, count: 3, sum: 4, bucket_counts: [1, 2], explicit_bounds: [5] }] },
            },
            { name: 'e', exponential_histogram: { data_points: [{ ...point, count: 3, sum: 4 }] } },
            {
              name: 'q',
              summary: { data_points: [{ ...point, count: 3, quantile_values: [{ quantile: 0.5, value: 1 }] }] },
            },
          ],
        },
      ],
    },
  ],
})

/** Decodes; true if it was read. Anything but RangeError passes through. */
function reads(decode: () => unknown): boolean {
  try {
    decode()
    return true
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

t.test('a request cut off at any byte is refused and delivers nothing', async t => {
  const listener = new Listener()
  const whole = listener.decode(everything).length
  t.equal(whole, 12)
  for (let n = 1; n < everything.length; n++) {
    listener.heard = []
    t.throws(() => listener.decoder.decode(everything.subarray(0, n)), RangeError, `${n} bytes`)
    t.equal(listener.heard.length, 0)
  }
  t.equal(listener.decode(everything).length, whole)
})

t.test('logs cut off at any byte are refused', async t => {
  const random = seeded(t)
  const bytes = encodeLogs({ 'host.name': 'web-1' }, [randomEvent(random), randomEvent(random)])
  for (let n = 1; n < bytes.length; n++) t.throws(() => decodeLogs(bytes.subarray(0, n)), RangeError, `${n} bytes`)
})

/** One to three bytes changed, dropped, doubled or cut off. */
function damage(random: Random, bytes: Uint8Array): Uint8Array {
  let damaged = Uint8Array.from(bytes)
  for (let n = random.below(3); n >= 0; n--) {
    const at = random.below(damaged.length)
    const kind = random.below(5)
    if (kind === 0) damaged = damaged.slice(0, at + 1)
    else if (kind === 1) damaged = Buffer.concat([damaged.subarray(0, at), damaged.subarray(at + 1)])
    else if (kind === 2) damaged = Buffer.concat([damaged.subarray(0, at), damaged.subarray(random.below(at + 1))])
    else damaged[at] = kind === 3 ? random.below(256) : damaged[at]! ^ (1 << random.below(8))
    if (damaged.length === 0) return damaged
  }
  return damaged
}

t.test('damaged metrics are read or refused, and whole ones after them are read as ever', async t => {
  const random = seeded(t)
  const listener = new Listener(200)
  let refused = 0
  for (let round = 0; round < 3000; round++) {
    const bytes = random.below(2) === 0 ? everything : metricsEncoder({ a: 1 })(randomSamples(random))
    const damaged = damage(random, bytes)
    listener.heard = []
    if (!reads(() => listener.decoder.decode(damaged))) {
      refused++
      if (listener.heard.length > 0) t.fail('delivered by halves')
    }
    for (const { time, value } of listener.heard)
      if (!Number.isFinite(value) || !Number.isSafeInteger(time)) t.fail(`delivered ${value} at ${time}`)
  }
  t.ok(refused > 600 && refused < 3000, `${refused} of 3000 refused`)
  t.equal(listener.decode(everything).length, 12)
})

t.test('damaged logs are read or refused', async t => {
  const random = seeded(t)
  for (let round = 0; round < 5000; round++) {
    const events = Array.from({ length: 1 + random.below(3) }, () => randomEvent(random))
    const damaged = damage(random, encodeLogs({ a: 1 }, events))
    reads(() => decodeLogs(damaged))
  }
  t.pass('only RangeError was thrown')
})

t.test('random bytes are read or refused', async t => {
  const random = seeded(t)
  const listener = new Listener(50)
  for (let round = 0; round < 5000; round++) {
    const bytes = Uint8Array.from({ length: random.below(60) }, () =>
      random.pick([10, 18, 2, 3, 58, random.below(256)]),
    )
    reads(() => listener.decoder.decode(bytes))
    reads(() => decodeLogs(bytes))
  }
  t.pass('only RangeError was thrown')
})

const series = { name: 'm', unit: '', kind: 'gauge', attributes: {} } as const

t.test('a request with too many samples, series, buckets or quantiles is refused', async t => {
  const listener = new Listener()
  const one: Sample = { series, time: 1, value: 1 }
  const samples = metricsEncoder({})(Array.from({ length: 2 ** 20 + 1 }, () => one))
  t.throws(() => listener.decoder.decode(samples), { message: /1048576 samples/ })
  const strangers = Array.from({ length: 200_001 }, (_, n) => ({ ...one, series: { ...series, attributes: { n } } }))
  t.throws(() => listener.decoder.decode(metricsEncoder({})(strangers)), { message: /200000 new series/ })
  const many = Array.from({ length: 1001 }, (_, n) => n)
  const histogram = { data_points: [{ bucket_counts: many, explicit_bounds: many.slice(1) }] }
  const summary = { data_points: [{ quantile_values: many.map(quantile => ({ quantile })) }] }
  for (const metric of [{ histogram }, { summary }]) {
    const bytes = metricsRequest.encode({
      resource_metrics: [{ scope_metrics: [{ metrics: [{ name: 'm', ...metric }] }] }],
    })
    t.throws(() => listener.decoder.decode(bytes), { message: /more than 1000/ })
  }
  t.equal(listener.heard.length, 0)
})

t.test('buckets that do not fit their bounds, and a metric without a name, are refused', async t => {
  const histogram = { data_points: [{ bucket_counts: [1, 2], explicit_bounds: [1, 2] }] }
  for (const metric of [
    { name: 'm', histogram },
    { name: '', gauge: { data_points: [{ as_int: 1 }] } },
  ]) {
    const bytes = metricsRequest.encode({ resource_metrics: [{ scope_metrics: [{ metrics: [metric] }] }] })
    t.throws(() => new Listener().decode(bytes), RangeError)
  }
})

t.test('attributes in a hundred thousand pieces take no more time than in one', async t => {
  const out = new ProtoWriter(1024)
  const opened = [1, 2, 2].map(field => out.open(field))
  out.string(1, 'm')
  opened.push(out.open(5), out.open(1))
  for (let n = 0; n < 100_000; n++) {
    out.bytes(7, Buffer.from(`\x0a\x08${String(n).padStart(8, '0')}`))
    out.uint(8, 0)
  }
  out.double(4, 1)
  for (const start of opened.reverse()) out.close(start)
  const [heard] = new Listener().decode(out.finish())
  t.equal(Object.keys(heard!.series.attributes).length, 100_000)
})
