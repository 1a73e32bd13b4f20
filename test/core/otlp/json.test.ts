import t from 'tap'
import { decodeLogs } from '../../../core/otlp/decode.ts'
import { encodeLogs, metricsEncoder } from '../../../core/otlp/encode.ts'
import { fromJson } from '../../../core/otlp/json.ts'
import { type Random, seeded } from '../../random.ts'
import { randomAttributes, randomEvent, randomSamples } from './cases.ts'
import { Listener } from './heard.ts'
import { logsRequest, type Message, metricsRequest } from './official.ts'

/** The same message as OTLP/JSON writes it; 64-bit integers now as text, now as numbers where they fit. */
function camelCase(random: Random, value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map(item => camelCase(random, item, name))
  if (Buffer.isBuffer(value)) return value.toString('base64')
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  if (typeof value === 'string' && /^(int_value|as_int)$/.test(name) && Number.isSafeInteger(Number(value)))
    return random.below(2) === 0 ? value : Number(value)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value as Message)
  return Object.fromEntries(entries.map(([key, item]) => [camel(key), camelCase(random, item, key)]))
}

function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

function asJson(random: Random, message: object): Buffer {
  return Buffer.from(JSON.stringify(camelCase(random, message)))
}

t.test('metrics as JSON mean the same as in protobuf', async t => {
  const random = seeded(t)
  const listener = new Listener()
  for (let round = 0; round < 200; round++) {
    const bytes = metricsEncoder(randomAttributes(random))(randomSamples(random))
    const json = asJson(random, metricsRequest.decode(bytes))
    const wanted = JSON.stringify(listener.decode(bytes))
    t.strictSame(JSON.stringify(listener.decode(fromJson('metrics', json))), wanted)
  }
})

t.test('logs as JSON mean the same as in protobuf', async t => {
  const random = seeded(t)
  for (let round = 0; round < 200; round++) {
    const bytes = encodeLogs(randomAttributes(random), [randomEvent(random), randomEvent(random)])
    const json = asJson(random, logsRequest.decode(bytes))
    t.strictSame(JSON.stringify(decodeLogs(fromJson('logs', json))), JSON.stringify(decodeLogs(bytes)))
  }
})

t.test('every kind of metric is carried over', async t => {
  const timeUnixNano = '1790000000000000000'
  const attributes = [{ key: 'a', value: { bytesValue: 'aGVsbG8=' } }]
  const metrics = [
    {
      name: 'h',
      histogram: {
        dataPoints: [{ timeUnixNano, attributes, count: '3', sum: 4.5, bucketCounts: ['1', 2], explicitBounds: [5] }],
        aggregationTemporality: 2,
      },
    },
    {
      name: 'e',
      exponentialHistogram: {
        dataPoints: [{ timeUnixNano, attributes, count: 3, sum: '2.5', scale: 1 }],
        aggregationTemporality: 2,
      },
    },
    {
      name: 's',
      summary: {
        dataPoints: [
          {
            timeUnixNano,
            attributes,
            count: 3,
            sum: 6,
            quantileValues: [
              { quantile: 0.5, value: 1 },
              { quantile: 0.9, value: 'NaN' },
            ],
          },
        ],
      },
    },
    {
      name: 'g',
      futureField: [1],
      gauge: { dataPoints: [{ timeUnixNano, attributes: null, asInt: '-5', exemplars: [{}] }] },
    },
  ]
  const json = JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] })
  const heard = new Listener().decode(fromJson('metrics', Buffer.from(json)))
  t.strictSame(
    heard.map(
      ({ series: { name, kind, attributes }, value }) => `${name} ${kind} ${JSON.stringify(attributes)} ${value}`,
    ),
    [
      'h.count counter {"a":"aGVsbG8="} 3',
      'h.sum counter {"a":"aGVsbG8="} 4.5',
      'h.bucket counter {"a":"aGVsbG8=","le":"5"} 1',
      'h.bucket counter {"a":"aGVsbG8=","le":"+Inf"} 3',
      'e.count counter {"a":"aGVsbG8="} 3',
      'e.sum counter {"a":"aGVsbG8="} 2.5',
      's.count counter {"a":"aGVsbG8="} 3',
      's.sum counter {"a":"aGVsbG8="} 6',
      's gauge {"a":"aGVsbG8=","quantile":"0.5"} 1',
      'g gauge {} -5',
    ],
  )
})

/** One gauge point with these fields. */
function withPoint(fields: object): string {
  return JSON.stringify({
    resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'm', gauge: { dataPoints: [fields] } }] }] }],
  })
}

const wrongs = [
  ['{', /not JSON/],
  ['', /not JSON/],
  ['[]', /expected a map/],
  ['null', /expected a map/],
  ['{"resourceMetrics":{}}', /resourceMetrics: expected a list/],
  ['{"resourceMetrics":[1]}', /resourceMetrics: expected a map, got 1/],
  [withPoint({ asInt: 1.5 }), /asInt: expected a whole number/],
  [withPoint({ asInt: '0x10' }), /asInt: expected a whole number/],
  [withPoint({ asInt: '9223372036854775808' }), /asInt: expected a number from/],
  [withPoint({ timeUnixNano: -1 }), /timeUnixNano: expected a number from 0/],
  [withPoint({ timeUnixNano: 1e300 }), /timeUnixNano: expected a number from 0/],
  [withPoint({ asDouble: 'one' }), /asDouble: expected a number, got "one"/],
  [withPoint({ asDouble: {} }), /asDouble: expected a number/],
  [withPoint({ flags: 2 ** 32 }), /flags: expected/],
  [withPoint({ attributes: [{ key: 1 }] }), /key: expected a text/],
  [withPoint({ attributes: [{ key: 'a', value: { boolValue: 1 } }] }), /boolValue: expected true or false/],
  [withPoint({ attributes: [{ key: 'a', value: { bytesValue: 1 } }] }), /bytesValue: expected base64/],
] as const

t.test('what is not OTLP/JSON is refused by the name of the field', async t => {
  for (const [json, message] of wrongs)
    t.throws(() => fromJson('metrics', Buffer.from(json)), { name: 'Refused', message }, json)
})

t.test('values nested without end are refused', async t => {
  const deep = `${'{"arrayValue":{"values":['.repeat(50_000)}${']}}'.repeat(50_000)}`
  const json = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":${deep}}]}]}]}`
  t.throws(() => fromJson('logs', Buffer.from(json)), { name: 'Refused', message: /deeper/ })
})

t.test('damaged JSON is read or refused', async t => {
  const random = seeded(t)
  const whole = Buffer.from(
    withPoint({ asInt: '5', timeUnixNano: '1790000000000000000', attributes: [{ key: 'a', value: { intValue: 1 } }] }),
  )
  for (let round = 0; round < 3000; round++) {
    const damaged = Buffer.from(whole)
    for (let n = 0; n < 2; n++)
      damaged[random.below(damaged.length)] = random.pick([...'{}[]",:0919.eE-+ \\natrue'].map(c => c.charCodeAt(0)))
    try {
      new Listener().decode(fromJson('metrics', damaged))
    } catch (error) {
      if (!(error instanceof RangeError) && (error as Error).name !== 'Refused') throw error
    }
  }
  t.pass('only RangeError and Refused were thrown')
})
