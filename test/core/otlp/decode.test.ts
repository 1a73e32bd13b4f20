import t from 'tap'
import type { Attributes, Sample, Series } from '../../../core/model.ts'
import { metricsEncoder } from '../../../core/otlp/encode.ts'
import { ProtoWriter } from '../../../core/protobuf.ts'
import { type Random, seeded } from '../../random.ts'
import { randomAttributes, randomSamples, randomTime } from './cases.ts'
import { Listener } from './heard.ts'
import { metricsRequest, toKeyValues } from './official.ts'

const time = 1_790_000_000_000
const nanos = '1790000000000000000'
const series: Series = { name: 'm', unit: 's', kind: 'gauge', attributes: { a: 1 } }

function byText(samples: readonly object[]): string[] {
  return samples.map(s => JSON.stringify(s)).sort()
}

t.test('what the encoder writes comes back, also from a decoder that has forgotten or is too small', async t => {
  const random = seeded(t)
  const listeners = [new Listener(), new Listener(3)]
  for (let round = 0; round < 200; round++) {
    const resource = randomAttributes(random)
    const encode = metricsEncoder(resource)
    const samples = randomSamples(random)
    const wanted = byText(samples.map(s => ({ resource, ...s })))
    for (const listener of listeners) {
      if (random.below(5) === 0) listener.decoder.forget()
      t.strictSame(byText(listener.decode(encode(samples))), wanted)
      t.strictSame(byText(listener.decode(encode(samples))), wanted)
    }
  }
})

/** A request as another sender might write it: several resources and scopes, and everything optional now and then. */
function foreign(random: Random, resources: readonly (readonly [Attributes, readonly Sample[]])[]): Uint8Array {
  const maybe = <T extends object>(fields: T): Partial<T> => (random.below(2) === 0 ? fields : {})
  const point = ({ series, time, value }: Sample) => ({
    attributes: toKeyValues(series.attributes),
    time_unix_nano: String(BigInt(time) * 1_000_000n),
    ...(Number.isSafeInteger(value) && random.below(2) === 0 ? { as_int: value } : { as_double: value }),
    ...maybe({ start_time_unix_nano: nanos }),
    ...maybe({ exemplars: [{ as_double: 1, time_unix_nano: nanos, span_id: Buffer.alloc(8, 1) }] }),
    ...maybe({ flags: 2 }),
  })
  const metric = (sample: Sample) => {
    const data_points = [point(sample)]
    const data =
      sample.series.kind === 'counter'
        ? { sum: { data_points, aggregation_temporality: 2, is_monotonic: true } }
        : random.pick([
            { gauge: { data_points } },
            { sum: { data_points, aggregation_temporality: 1, is_monotonic: true } },
            { sum: { data_points, aggregation_temporality: 2 } },
          ])
    const { name, unit } = sample.series
    return {
      name,
      unit,
      ...data,
      ...maybe({ description: 'what it is' }),
      ...maybe({ metadata: toKeyValues({ x: 1 }) }),
    }
  }
  return metricsRequest.encode({
    resource_metrics: resources.map(([resource, samples]) => ({
      resource: { attributes: toKeyValues(resource), ...maybe({ dropped_attributes_count: 3 }) },
      scope_metrics: samples.map(s => ({ metrics: [metric(s)], ...maybe({ scope: { name: 'x', version: '1' } }) })),
      ...maybe({ schema_url: 'https://opentelemetry.io/schemas/1.40.0' }),
    })),
  })
}

t.test('what protobufjs writes with the official schema is read', async t => {
  const random = seeded(t)
  const listener = new Listener()
  for (let round = 0; round < 300; round++) {
    const resources = Array.from({ length: random.below(4) }, () => {
      return [randomAttributes(random), randomSamples(random)] as const
    })
    const wanted = resources.flatMap(([resource, samples]) => samples.map(s => ({ resource, ...s })))
    t.strictSame(byText(listener.decode(foreign(random, resources))), byText(wanted))
  }
})

t.test('a known series is not asked for again, whatever the order of the points', async t => {
  const random = seeded(t)
  const listener = new Listener()
  const encode = metricsEncoder({})
  const samples = Array.from({ length: 200 }, (_, n) => {
    return { series: { ...series, name: `m${n % 7}`, attributes: { n } }, time: randomTime(random), value: n }
  })
  for (let round = 0; round < 10; round++) {
    samples.sort(() => random() - 0.5)
    t.strictSame(byText(listener.decode(encode(samples))), byText(samples.map(s => ({ resource: {}, ...s }))))
  }
  t.equal(listener.asked, 200)
  listener.decoder.forget()
  listener.decode(encode(samples))
  t.equal(listener.asked, 400)
})

