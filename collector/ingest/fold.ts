// From committed rows to history: opens each, hands its samples to history and the detectors, its events to the records,
// and folds everything in one transaction with the cursor when enough has gathered. A crash replays the rows behind the
// cursor through the same code; whatever is derived here depends on the rows alone, so a replay comes to the same.
//
// A row that cannot be read is set aside and never stands in the way of the next.

import { setImmediate as turn } from 'node:timers/promises'
import { reason } from '../../core/errors.ts'
import { type Say, type Trouble, troubles } from '../../core/log.ts'
import type { Attributes, Series } from '../../core/model.ts'
import { decodeLogs, MetricDecoder } from '../../core/otlp/decode.ts'
import type { Judging, Watch } from '../judging.ts'
import type { History } from '../store/history.ts'
import type { Records } from '../store/records.ts'
import { type FoldNode, Nodes, type Slot } from './fold-nodes.ts'
import { maxAhead } from './gate.ts'
import type { Row } from './inbox-store.ts'
import { decompress } from './otlp-body.ts'
import type { TroubleRule, Troubles } from './troubles.ts'

export interface FoldOptions {
  readonly history: History
  readonly records: Records
  readonly judging: Judging
  readonly troubles: Troubles
  readonly say: Say
  now(): number
  /** Series one node may have. */
  readonly max_series: number
  /** Samples older than this when they are committed are left out, ms. */
  readonly retention_age: number
  /** A parcel held more samples than it said, or cost more than it seemed. */
  charge(node: string, samples: number, bytes: number): void
}

export interface FoldStats {
  rows: number
  /** Of these, what a crash had left in the inbox. */
  replayed_rows: number
  samples: number
  events: number
  late_samples: number
  rejected_samples: number
  unreadable_rows: number
  folds: number
  failed_folds: number
  /** Of the last fold, ms. */
  fold_ms: number
}

/** Samples that may wait in memory before they are folded, and beyond which nothing more is taken. */
const foldAt = 2_000_000
const fullAt = 4_000_000
/** Rows and records may gather without samples. */
const foldAtRows = 20_000
const foldAge = 120_000
/** The loop is let go so often, ms. */
const slice = 10
/** What a row costs its node that nobody can read, bytes. */
const unreadableCost = 1024 ** 2
/** Bytes of one payload once decompressed. */
const mostOpened = 32 * 1024 ** 2
const retryAfter = 2000
const refoldAfter = 1000

