// Histograms and summaries to OTLP, as Metric fields of a ScopeMetrics (opentelemetry/proto/metrics/v1/metrics.proto).
// Few of them and large: written anew each time, but for the attributes, which each series keeps.

import { checkDistribution, isHistogram } from '../distribution.ts'
import type { Distribution, Histogram, Series, Summary } from '../model.ts'
import { ProtoWriter } from '../protobuf.ts'
import { checkTime, writeAttributes } from './values.ts'

/** The fields of Metric, and where the attributes stand in their points. */
const kinds = {
  histogram: { field: 9, attributes: 9 },
  summary: { field: 11, attributes: 7 },
} as const
type Kind = keyof typeof kinds

const metricField = 2
const cumulative = 2

/** Gives the Metric fields of all; they live until the next call. @throws Refused on what OTLP cannot hold. */
export function distributionsEncoder(): (all: readonly Distribution[]) => Uint8Array {
  const out = new ProtoWriter(4096)
  const known = new WeakMap<Series, Uint8Array>()

  const attributesOf = (series: Series, kind: Kind): Uint8Array => {
    const seen = known.get(series)
    if (seen !== undefined) return seen
    const writer = new ProtoWriter(128)
    writeAttributes(writer, kinds[kind].attributes, series.attributes)
    const bytes = Uint8Array.from(writer.finish())
    known.set(series, bytes)
    return bytes
  }

  const writePoint = ({ series, time, value }: Distribution, kind: Kind): void => {
    const start = out.open(1)
    out.fixed64(3, nanoseconds(time))
    if (isHistogram(value)) writeHistogram(out, value)
    else writeSummary(out, value)
    out.raw(attributesOf(series, kind))
    out.close(start)
  }

  return all => {
    for (const one of all) check(one)
    out.length = 0
    for (const [kind, points] of byMetric(all)) {
      const { name, unit } = points[0]!.series
      const metric = out.open(metricField)
      out.string(1, name)
      out.string(3, unit)
      const data = out.open(kinds[kind].field)
      for (const point of points) writePoint(point, kind)
      if (kind === 'histogram') out.uint(2, cumulative)
      out.close(data)
      out.close(metric)
    }
    return out.finish()
  }
}

function check(one: Distribution): void {
  checkDistribution(one)
  checkTime(one.time, one.series.name)
}

/** The points of one name, unit and kind together, in their order. */
function byMetric(all: readonly Distribution[]): (readonly [Kind, readonly Distribution[]])[] {
  const groups = Map.groupBy(all, ({ series, value }) => `${kindOf(value)} ${series.unit} ${series.name}`)
  return [...groups.values()].map(points => [kindOf(points[0]!.value), points] as const)
}

function kindOf(value: Histogram | Summary): Kind {
  return isHistogram(value) ? 'histogram' : 'summary'
}

/** HistogramDataPoint: count 4, sum 5, bucket_counts 6, explicit_bounds 7. */
function writeHistogram(out: ProtoWriter, { count, sum, bounds, counts }: Histogram): void {
  out.fixed64(4, BigInt(count))
  if (sum !== undefined) out.double(5, sum)
  writeEightBytes(out, 6, counts.length)
  for (const one of counts) out.length = out.buffer.writeBigUInt64LE(BigInt(one), out.length)
  if (bounds.length === 0) return
  writeEightBytes(out, 7, bounds.length)
  for (const bound of bounds) out.length = out.buffer.writeDoubleLE(bound, out.length)
}

/** The head of `count` packed numbers of eight bytes, and room for them. */
function writeEightBytes(out: ProtoWriter, field: number, count: number): void {
  out.varint((field << 3) | 2)
  out.varint(8 * count)
  out.reserve(8 * count)
}

/** SummaryDataPoint: count 4, sum 5, quantile_values 6 {quantile 1, value 2}. */
function writeSummary(out: ProtoWriter, { count, sum, quantiles }: Summary): void {
  out.fixed64(4, BigInt(count))
  out.double(5, sum)
  for (const { quantile, value } of quantiles) {
    const start = out.open(6)
    out.double(1, quantile)
    out.double(2, value)
    out.close(start)
  }
}

function nanoseconds(ms: number): bigint {
  const whole = Math.floor(ms)
  return BigInt(whole) * 1_000_000n + BigInt(Math.round((ms - whole) * 1e6))
}
