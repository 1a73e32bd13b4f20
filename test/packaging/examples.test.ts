// Every example is right, and each of its alerts begins on what exporters expose above the threshold and not below it:
// through the real source, the wire's bytes and the real detectors.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { memoryKeep } from '../../agent/keep.ts'
import { sources } from '../../agent/sources/index.ts'
import { checked } from '../../cli/check.ts'
import { agentShape, collectorShape } from '../../cli/daemons.ts'
import type { Series } from '../../core/model.ts'
import { MetricDecoder } from '../../core/otlp/decode.ts'
import { metricsEncoder } from '../../core/otlp/encode.ts'
import type { Part } from '../../core/parts.ts'
import { detectors } from '../../judge/index.ts'
import { fakeHost } from '../agent/fake-host.ts'
import { exporter } from '../agent/prometheus/exporter.ts'

const examples = new URL('../../packaging/config/examples/', import.meta.url).pathname
const here = (file: string): string => readFileSync(join(import.meta.dirname, file), 'utf8')

/** New values of lines, by how they begin; a function is given the reading's number. `undefined`: it does not answer. */
type Change = Readonly<Record<string, number | ((n: number) => number)>> | undefined

interface Example {
  /** What each target exposes where nothing is wrong. */
  readonly fine: readonly string[]
  /** What makes an alert begin, at the first target; and others that it makes begin too. */
  readonly alerts: Readonly<
    Record<string, { readonly change: Change; readonly just?: Change; readonly also?: readonly string[] }>
  >
}

/** What dcgm-exporter writes where a GPU cannot tell. */
const blank = 2 ** 63
const start = Date.UTC(2025, 0, 1) / 1000
const writes = { ceph_osd_op_w_latency_count: (n: number) => 500_000 + 100 * n }
const grows = (from: number, by: number) => (n: number) => from + by * n