t.test('a decoder remembers no more series than it may', async t => {
  const listener = new Listener(10)
  const one = (n: number) => metricsEncoder({})([{ series: { ...series, attributes: { n } }, time, value: 1 }])
  for (let n = 0; n < 1000; n++) listener.decode(one(n))
  listener.decode(one(0))
  t.equal(listener.asked, 1001)
})

t.test('points of a refused series are counted and not delivered', async t => {
  const listener = new Listener()
  listener.takes = series => series.name !== 'bad'
  const bad = { ...series, name: 'bad' }
  const samples = [series, bad, bad].map(series => ({ series, time, value: 1 }))
  t.equal(listener.decode(metricsEncoder({})(samples)).length, 1)
  t.equal(listener.decode(metricsEncoder({})(samples)).length, 1)
  t.equal(listener.decoder.refused, 4)
  t.equal(listener.asked, 2)
})

t.test('a summary counts what decode would deliver and finds the first and last time', async t => {
  const listener = new Listener()
  const samples = [5, 3, 9].map(ms => ({ series, time: time + ms, value: 1 }))
  const bytes = metricsEncoder({})(samples)
  t.strictSame(listener.decoder.summary(bytes), { samples: 3, firstTime: time + 3, lastTime: time + 9 })
  t.strictSame(listener.decoder.summary(new Uint8Array(0)), { samples: 0, firstTime: 0, lastTime: 0 })
  t.equal(listener.asked, 0)
})

/** One request with one metric. */
function request(metric: object): Uint8Array {
  return metricsRequest.encode({
    resource_metrics: [{ scope_metrics: [{ metrics: [{ name: 'm', unit: 's', ...metric }] }] }],
  })
}

/** `name attributes kind unit = value` of everything heard. */
function lines(bytes: Uint8Array): string[] {
  return new Listener().decode(bytes).map(({ series, value }) => {
    return `${series.name} ${JSON.stringify(series.attributes)} ${series.kind} ${series.unit} = ${value}`
  })
}

const point = { time_unix_nano: nanos, attributes: toKeyValues({ a: 'x' }) }

t.test('a histogram becomes count, sum and cumulative buckets', async t => {
  const full = { ...point, count: 6, sum: 12.5, bucket_counts: [1, 2, 3], explicit_bounds: [0.5, 10], min: 0, max: 11 }
  const bare = { ...point, count: 2 }
  const data_points = [full, bare]
  t.strictSame(lines(request({ histogram: { data_points, aggregation_temporality: 2 } })), [
    'm.count {"a":"x"} counter 1 = 6',
    'm.sum {"a":"x"} counter s = 12.5',
    'm.bucket {"a":"x","le":"0.5"} counter 1 = 1',
    'm.bucket {"a":"x","le":"10"} counter 1 = 3',
    'm.bucket {"a":"x","le":"+Inf"} counter 1 = 6',
    'm.count {"a":"x"} counter 1 = 2',
  ])
  t.match(lines(request({ histogram: { data_points: [bare], aggregation_temporality: 1 } })), [/gauge 1 = 2/])
})

t.test('the buckets of a known histogram are known, and other bounds are other series', async t => {
  const listener = new Listener()
  const at = (bound: number) =>
    request({
      histogram: {
        data_points: [{ ...point, bucket_counts: [1, 1], explicit_bounds: [bound] }],
        aggregation_temporality: 2,
      },
    })
  for (const bytes of [at(1), at(1), at(2), at(1)]) listener.decode(bytes)
  t.equal(listener.asked, 4)
  const endless = new Listener()
  for (let n = 0; n < 3000; n++) t.equal(endless.decode(at(n)).length, 3)
  const asked = endless.asked
  endless.decode(at(0))
  t.equal(endless.asked, asked + 1, 'the oldest are not kept')
})

