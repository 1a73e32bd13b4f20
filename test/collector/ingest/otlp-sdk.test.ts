// OpenTelemetry's own SDK as the client.

import { zstdDecompressSync } from 'node:zlib'
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-proto'
import { OTLPMetricExporter as JsonMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs'
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import t from 'tap'
import { decodeLogs } from '../../../core/otlp/decode.ts'
import { Listener } from '../../core/otlp/heard.ts'
import { type Door, openDoor } from './otlp-server.ts'

const resource = resourceFromAttributes({ 'host.name': 'sdk-1', 'service.name': 'shop' })
const exporters = { protobuf: OTLPMetricExporter, json: JsonMetricExporter }

/** What arrived, as `name attributes kind unit value`. */
function arrived(door: Door): string[] {
  const listener = new Listener()
  return door.parcels
    .flatMap(({ payload }) => listener.decode(zstdDecompressSync(payload)))
    .map(({ series: s, value }) => `${s.name} ${JSON.stringify(s.attributes)} ${s.kind} ${s.unit} ${value}`)
    .sort()
}

for (const [format, Exporter] of Object.entries(exporters)) {
  for (const compression of ['none', 'gzip'] as const) {
    t.test(`the SDK's metrics arrive in ${format}, compression ${compression}`, async t => {
      const door = await openDoor(t)
      const before = Date.now()
      const exporter = new Exporter({ url: `${door.url}/v1/metrics`, compression: compression as never })
      const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
      const provider = new MeterProvider({ resource, readers: [reader] })
      const meter = provider.getMeter('test')
      meter.createCounter('orders', { unit: '{order}' }).add(5, { kind: 'web', vip: true })
      meter.createUpDownCounter('open').add(-2)
      meter.createGauge('temperature', { unit: 'Cel' }).record(21.5, { room: 7 })
      const histogram = meter.createHistogram('wait', { unit: 's', advice: { explicitBucketBoundaries: [1, 10] } })
      for (const wait of [0.5, 2, 3, 99]) histogram.record(wait)
      await provider.forceFlush()
      t.strictSame(arrived(door), [
        'open {} gauge  -2',
        'orders {"kind":"web","vip":true} counter {order} 5',
        'temperature {"room":7} gauge Cel 21.5',
        'wait.bucket {"le":"+Inf"} counter 1 4',
        'wait.bucket {"le":"1"} counter 1 1',
        'wait.bucket {"le":"10"} counter 1 3',
        'wait.count {} counter 1 4',
        'wait.sum {} counter s 104.5',
      ])
      const [parcel] = door.parcels as [(typeof door.parcels)[0]]
      t.match(parcel, { node: 'sdk-1', samples: 8 })
      t.ok(parcel.firstTime >= before - 1 && parcel.lastTime <= Date.now())
      await provider.shutdown()
    })
  }
}

t.test("the SDK's log records arrive as events", async t => {
  const door = await openDoor(t)
  const exporter = new OTLPLogExporter({ url: `${door.url}/v1/logs` })
  const provider = new LoggerProvider({ resource, processors: [new BatchLogRecordProcessor({ exporter })] })
  const body = { path: '/var', free: 0.02, tags: ['a', 1, null] }
  provider.getLogger('test').emit({ eventName: 'disk.full', severityNumber: 17, body, attributes: { disk: 'sda' } })
  await provider.forceFlush()
  const [{ payload, ...parcel }] = door.parcels as [(typeof door.parcels)[0]]
  t.match(parcel, { node: 'sdk-1', events: 1, encoding: 'otlp-logs-zstd' })
  const [{ event }] = decodeLogs(zstdDecompressSync(payload)) as [ReturnType<typeof decodeLogs>[0]]
  t.strictSame(
    { ...event, time: 0 },
    { name: 'disk.full', time: 0, severity: 'error', body, attributes: { disk: 'sda' } },
  )
  await provider.shutdown()
})

t.test('the SDK comes again after a 503', async t => {
  let calls = 0
  const take = async (): Promise<void> => {
    if (++calls === 1) throw new Error('disk full')
  }
  const door = await openDoor(t, { take })
  const exporter = new OTLPMetricExporter({ url: `${door.url}/v1/metrics` })
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
  const provider = new MeterProvider({ resource, readers: [reader] })
  provider.getMeter('test').createCounter('orders').add(1)
  await provider.forceFlush()
  t.equal(calls, 2)
  t.strictSame(door.refusals, ['unavailable'])
  await provider.shutdown()
})