const all: Readonly<Record<string, Example>> = {
  rabbitmq: {
    fine: [here('../agent/prometheus/recorded/rabbitmq.txt')],
    alerts: {
      'rabbitmq-down': { change: undefined },
      'rabbitmq-memory': {
        change: { rabbitmq_process_resident_memory_bytes: 8.6e9, rabbitmq_resident_memory_limit_bytes: 1e10 },
        just: { rabbitmq_process_resident_memory_bytes: 8.4e9, rabbitmq_resident_memory_limit_bytes: 1e10 },
      },
      'rabbitmq-memory-alarm': { change: { rabbitmq_alarms_memory_used_watermark: 1 } },
      'rabbitmq-disk-alarm': { change: { rabbitmq_alarms_free_disk_space_watermark: 1 } },
      'rabbitmq-messages': {
        change: { 'rabbitmq_queue_messages ': 50_001 },
        just: { 'rabbitmq_queue_messages ': 50_000 },
      },
      'rabbitmq-unacknowledged': {
        change: { 'rabbitmq_queue_messages_unacked ': 10_001 },
        just: { 'rabbitmq_queue_messages_unacked ': 10_000 },
      },
      'rabbitmq-connections': { change: { 'rabbitmq_connections ': 5001 }, just: { 'rabbitmq_connections ': 5000 } },
      'rabbitmq-sockets': {
        change: { rabbitmq_process_open_tcp_sockets: 81, rabbitmq_process_max_tcp_sockets: 100 },
        just: { rabbitmq_process_open_tcp_sockets: 80, rabbitmq_process_max_tcp_sockets: 100 },
      },
      'rabbitmq-files': {
        change: { rabbitmq_process_open_fds: 81, rabbitmq_process_max_fds: 100 },
        just: { rabbitmq_process_open_fds: 79, rabbitmq_process_max_fds: 100 },
      },
    },
  },
  redis: {
    fine: [here('../agent/prometheus/recorded/redis.txt')],
    alerts: {
      'redis-exporter-down': { change: undefined },
      'redis-down': { change: { 'redis_up ': 0 } },
      'redis-fragmentation': {
        change: { redis_mem_fragmentation_ratio: 1.6, 'redis_memory_used_bytes ': 2e8 },
        just: { redis_mem_fragmentation_ratio: 16, 'redis_memory_used_bytes ': 9e7 },
      },
      'redis-hit-rate': {
        change: { redis_keyspace_hits_total: grows(1000, 79), redis_keyspace_misses_total: grows(10, 21) },
        just: { redis_keyspace_hits_total: grows(1000, 81), redis_keyspace_misses_total: grows(10, 19) },
      },
      'redis-last-save': {
        change: { redis_rdb_last_save_timestamp_seconds: start - 90_000, redis_rdb_changes_since_last_save: 1 },
        just: { redis_rdb_last_save_timestamp_seconds: start - 90_000, redis_rdb_changes_since_last_save: 0 },
      },
      'redis-save-failed': { change: { redis_rdb_last_bgsave_status: 0 } },
      'redis-memory': {
        change: { 'redis_memory_used_bytes ': 91e6, redis_memory_max_bytes: 1e8 },
        just: { 'redis_memory_used_bytes ': 89e6, redis_memory_max_bytes: 1e8 },
      },
    },
  },
  ceph: {
    fine: [here('examples/ceph.txt')],
    alerts: {
      'ceph-mgr-down': { change: undefined },
      'ceph-health-error': { change: { ceph_health_status: 2 }, just: { ceph_health_status: 1 } },
      'ceph-pg-not-clean': { change: { 'ceph_pg_clean{pool_id="2"}': 127 } },
      'ceph-pg-not-active': { change: { 'ceph_pg_active{pool_id="2"}': 127 } },
      'ceph-osd-down': { change: { 'ceph_osd_up{ceph_daemon="osd.1"}': 0 } },
      'ceph-osd-full': {
        change: { 'ceph_osd_stat_bytes_used{ceph_daemon="osd.2"}': 0.81 * 4000753803264 },
        just: { 'ceph_osd_stat_bytes_used{ceph_daemon="osd.2"}': 0.79 * 4000753803264 },
      },
      'ceph-write-latency': {
        change: { ...writes, ceph_osd_op_w_latency_sum: grows(1000, 11) },
        just: { ...writes, ceph_osd_op_w_latency_sum: grows(1000, 9) },
      },
    },
  },
  kafka: {
    fine: [1, 2, 3].map(n => here(`examples/kafka-${n}.txt`)),
    alerts: {
      'kafka-broker-down': { change: undefined },
      'kafka-under-replicated': { change: { kafka_server_replicamanager_underreplicatedpartitions: 1 } },
      'kafka-under-min-isr': { change: { kafka_server_replicamanager_underminisrpartitioncount: 1 } },
      'kafka-offline-partitions': { change: { kafka_controller_kafkacontroller_offlinepartitionscount: 1 } },
      'kafka-controller': {
        change: { kafka_controller_kafkacontroller_activecontrollercount: 0 },
        just: { kafka_controller_kafkacontroller_activecontrollercount: 1 },
      },
      'kafka-request-queue': {
        change: { kafka_network_requestchannel_requestqueuesize: 301 },
        just: { kafka_network_requestchannel_requestqueuesize: 299 },
      },
    },
  },
  dcgm: {
    fine: [here('examples/dcgm.txt')],
    alerts: {
      'dcgm-down': { change: undefined },
      'gpu-xid': {
        change: { 'DCGM_FI_DEV_XID_ERRORS{gpu="1"': 79 },
        just: { DCGM_FI_DEV_XID_ERRORS: blank },
      },
      'gpu-hot': {
        change: { 'DCGM_FI_DEV_GPU_TEMP{gpu="0"': 86 },
        just: { DCGM_FI_DEV_GPU_TEMP: blank },
      },
      'gpu-memory-broken': { change: { 'DCGM_FI_DEV_ROW_REMAP_FAILURE{gpu="0"': 1 } },
      'gpu-memory-full': { change: { DCGM_FI_DEV_FB_FREE: 1000 }, just: { DCGM_FI_DEV_FB_FREE: 2000 } },
    },
  },
  flink: {
    fine: [here('examples/flink.txt')],
    alerts: {
      'flink-down': { change: undefined },
      'flink-no-job': { change: { flink_jobmanager_numRunningJobs: 0 } },
      'flink-restarts': {
        change: { flink_jobmanager_job_numRestarts: grows(3, 1) },
        just: { flink_jobmanager_job_numRestarts: 3 },
      },
      'flink-checkpoints-fail': { change: { flink_jobmanager_job_numberOfFailedCheckpoints: grows(1, 1) } },
      'flink-backpressure': {
        change: { flink_taskmanager_job_task_backPressuredTimeMsPerSecond: 810 },
        just: { flink_taskmanager_job_task_backPressuredTimeMsPerSecond: 790 },
      },
    },
  },
}

