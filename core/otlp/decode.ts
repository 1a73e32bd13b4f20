// OTLP metrics to samples (ExportMetricsServiceRequest: opentelemetry/proto/metrics/v1/metrics.proto).
//
// A request is read whole before any of it is handed on: bytes that turn out malformed deliver nothing.
// Series are interned by their exact bytes, so a point of a known series costs no string and no object.

import type { Attributes, Series } from '../model.ts'
import { Batch } from './batch.ts'
import { Intern } from './intern.ts'
import { MetricReader } from './read-metrics.ts'

export { decodeLogs, type ResourceEvent } from './logs.ts'

export interface MetricSink<Ref> {
  /**
   * A series seen for the first time (or again, after the decoder forgot it: the same series may come twice, and the
   * same attributes in another order are the same series). Undefined refuses it: its points are counted, not delivered.
   */
  series(resource: Attributes, series: Series): Ref | undefined
  /** One sample: whole ms since the epoch, a finite value. In the order of the request. */
  sample(ref: Ref, time: number, value: number): void
}

export interface MetricSummary {
  readonly samples: number
  /** ms since the epoch; both 0 if there is no sample. */
  readonly firstTime: number
  readonly lastTime: number
}

/**
 * Turns requests into samples.
 *
 * A cumulative monotonic Sum is a `counter`; every other Sum and every Gauge a `gauge` (a delta Sum too: its points are
 * what happened in between, not a running total). A Histogram gives the counters `<name>.count`, `<name>.sum` and, with
 * the attribute `le`, the cumulative `<name>.bucket`; an ExponentialHistogram the first two; a Summary the first two and
 * gauges `<name>` with the attribute `quantile`. Delta histograms give gauges instead. Points without a finite value
 * or marked as having none are left out. The instrumentation scope is no part of a series.
 */
export class MetricDecoder<Ref> {
  readonly #sink: MetricSink<Ref>
  readonly #known: Intern
  readonly #batch = new Batch<Ref>()
  readonly #reader: MetricReader<Ref>
  /** Samples of series that the sink refused, so far. */
  refused = 0

  /** Remembers about `maxSeries` series; when they are too many it forgets all and learns again (see Intern). */
  constructor(sink: MetricSink<Ref>, maxSeries = 500_000) {
    this.#sink = sink
    // Metrics and resources are remembered beside the series, at most one each.
    this.#known = new Intern(2 * maxSeries)
    this.#reader = new MetricReader(this.#known, this.#batch)
  }

  /**
   * Hands every sample to the sink. What the sink throws passes through: some samples may have been delivered by then.
   * @throws RangeError on malformed bytes; then nothing was delivered.
   */
  decode(bytes: Uint8Array): void {
    this.#collect(bytes)
    const { slots, times, values, length } = this.#batch
    for (let n = 0; n < length; n++) {
      const slot = slots[n]!
      if (!slot.asked) {
        slot.ref = this.#sink.series(slot.resource, slot.series)
        slot.asked = true
      }
      if (slot.ref === undefined) this.refused++
      else this.#sink.sample(slot.ref, times[n]!, values[n]!)
    }
  }

  /** What `decode` would deliver, counted; the sink hears nothing. @throws RangeError on malformed bytes. */
  summary(bytes: Uint8Array): MetricSummary {
    this.#collect(bytes)
    const { times, length } = this.#batch
    let [firstTime, lastTime] = length === 0 ? [0, 0] : [times[0]!, times[0]!]
    for (let n = 1; n < length; n++) {
      const time = times[n]!
      if (time < firstTime) firstTime = time
      if (time > lastTime) lastTime = time
    }
    return { samples: length, firstTime, lastTime }
  }

  /** Forgets all series: the sink is asked for each anew. For when its refs no longer hold, or it may now say otherwise. */
  forget(): void {
    this.#known.clear()
  }

  #collect(bytes: Uint8Array): void {
    this.#batch.clear()
    this.#reader.read(bytes)
  }
}
