import t from 'tap'
import { decodeLogs } from '../../../core/otlp/decode.ts'
import { encodeLogs } from '../../../core/otlp/encode.ts'
import { seeded } from '../../random.ts'
import { randomAttributes, randomEvent } from './cases.ts'
import { logsRequest, toAny, toKeyValues } from './official.ts'

const nanos = '1790000000000000000'

t.test('random events come back as they were', async t => {
  const random = seeded(t)
  for (let round = 0; round < 300; round++) {
    const resource = randomAttributes(random)
    const events = Array.from({ length: random.below(6) }, () => randomEvent(random))
    const wanted = events.map(event => ({ resource, event }))
    t.strictSame(JSON.stringify(decodeLogs(encodeLogs(resource, events)).map(plain)), JSON.stringify(wanted.map(plain)))
  }
})

t.test('what protobufjs writes with the official schema is read', async t => {
  const random = seeded(t)
  for (let round = 0; round < 300; round++) {
    const resources = Array.from({ length: random.below(3) }, () => randomAttributes(random))
    const wanted = resources.map(resource => ({
      resource,
      event: { ...randomEvent(random), severity: 'error' as const },
    }))
    const bytes = logsRequest.encode({
      resource_logs: wanted.map(({ resource, event }) => ({
        resource: { attributes: toKeyValues(resource) },
        schema_url: 'x',
        scope_logs: [{ log_records: [record(event)], scope: { name: 'x' } }],
      })),
    })
    t.strictSame(JSON.stringify(decodeLogs(bytes).map(plain)), JSON.stringify(wanted.map(plain)))
  }
})

type Found = ReturnType<typeof decodeLogs>[number]

function plain({ resource, event: { name, time, severity, body, attributes } }: Found): unknown[] {
  return [resource, name, time, severity, body, attributes]
}

function record({ name, time, body, attributes }: Found['event']): object {
  return {
    event_name: name,
    time_unix_nano: String(BigInt(time) * 1_000_000n),
    severity_number: 17,
    severity_text: 'Err',
    body: toAny(body),
    attributes: toKeyValues(attributes),
    trace_id: Buffer.alloc(16, 1),
    flags: 1,
  }
}

function one(record: object): Found['event'] {
  return decodeLogs(logsRequest.encode({ resource_logs: [{ scope_logs: [{ log_records: [record] }] }] }))[0]!.event
}

t.test('severities fold into four', async t => {
  const found = Array.from({ length: 25 }, (_, severity_number) => one({ severity_number }).severity)
  const four = [
    ...Array(13).fill('info'),
    ...Array(4).fill('warning'),
    ...Array(4).fill('error'),
    ...Array(4).fill('critical'),
  ]
  t.strictSame(found, four)
})

t.test('a record without name or time takes what stands in for them', async t => {
  t.equal(one({}).name, 'log')
  t.equal(one({ attributes: toKeyValues({ 'event.name': 'disk.full' }) }).name, 'disk.full')
  t.equal(one({ observed_time_unix_nano: nanos }).time, 1_790_000_000_000)
  t.equal(one({ observed_time_unix_nano: nanos, time_unix_nano: '5000000' }).time, 5)
})

t.test('a body nested too deep is malformed', async t => {
  let body: unknown = 1
  for (let n = 0; n < 30; n++) body = [body]
  t.ok(one({ body: toAny(body) }).body)
  t.throws(() => one({ body: toAny([body]) }), RangeError)
})