function changed(text: string, change: NonNullable<Change>, n: number): string {
  return Object.entries(change).reduce((text, [begin, value]) => {
    const line = new RegExp(`^(${RegExp.escape(begin)}[^\\n]*) \\S+$`, 'gm')
    // A name with its blank has no labels: the blank is the one before the value.
    const bare = new RegExp(`^(${RegExp.escape(begin.trimEnd())}) \\S+$`, 'gm')
    const next = text.replace(begin.endsWith(' ') ? bare : line, `$1 ${typeof value === 'number' ? value : value(n)}`)
    if (next === text && typeof value === 'number') throw new Error(`no line begins with ${begin}`)
    return next
  }, text)
}

interface Loaded {
  readonly source: Part
  readonly rules: readonly Part[]
}

async function load(name: string): Promise<Loaded> {
  const [agent, collector] = await Promise.all(
    ['agent', 'collector'].map(daemon => checked(join(examples, name, `${daemon}.yaml`))),
  )
  const { sources } = agent!.config.check(await agentShape())
  return { source: sources[0]!, rules: collector!.config.check(await collectorShape()).detectors }
}

/** Runs the example for `minutes`; gives the rules that found something. */
async function findings(
  t: Test,
  { source, rules }: Loaded,
  fine: readonly string[],
  change: Change,
): Promise<string[]> {
  const exporters = await Promise.all(fine.map(text => exporter(t, text)))
  const options = source.options as { interval: number; targets: readonly { url: string; attributes: object }[] }
  const targets = exporters.map(({ url }, n) => ({ ...options.targets[n]!, url }))
  const host = fakeHost(import.meta.dirname)
  const kind = sources.find(s => s.name === source.type)!
  const running = kind.open({ ...options, targets }, { name: source.name, host, say: () => {}, keep: memoryKeep() })
  const judge = judging(rules)
  const encode = metricsEncoder({ 'host.name': 'node-1' })
  const count = (20 * 60_000) / options.interval
  const stop = new AbortController()
  let n = 0
  const expose = (): void => {
    exporters[0]!.answer = change === undefined ? answer => answer.destroy() : changed(fine[0]!, change, n)
  }
  await running.run(async ({ samples, distributions }) => {
    judge.take(encode(samples, distributions))
    if (++n === count) stop.abort()
    if (n > 3) expose()
  }, stop.signal)
  return judge.found()
}

/** The collector's part, without its stores. */
function judging(rules: readonly Part[]) {
  const opened = rules.map(({ name, type, options }) => ({
    name,
    detector: detectors.find(d => d.name === type)!.open(options),
  }))
  const found = new Set<string>()
  const watches = (series: Series) =>
    opened
      .filter(({ detector }) => detector.scope === 'series' && detector.watches('node-1', series))
      .map(({ name, detector }) => ({ name, detector, state: detector.start(series) }))
  const decoder = new MetricDecoder<ReturnType<typeof watches>>({
    series: (_, series) => watches(series),
    sample(all, time, value) {
      for (const { name, detector, state } of all) {
        const verdict = detector.step(state, time, value)
        if (verdict !== undefined && 'since' in verdict) found.add(name)
      }
    },
  })
  return { take: (bytes: Uint8Array) => decoder.decode(bytes), found: () => [...found].sort() }
}

t.test('every example is here, and each of its thresholds has a case', async t => {
  t.strictSame(readdirSync(examples).sort(), Object.keys(all).sort())
  for (const [name, { alerts }] of Object.entries(all)) {
    const { rules } = await load(name)
    t.strictSame(
      rules.filter(r => r.type === 'threshold').map(r => r.name),
      Object.keys(alerts),
      name,
    )
  }
})

for (const [name, { fine, alerts }] of Object.entries(all)) {
  t.test(`${name}: nothing is found where nothing is wrong`, async t => {
    t.strictSame(await findings(t, await load(name), fine, {}), [])
  })

  for (const [alert, { change, just, also = [] }] of Object.entries(alerts)) {
    t.test(`${name}: ${alert} begins beyond its threshold, and not before`, async t => {
      const loaded = await load(name)
      t.strictSame(await findings(t, loaded, fine, change), [alert, ...also].sort())
      if (just !== undefined) t.strictSame(await findings(t, loaded, fine, just), [])
    })
  }
}
