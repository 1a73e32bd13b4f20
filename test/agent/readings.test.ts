import t from 'tap'
import { exposition, labels, prometheusName } from '../../agent/exposition.ts'
import { openReadings } from '../../agent/readings.ts'
import type { Series, SeriesKind } from '../../core/model.ts'

const series = (name: string, unit: string, kind: SeriesKind = 'gauge', attributes = {}): Series => ({
  name,
  unit,
  kind,
  attributes,
})

t.test('names follow the rules of OpenTelemetry for Prometheus', async t => {
  const named: readonly (readonly [string, string, SeriesKind, string])[] = [
    ['container.memory.usage', 'By', 'gauge', 'container_memory_usage_bytes'],
    ['container.cpu.time', 's', 'counter', 'container_cpu_time_seconds_total'],
    ['system.cpu.utilization', '1', 'gauge', 'system_cpu_utilization_ratio'],
    ['system.network.packet.count', '{packet}', 'counter', 'system_network_packet_count_total'],
    ['hw.network.bandwidth.limit', 'By/s', 'gauge', 'hw_network_bandwidth_limit_bytes_per_second'],
    ['broker.messages', '{message}/s', 'gauge', 'broker_messages_per_second'],
    ['hw.temperature', 'Cel', 'gauge', 'hw_temperature_celsius'],
    ['already.bytes', 'By', 'gauge', 'already_bytes'],
    ['a.total.of', '{x}', 'counter', 'a_of_total'],
    ['strange..name-here', 'dB[m]', 'gauge', 'strange_name_here_dBm'],
    ['2nd.disk', 'constructor', 'gauge', '_2nd_disk_constructor'],
  ]
  for (const [name, unit, kind, expected] of named) t.equal(prometheusName(series(name, unit, kind)), expected)
})

t.test('labels are escaped, and two keys that become one are joined', async t => {
  t.equal(labels({}), '')
  t.equal(labels({ 'a.b': 'x"\\\n', a_b: 'y', '7': true }), '{key_7="true",a_b="x\\"\\\\\\n;y"}')
})

t.test('a family has one kind, and each series once', async t => {
  const text = exposition({ 'host.name': 'h' }, [
    { series: series('a', 's', 'gauge', { k: 'v' }), time: 1000, value: 1.5 },
    { series: series('a', 's', 'gauge', { k: 'v' }), time: 2000, value: 2 },
    { series: series('a.seconds', '', 'counter'), time: 1000, value: 7 },
    { series: series('a.seconds.total', '', 'gauge'), time: 1000, value: 8 },
  ])
  t.equal(
    text,
    `# TYPE target_info gauge
target_info{host_name="h"} 1
# TYPE a_seconds gauge
a_seconds{k="v"} 2
# TYPE a_seconds_total counter
a_seconds_total 7
`,
  )
})

t.test('the last value of a series is shown until its source has long been silent', async t => {
  let now = 1_000_000
  const kept: number[] = []
  const readings = openReadings(
    {},
    () => now,
    () => {},
  )
  const emit = readings.keeping(async ({ samples }) => void kept.push(samples.length))
  const often = series('often', 's')
  const seldom = series('seldom', 's')
  const tell = (one: Series, value: number) => emit({ samples: [{ series: one, time: now, value }], events: [] })
  await tell(often, 1)
  await tell(often, 2)
  await tell(seldom, 3)
  now += 3_600_000
  await tell(seldom, 4)
  t.match(readings.text(), /^seldom_seconds 4$/m)
  t.notMatch(readings.text(), /often/)
  now += 3_600_000
  t.match(readings.text(), /^seldom_seconds 4$/m, 'its source comes once an hour')
  now += 9_000_000
  t.notMatch(readings.text(), /seldom/)
  t.strictSame(kept, [1, 1, 1, 1], 'everything is handed on')
})

t.test('what cannot be handed on is still shown, and the source is told', async t => {
  const readings = openReadings(
    {},
    () => 1,
    () => {},
  )
  const emit = readings.keeping(async () => {
    throw new Error('the spool is full')
  })
  await t.rejects(emit({ samples: [{ series: series('a', 's'), time: 1, value: 1 }], events: [] }), /full/)
  t.match(readings.text(), /^a_seconds 1$/m)
})

t.test('more series than the bound are left out, and that is said once', async t => {
  const said: string[] = []
  const readings = openReadings(
    {},
    () => 1,
    (_, message) => void said.push(message),
  )
  const emit = readings.keeping(async () => {})
  const samples = Array.from({ length: 20_005 }, (_, n) => ({ series: series(`s${n}`, 's'), time: 1, value: n }))
  await emit({ samples, events: [] })
  t.strictSame(said, ['/metrics: more than 20000 series: the others are not shown'])
  t.equal(readings.text().match(/^s\d+_seconds /gm)!.length, 20_000)
})
