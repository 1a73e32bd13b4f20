import assert from 'node:assert/strict'
import t from 'tap'
import type { Sample, Series } from '../../../core/model.ts'
import { encodeLogs, metricsEncoder } from '../../../core/otlp/encode.ts'
import { seeded } from '../../random.ts'
import { randomAttributes, randomEvent, randomSamples } from './cases.ts'
import { fromAny, fromKeyValues, logsRequest, metricsRequest } from './official.ts'

const series: Series = { name: 'system.cpu.time', unit: 's', kind: 'counter', attributes: { 'cpu.mode': 'user' } }
const resource = { 'host.name': 'web-1' }

/** The samples of one request as protobufjs reads them, and what stands around them. */
function readBack(bytes: Uint8Array): { resource: unknown; samples: unknown[]; scopes: unknown[]; metrics: unknown[] } {
  const message = metricsRequest.decode(bytes)
  assert.equal(message.resource_metrics.length, 1)
  const { scope_metrics: scopes, resource } = message.resource_metrics[0]!
  const metrics = scopes[0]!.metrics
  const samples = []
  for (const { name, unit, gauge, sum } of metrics) {
    if (sum) assert.deepEqual([sum.aggregation_temporality, sum.is_monotonic], [2, true], 'cumulative and monotonic')
    for (const p of (gauge ?? sum)!.data_points) {
      const attributes = fromKeyValues(p.attributes)
      const value = p.as_int === undefined ? p.as_double : Number(p.as_int)
      const series = { name, unit, kind: sum ? 'counter' : 'gauge', attributes }
      samples.push({ series, nanos: p.time_unix_nano, value, isInt: p.as_int !== undefined })
    }
  }
  const scopeNames = scopes.map(s => s.scope.name)
  return { resource: fromKeyValues(resource.attributes), samples, scopes: scopeNames, metrics }
}

t.test('random samples read back the same with the official schema', async t => {
  const random = seeded(t)
  for (let round = 0; round < 300; round++) {
    const about = randomAttributes(random)
    const encode = metricsEncoder(about)
    for (let request = 0; request < 3; request++) {
      const samples = randomSamples(random)
      const back = readBack(encode(samples))
      t.strictSame(back.resource, about)
      t.strictSame(back.scopes, ['fieldline'])
      t.strictSame(sorted(back.samples), sorted(samples.map(wanted)))
    }
  }
})

function wanted({ series, time, value }: Sample): unknown {
  const isInt = series.kind === 'counter' && Number.isSafeInteger(value)
  return { series, nanos: String(BigInt(time) * 1_000_000n), value, isInt }
}

function sorted(samples: readonly unknown[]): string[] {
  return samples.map(s => JSON.stringify(s)).sort()
}

t.test('samples of one series keep their order, and one metric holds all points of a name, unit and kind', async t => {
  const other = { ...series, attributes: { 'cpu.mode': 'idle' } }
  const gauge = { ...series, kind: 'gauge' } as const
  const samples = [
    { series, time: 3000, value: 1 },
    { series: gauge, time: 3000, value: 7 },
    { series: other, time: 3000, value: 2 },
    { series, time: 1000, value: 3 },
  ]
  const back = readBack(metricsEncoder(resource)(samples))
  t.equal(back.metrics.length, 2)
  t.match(back.samples, [{ value: 1 }, { value: 2 }, { value: 3 }, { value: 7 }])
})

t.test('fractions of a millisecond reach the nanoseconds', async t => {
  const back = readBack(metricsEncoder(resource)([{ series, time: 1_790_000_000_000.25, value: 1 }]))
  t.match(back.samples, [{ nanos: '1790000000000250000' }])
})

t.test('a value or time that OTLP cannot hold is refused, and the next request is unharmed', async t => {
  const encode = metricsEncoder(resource)
  const good = { series, time: 1000, value: 1 }
  const before = Buffer.from(encode([good])).toString('hex')
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
    t.throws(() => encode([good, { series, time: 1000, value }]), { name: 'Refused', message: /system.cpu.time/ })
  for (const time of [Number.NaN, -1, 2e13, Number.POSITIVE_INFINITY])
    t.throws(() => encode([good, { series, time, value: 1 }]), { name: 'Refused' })
  const odd = { ...series, attributes: { a: Number.NaN } }
  t.throws(() => encode([good, { series: odd, time: 1, value: 1 }]), { name: 'Refused' })
  t.equal(Buffer.from(encode([good])).toString('hex'), before)
})

t.test('a request that outgrows the last one is whole', async t => {
  const encode = metricsEncoder(resource)
  for (const count of [1, 10, 1000, 3, 20_000]) {
    const samples = Array.from({ length: count }, (_, n) => ({ series, time: 1000 + n, value: n }))
    t.equal(readBack(encode(samples)).samples.length, count)
  }
  t.equal(readBack(encode([])).samples.length, 0)
})

t.test('any number of names may come', async t => {
  const encode = metricsEncoder(resource)
  const named = (n: number): Sample => ({ series: { ...series, name: `m${n}` }, time: 1000, value: n })
  for (let from = 0; from < 50_000; from += 10_000) {
    const samples = Array.from({ length: 10_000 }, (_, n) => named(from + n))
    t.strictSame(sorted(readBack(encode(samples)).samples), sorted(samples.map(wanted)))
  }
})

t.test('random events read back the same with the official schema', async t => {
  const random = seeded(t)
  for (let round = 0; round < 300; round++) {
    const about = randomAttributes(random)
    const events = Array.from({ length: random.below(6) }, () => randomEvent(random))
    const logs = logsRequest.decode(encodeLogs(about, events)).resource_logs[0]!
    t.strictSame(fromKeyValues(logs.resource.attributes), about)
    const records = logs.scope_logs[0]!.log_records.map(r => ({
      name: r.event_name,
      nanos: [r.time_unix_nano, r.observed_time_unix_nano],
      severity: [r.severity_number, r.severity_text],
      body: r.body ? fromAny(r.body) : null,
      attributes: fromKeyValues(r.attributes),
    }))
    const severity = { info: [9, 'INFO'], warning: [13, 'WARN'], error: [17, 'ERROR'], critical: [21, 'FATAL'] }
    const expected = events.map(e => {
      const nanos = String(BigInt(e.time) * 1_000_000n)
      return { ...e, time: undefined, nanos: [nanos, nanos], severity: severity[e.severity] }
    })
    t.strictSame(JSON.stringify(records.map(ordered)), JSON.stringify(expected.map(ordered)))
  }
})

function ordered(record: Record<string, unknown>): unknown[] {
  return ['name', 'nanos', 'severity', 'body', 'attributes'].map(key => record[key])
}

t.test('an event that OTLP cannot hold is refused', async t => {
  const event = { name: 'x', time: 1, severity: 'info', body: null, attributes: {} } as const
  t.throws(() => encodeLogs(resource, [{ ...event, time: Number.NaN }]), { name: 'Refused' })
  t.throws(() => encodeLogs(resource, [{ ...event, body: { a: [Number.NaN] } }]), { name: 'Refused' })
  let deep: readonly unknown[] = []
  for (let n = 0; n < 40; n++) deep = [deep]
  t.throws(() => encodeLogs(resource, [{ ...event, body: deep as [] }]), { name: 'Refused', message: /deeper/ })
})