t.test('an exponential histogram becomes count and sum, a summary also its quantiles', async t => {
  const exponential = {
    data_points: [{ ...point, count: 3, sum: 4, scale: 2, zero_count: 1 }],
    aggregation_temporality: 2,
  }
  t.strictSame(lines(request({ exponential_histogram: exponential })), [
    'm.count {"a":"x"} counter 1 = 3',
    'm.sum {"a":"x"} counter s = 4',
  ])
  const quantile_values = [
    { quantile: 0.5, value: 1.5 },
    { quantile: 1, value: 9 },
    { quantile: 0.9, value: Number.NaN },
  ]
  t.strictSame(lines(request({ summary: { data_points: [{ ...point, count: 3, sum: 4, quantile_values }] } })), [
    'm.count {"a":"x"} counter 1 = 3',
    'm.sum {"a":"x"} counter s = 4',
    'm {"a":"x","quantile":"0.5"} gauge s = 1.5',
    'm {"a":"x","quantile":"1"} gauge s = 9',
  ])
})

t.test('a summary that does not write its sum has the sum 0', async t => {
  t.strictSame(lines(request({ summary: { data_points: [{ ...point, count: 3 }] } })), [
    'm.count {"a":"x"} counter 1 = 3',
    'm.sum {"a":"x"} counter s = 0',
  ])
})

t.test('points without a finite value or marked as having none are left out', async t => {
  const none = [{ as_double: Number.NaN }, { as_double: Number.POSITIVE_INFINITY }, {}, { as_double: 1, flags: 1 }]
  const data_points = [...none, { as_int: -7 }].map(p => ({ ...point, ...p }))
  t.strictSame(lines(request({ gauge: { data_points } })), ['m {"a":"x"} gauge s = -7'])
  const marked = [{ ...point, count: 3, flags: 1 }]
  t.strictSame(lines(request({ histogram: { data_points: marked } })), [])
  t.strictSame(lines(request({ summary: { data_points: marked } })), [])
  t.strictSame(lines(request({})), [])
})

t.test('times are whole milliseconds, rounded down', async t => {
  const data_points = [{ ...point, time_unix_nano: '1790000000000999999', as_double: 1 }]
  t.equal(new Listener().decode(request({ gauge: { data_points } }))[0]!.time, time)
})

t.test('nested, large and odd attribute values become text', async t => {
  const attributes = [
    { key: 'big', value: { int_value: '9007199254740993' } },
    { key: 'nan', value: { double_value: Number.NaN } },
    { key: 'bytes', value: { bytes_value: Buffer.from('hello') } },
    { key: 'list', value: { array_value: { values: [{ int_value: 1 }, { string_value: 'b' }] } } },
    { key: 'map', value: { kvlist_value: { values: [{ key: '__proto__', value: { bool_value: true } }] } } },
    { key: 'none' },
  ]
  const [heard] = new Listener().decode(request({ gauge: { data_points: [{ attributes, as_double: 1 }] } }))
  t.strictSame(heard!.series.attributes, {
    big: '9007199254740993',
    nan: 'NaN',
    bytes: 'aGVsbG8=',
    list: '[1,"b"]',
    map: '{"__proto__":true}',
    none: '',
  })
})

/** Writes a message inside the message at hand. */
function inside(out: ProtoWriter, field: number, write: () => void): void {
  const start = out.open(field)
  write()
  out.close(start)
}

function attribute(out: ProtoWriter, field: number, key: string, value: string): void {
  inside(out, field, () => {
    out.string(1, key)
    inside(out, 2, () => out.string(1, value))
  })
}

t.test('fields in any order, attributes scattered between them, mean the same', async t => {
  const out = new ProtoWriter(64)
  inside(out, 1, () => {
    inside(out, 2, () =>
      inside(out, 2, () => {
        inside(out, 7, () => {
          out.uint(3, 1)
          inside(out, 1, () => {
            attribute(out, 7, 'a', 'x')
            out.double(4, 5)
            attribute(out, 7, 'b', 'y')
            out.fixed64(3, BigInt(nanos))
            attribute(out, 7, 'c', 'z')
          })
          out.uint(2, 2)
        })
        out.string(3, 's')
        inside(out, 12, () => out.string(1, 'metadata'))
        out.string(1, 'm')
      }),
    )
    inside(out, 1, () => attribute(out, 1, 'host.name', 'web-1'))
    out.string(3, 'schema')
    inside(out, 1, () => attribute(out, 1, 'os', 'linux'))
  })
  const wanted = {
    resource: { 'host.name': 'web-1', os: 'linux' },
    series: { name: 'm', unit: 's', kind: 'counter', attributes: { a: 'x', b: 'y', c: 'z' } },
    time,
    value: 5,
  }
  const listener = new Listener()
  t.strictSame(listener.decode(out.finish()), [wanted])
  t.strictSame(listener.decode(out.finish()), [wanted])
  t.equal(listener.asked, 1)
})
