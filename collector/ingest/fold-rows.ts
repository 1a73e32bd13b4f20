// Reads one committed row after the other: opens its payload, hands samples to history and the detectors, events to the
// records, and notes on its node what became of it. Depends on the row alone, so that a replay does the same again.

import { reason } from '../../core/errors.ts'
import { findingEvent } from '../../core/finding-event.ts'
import type { Attributes, Series } from '../../core/model.ts'
import { decodeLogs, MetricDecoder } from '../../core/otlp/decode.ts'
import type { Disks } from '../disks/disks.ts'
import type { Came, Judging, Watch } from '../judging.ts'
import type { History } from '../store/history.ts'
import { mostEventBytes, type Records } from '../store/records.ts'
import type { EdgeFindings } from './edge-findings.ts'
import { type FoldNode, Nodes, type Slot } from './fold-nodes.ts'
import { maxAhead } from './gate.ts'
import type { Row } from './inbox-store.ts'
import { decompress } from './otlp-body.ts'
import type { TroubleRule, Troubles } from './troubles.ts'

export interface RowReaderOptions {
  readonly history: History
  readonly records: Records
  readonly judging: Judging
  readonly disks: Disks
  readonly troubles: Troubles
  readonly edgeFindings: Pick<EdgeFindings, 'take'>
  /** Series one node may have. */
  readonly max_series: number
  /** Samples older than this when they are committed are left out, ms. */
  readonly retention_age: number
  /** A parcel held more samples than it said, or cost more than it seemed. */
  charge(node: string, samples: number, bytes: number): void
}

export interface RowStats {
  samples: number
  events: number
  late_samples: number
  /** Samples and events left out: dated unbelievably, beyond the limit of series, or too large. */
  rejected_samples: number
  unreadable_rows: number
}

/** What a row costs its node that nobody can read, bytes. */
const unreadableCost = 1024 ** 2
/** Bytes of one payload once decompressed. */
const mostOpened = 32 * 1024 ** 2

export class RowReader {
  readonly #options: RowReaderOptions
  readonly #stats: RowStats
  readonly #nodes: Nodes
  readonly #decoder: MetricDecoder<Slot>
  // The row in hand.
  #node: FoldNode | undefined
  #oldest = 0
  #newest = 0
  #came: Came = { backlog: false, received: 0 }
  #samples = 0
  #late = 0
  #rejected = 0
  #beyond = 0
  #oversized = 0

  /** Counts into `stats`. */
  constructor(options: RowReaderOptions, stats: RowStats) {
    this.#options = options
    this.#stats = stats
    this.#nodes = new Nodes(options)
    this.#decoder = new MetricDecoder<Slot>({
      series: (resource, series) => this.#series(resource, series),
      sample: (slot, time, value) => this.#sample(slot, time, value),
    })
  }

  read(row: Row): void {
    const { records } = this.#options
    const node = this.#nodes.get(row.node, row.received)
    this.#node = node
    this.#came = { backlog: node.senders.isBacklog(row.stream), received: row.received }
    node.record.gaps += row.lost
    this.#checkName(row, node)
    if (row.refused === undefined) this.#taken(row, node)
    else this.#countRefused(row, row.refused, 'refused-data')
    if (row.stream === '') return
    records.mark({ node: row.node, stream: row.stream, watermark: row.seq, seen: row.received })
  }

  #taken(row: Row, node: FoldNode): void {
    this.#open(row, node)
    this.#options.disks.take(row.node, row.received)
    if (!this.#came.backlog || row.stream === '') node.record.lastTime = row.lastTime
    this.#options.judging.stepNode(row.node, row.lastTime, row.samples + row.events, this.#came)
  }

  /** Asks anew which series are taken. */
  forget(): void {
    this.#decoder.forget()
    this.#nodes.recount()
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
    this.#samples = this.#late = this.#rejected = this.#beyond = this.#oversized = 0
    let events = 0
    try {
      const { buffer, byteOffset, length } = row.payload
      const bytes = decompress(Buffer.from(buffer, byteOffset, length), 'zstd', mostOpened)
      if (row.encoding === 'otlp-metrics-zstd') this.#decoder.decode(bytes)
      else events = this.#events(bytes, node, row.received)
    } catch (error) {
      this.#setAside(row, error)
    }
    this.#count(row, node, events)
  }

  #count(row: Row, { record }: FoldNode, events: number): void {
    const beyond = this.#beyond + this.#oversized
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
    this.#report(row)
  }

  #report(row: Row): void {
    if (this.#rejected > 0) {
      const message = `${row.node} dates samples before what is kept or after tomorrow; is its clock set?`
      this.#saw(row, 'unbelievable-times', message, { samples: this.#rejected })
    }
    if (this.#beyond > 0) this.#sawSeries(row, this.#beyond)
    if (this.#oversized > 0) {
      const message = `${row.node} sent events of more than ${mostEventBytes} bytes; they are not kept`
      this.#saw(row, 'unreadable-data', message, { events: this.#oversized })
    }
  }

  #sawSeries(row: Row, samples: number): void {
    const { max_series } = this.#options
    const message = `${row.node} has more than ${max_series} series; samples of further ones are not kept`
    this.#saw(row, 'too-many-series', message, { limit: max_series, samples })
  }

  #events(bytes: Uint8Array, node: FoldNode, received: number): number {
    let events = 0
    for (const { resource, event } of decodeLogs(bytes)) {
      if (Object.keys(node.record.attributes).length === 0) this.#options.records.describe(node.record, resource)
      if (event.time < this.#oldest || event.time > this.#newest) {
        this.#rejected++
      } else if (this.#options.records.event(node.record.name, event)) {
        events++
        this.#options.disks.event(node.record.name, event)
        if (event.name === findingEvent) this.#options.edgeFindings.take(node.record.name, event, received)
      } else {
        this.#oversized++
      }
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
    if (watches !== undefined) this.#options.judging.step(watches, time, value, this.#came)
    if (ref.drive) this.#options.disks.step(ref.drive, time, value)
  }
}
