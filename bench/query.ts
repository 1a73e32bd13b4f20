// Range queries through the HTTP API over a history built as the collector builds it: appended, folded every two minutes
// and compacted on simulated time. 100 series of host metrics over 24 h, once at 1 s and once at 10 s (too sparse for
// minutes), and 10,000 series over an hour at 10 s for the bytes on disk. `--runs N` (40) of each question.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import fastify from 'fastify'
import { registerApi } from '../collector/api/server.ts'
import type { View } from '../collector/api/view.ts'
import { type History, openHistory, type Ref } from '../collector/store/history.ts'
import { hostMetrics } from './host-metrics.ts'
import { median, table } from './process.ts'

const hour = 3_600_000
const start = 490_000 * hour
const foldEvery = 120_000

interface Spec {
  readonly series: number
  readonly hours: number
  readonly interval: number
}

interface Built {
  readonly history: History
  readonly refs: readonly Ref[]
  readonly row: Readonly<Record<string, string | number>>
  close(): void
}

export async function run(args: readonly string[]): Promise<Record<string, number>> {
  const { values } = parseArgs({ args: [...args], options: { runs: { type: 'string', default: '40' } } })
  const runs = Number(values.runs)
  const dense = build({ series: 100, hours: 24, interval: 1000 })
  const sparse = build({ series: 100, hours: 24, interval: 10_000 })
  const many = build({ series: 10_000, hours: 1, interval: 10_000 })
  table([dense.row, sparse.row, many.row])
  const day = { from: start, to: start + 24 * hour, buckets: 300 }
  const last = { from: start + 23 * hour - 1_800_000, to: start + 24 * hour - 1_800_000, buckets: 2000 }
  const rows = [
    await ask('1 series x 1 h at 1 s', dense, dense.refs.slice(0, 1), last, 'value', runs),
    await ask('100 series x 24 h at 1 s', dense, dense.refs, day, 'value', runs),
    await ask('100 series x 24 h at 10 s', sparse, sparse.refs, day, 'value', runs),
    await ask('50 counters x 24 h at 1 s, rates', dense, counters(dense), day, 'rate', runs),
  ]
  table(rows)
  for (const built of [dense, sparse, many]) built.close()
  return {
    p50_1x1h_ms: rows[0]!.p50_ms,
    p50_100x24h_ms: rows[1]!.p50_ms,
    p50_100x24h_10s_ms: rows[2]!.p50_ms,
    bytes_per_sample: Number(many.row.bytes_per_sample),
  }
}

const counters = ({ refs }: Built) => refs.filter(ref => ref.series.kind === 'counter')

/** Appends, folds and compacts as time goes by. */
function build(spec: Spec): Built {
  const folder = mkdtempSync(join(tmpdir(), 'fieldline-query-'))
  let now = start
  const history = openHistory({ folder, say: console.error, now: () => now })
  const device = hostMetrics(spec.series)
  const refs = device.series.map((series, n) => history.ref(`node${Math.floor(n / 100)}`, series))
  const cost = { append: 0, fold: 0, compact: 0 }
  const timed = (key: keyof typeof cost, work: () => void) => {
    const from = process.cpuUsage()
    work()
    const used = process.cpuUsage(from)
    cost[key] += used.user + used.system
  }
  while (now < start + spec.hours * hour) {
    const end = now + foldEvery
    const batch = device.read(now, end, spec.interval)
    timed('append', () => {
      for (let n = 0; n < batch.times.length; n++)
        history.append(refs[batch.which[n]!]!, batch.times[n]!, batch.values[n]!)
    })
    now = end
    timed('fold', () => history.fold(now, () => {}))
    timed('compact', () => void history.compact(1e5))
  }
  now += hour
  timed('compact', () => {
    while (history.compact(1e6) > 0);
  })
  history.db.pragma('wal_checkpoint(TRUNCATE)')
  const samples = refs.reduce((sum, ref) => sum + ref.count, 0)
  const us = (key: keyof typeof cost) => Number((cost[key] / samples).toFixed(3))
  const row = {
    history: `${spec.series} series x ${spec.hours} h at ${spec.interval / 1000} s`,
    samples,
    bytes_per_sample: Number((history.stats().bytes / samples).toFixed(2)),
    append_cpu_us: us('append'),
    fold_cpu_us: us('fold'),
    compact_cpu_us: us('compact'),
  }
  const close = () => {
    history.close()
    rmSync(folder, { recursive: true })
  }
  return { history, refs, row, close }
}

interface Asked {
  readonly [key: string]: string | number
  readonly p50_ms: number
}

/** One question `runs` times over a real connection; the answer must hold every series. */
async function ask(
  name: string,
  { history }: Built,
  refs: readonly Ref[],
  window: { from: number; to: number; buckets: number },
  as: string,
  runs: number,
): Promise<Asked> {
  const app = fastify()
  registerApi(app, viewOf(history))
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  const { from, to, buckets } = window
  const url = `${origin}/api/query?series=${refs.map(ref => ref.id).join()}&from=${from}&to=${to}&buckets=${buckets}&as=${as}`
  const took: number[] = []
  let bytes = 0
  for (let n = 0; n < runs + 5; n++) {
    const begun = performance.now()
    const response = await fetch(url)
    const text = await response.text()
    if (n >= 5) took.push(performance.now() - begun)
    bytes = text.length
    if (!response.ok) throw new Error(`${name}: ${text}`)
  }
  await app.close()
  took.sort((a, b) => a - b)
  const ms = (value: number) => Number(value.toFixed(2))
  const inside = ms(median(Array.from({ length: runs }, () => timeOf(() => history.query(refs, window)))))
  return {
    question: name,
    runs,
    answer_kb: Math.round(bytes / 1000),
    p50_ms: ms(median(took)),
    p95_ms: ms(took[Math.floor(runs * 0.95)]!),
    min_ms: ms(took[0]!),
    of_it_history_ms: inside,
  }
}

function timeOf(work: () => unknown): number {
  const begun = performance.now()
  work()
  return performance.now() - begun
}

/** As much of a view as a query needs. */
function viewOf(history: History): View {
  const present = (id: number) => {
    const ref = history.byId(id)
    return ref && { id, node: ref.node, series: ref.series, firstTime: ref.firstTime, lastTime: ref.lastTime }
  }
  return {
    nodes: () => [],
    node: () => undefined,
    series: () => [],
    seriesById: present,
    query: (ids, window) => {
      const answer = history.query(
        ids.map(id => history.byId(id)!),
        window,
      )
      return { ...answer, series: answer.series.map(({ ref, ...columns }) => ({ id: ref.id, ...columns })) }
    },
    findings: () => [],
    events: () => [],
    disks: () => [],
    disk: () => undefined,
    diskSummary: () => ({ drives: 0, scored: 0, unknown: 0, gone: 0, watch: 0, warning: 0, critical: 0 }),
    incidents: () => [],
    incident: () => undefined,
    feedback: () => [],
    notAProblem: () => {
      throw new Error('a bench gives no feedback')
    },
    takeBack: () => false,
    vitals: () => ({
      time: start,
      startedAt: start,
      version: 'bench',
      samplesPerSecond: 0,
      samples: 0,
      series: 0,
      openFindings: 0,
      openIncidents: 0,
    }),
    subscribe: () => () => {},
  }
}