export class Fold {
  readonly #options: FoldOptions
  readonly #nodes: Nodes
  readonly #decoder: MetricDecoder<Slot>
  readonly #trouble: Trouble
  #cursor: number
  #rows = 0
  #rowsSince = 0
  #failedAt = Number.NEGATIVE_INFINITY
  // The row in hand.
  #node: FoldNode | undefined
  #oldest = 0
  #newest = 0
  #backlog = false
  #samples = 0
  #late = 0
  #rejected = 0
  #beyond = 0
  readonly #stats: FoldStats = {
    rows: 0,
    replayed_rows: 0,
    samples: 0,
    events: 0,
    late_samples: 0,
    rejected_samples: 0,
    unreadable_rows: 0,
    folds: 0,
    failed_folds: 0,
    fold_ms: 0,
  }

  constructor(options: FoldOptions) {
    this.#options = options
    this.#cursor = options.history.cursor
    this.#nodes = new Nodes(options)
    this.#trouble = troubles(options.say)
    this.#decoder = new MetricDecoder<Slot>({
      series: (resource, series) => this.#series(resource, series),
      sample: (slot, time, value) => this.#sample(slot, time, value),
    })
  }

  /** Takes rows up in order; resolves when all are in memory. */
  async take(rows: Iterable<Row>): Promise<void> {
    let until = performance.now() + slice
    for (const row of rows) {
      this.#row(row)
      if (performance.now() < until) continue
      this.#foldIfDue()
      await turn()
      until = performance.now() + slice
    }
    this.#foldIfDue()
  }

  /** Takes up what is left behind the cursor, before anything new. */
  async replay(rows: Iterable<Row>): Promise<void> {
    await this.take(rows)
    this.#stats.replayed_rows = this.#stats.rows
  }

  /** Milliseconds to wait where no more may come in, because what is here cannot be folded. */
  busy(): number | undefined {
    return this.#options.history.pending + this.#options.records.unwritten >= fullAt ? retryAfter : undefined
  }

  /** About once a second. */
  tick(): void {
    const { records } = this.#options
    this.#foldIfDue()
    if (records.hasNewFindings) this.#attempt('findings', () => records.writeFindings())
  }

  /** Folds what there is. Throws when that fails; nothing is lost by it. */
  flush(): void {
    const { history, records, judging } = this.#options
    const begun = performance.now()
    history.fold(this.#cursor, () => {
      records.write()
      judging.write(this.#options.now())
    })
    records.written()
    judging.written()
    this.#rows = 0
    this.#stats.folds++
    this.#stats.fold_ms = performance.now() - begun
  }

  /** Asks anew which series are taken: retention may have made room. */
  forget(): void {
    this.#decoder.forget()
    this.#nodes.recount()
  }

  stats(): Readonly<FoldStats> {
    return this.#stats
  }

  #foldIfDue(): void {
    const { history, records, now } = this.#options
    const gathered = history.pending + records.unwritten
    const age = this.#rows === 0 ? 0 : now() - this.#rowsSince
    // A clock set back must not keep it from folding.
    if (gathered < foldAt && this.#rows < foldAtRows && age >= 0 && age < foldAge) return
    this.#attempt('history', () => this.flush())
  }

  /** A write to history.db that fails is said once and tried again: the rows behind it are in the inbox. */
  #attempt(what: string, write: () => void): void {
    const { now } = this.#options
    if (Math.abs(now() - this.#failedAt) < refoldAfter) return
    try {
      write()
      this.#trouble(what, undefined)
    } catch (error) {
      this.#stats.failed_folds++
      this.#failedAt = now()
      this.#trouble(what, `cannot write to history.db, what waits is kept in the inbox: ${reason(error)}`)
    }
  }

  #row(row: Row): void {
    const { records, judging } = this.#options
    if (this.#rows === 0) this.#rowsSince = this.#options.now()
    this.#rows++
    this.#stats.rows++
    const node = this.#nodes.get(row.node, row.received)
    this.#node = node
    this.#backlog = node.senders.isBacklog(row.stream)
    node.record.gaps += row.lost
    this.#checkName(row, node)
    if (row.refused === undefined) this.#open(row, node)
    else this.#countRefused(row, row.refused, 'refused-data')
    if (!this.#backlog || row.stream === '') node.record.lastTime = row.lastTime
    if (row.refused === undefined) judging.stepNode(row.node, row.lastTime, row.samples + row.events, this.#backlog)
    if (row.stream !== '') {
      records.mark({ node: row.node, stream: row.stream, watermark: row.seq, seen: row.received })
    }
    this.#cursor = row.id
  }

  #checkName(row: Row, node: FoldNode): void {
    const other = node.senders.conflict(row)
    if (other === undefined) return
    const spool = row.stream.slice(0, row.stream.indexOf('.'))
    const message = `two daemons send under the name ${row.node}: spools ${other} and ${spool}; give one another name`
    this.#saw(row, 'name-conflict', message, { spools: `${other} ${spool}` })
  }

  #open(row: Row, node: FoldNode): void {
    const { retention_age } = this.#options
    this.#oldest = row.received - retention_age
    this.#newest = row.received + maxAhead
    this.#samples = this.#late = this.#rejected = this.#beyond = 0
    let events = 0
    try {
      const bytes = decompress(
        Buffer.from(row.payload.buffer, row.payload.byteOffset, row.payload.length),
        'zstd',
        mostOpened,
      )
      if (row.encoding === 'otlp-metrics-zstd') this.#decoder.decode(bytes)
      else events = this.#events(bytes, node)
    } catch (error) {
      this.#setAside(row, error)
    }
    this.#count(row, node, events)
  }

  #count(row: Row, { record }: FoldNode, events: number): void {
    const beyond = this.#beyond
    record.samples += this.#samples
    record.events += events
    record.late += this.#late
    record.rejected += this.#rejected + beyond
    this.#stats.samples += this.#samples
    this.#stats.events += events
    this.#stats.late_samples += this.#late
    this.#stats.rejected_samples += this.#rejected + beyond
    const held = this.#samples + this.#rejected + beyond + events
    if (held > row.samples + row.events) this.#options.charge(row.node, held - row.samples - row.events, 0)
    if (this.#rejected > 0) {
      const message = `${row.node} dates samples before what is kept or after tomorrow; is its clock set?`
      this.#saw(row, 'unbelievable-times', message, { samples: this.#rejected })
    }
    if (beyond > 0) this.#sawSeries(row, beyond)
  }

  #sawSeries(row: Row, samples: number): void {
    const { max_series } = this.#options
    const message = `${row.node} has more than ${max_series} series; samples of further ones are not kept`
    this.#saw(row, 'too-many-series', message, { limit: max_series, samples })
  }

  #events(bytes: Uint8Array, node: FoldNode): number {
    let events = 0
    for (const { resource, event } of decodeLogs(bytes)) {
      if (Object.keys(node.record.attributes).length === 0) this.#options.records.describe(node.record, resource)
      if (event.time < this.#oldest || event.time > this.#newest) {
        this.#rejected++
        continue
      }
      this.#options.records.event(node.record.name, event)
      events++
    }
    return events
  }

  #setAside(row: Row, error: unknown): void {
    const { node, stream, seq, received, encoding, payload } = row
    const why = reason(error)
    this.#stats.unreadable_rows++
    this.#options.records.poison({ node, stream, seq, received, encoding, reason: why, payload })
    this.#options.charge(node, row.samples, unreadableCost)
    this.#countRefused(row, why, 'unreadable-data')
  }

  #countRefused(row: Row, why: string, rule: TroubleRule): void {
    this.#node!.record.refused++
    this.#saw(row, rule, `${row.node} sent what is not taken: ${why}`, { stream: row.stream, seq: row.seq })
  }

  #saw(row: Row, rule: TroubleRule, message: string, evidence: Readonly<Record<string, number | string>>): void {
    const { node, received } = row
    this.#options.troubles.saw({ rule, node, time: received, severity: 'warning', message, evidence })
  }

  #series(resource: Attributes, series: Series): Slot | undefined {
    const node = this.#node!
    if (node.record.attributes !== resource) this.#options.records.describe(node.record, resource)
    return this.#nodes.slot(node, series)
  }

  // Once a sample: as little as can be.
  #sample(given: Slot, time: number, value: number): void {
    const slot = given.node === this.#node ? given : this.#nodes.ofNode(this.#node!, given)
    const ref = slot.ref
    if (ref === undefined) {
      this.#beyond++
      return
    }
    if (!(time >= this.#oldest && time <= this.#newest)) {
      this.#rejected++
      return
    }
    if (time < ref.lastTime) this.#late++
    this.#options.history.append(ref, time, value)
    this.#samples++
    const watches = ref.watch as Watch[] | undefined
    if (watches !== undefined) this.#options.judging.step(watches, time, value, this.#backlog)
  }
}
