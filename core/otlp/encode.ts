// Samples to OTLP (ExportMetricsServiceRequest: opentelemetry/proto/metrics/v1/metrics.proto).
//
// A data point of one series always has the same length: time and value are both fixed64. So each series keeps its
// whole encoded point, the lengths of everything around it are sums known beforehand, and every sample is one copy
// to its place with sixteen bytes written over. Nothing is made per sample.

import { Refused } from '../errors.ts'
import type { Attributes, Distribution, Sample, Series } from '../model.ts'
import { ProtoWriter, varintSize } from '../protobuf.ts'
import { distributionsEncoder } from './encode-distributions.ts'
import { checkTime, writeAttributes } from './values.ts'

export { encodeLogs } from './logs.ts'

/** All points of one (name, unit, kind). */
interface Metric {
  /** The fields before the points: name and unit. */
  readonly head: Uint8Array
  /** Tag of the field that holds the points: Gauge 5 or Sum 7. */
  readonly tag: number
  /** The fields after the points: of a Sum, that it is cumulative and monotonic. */
  readonly tail: Uint8Array
  /** In the request at hand: bytes of all its points; then where its next point goes. */
  size: number
  at: number
}

interface Point {
  readonly metric: Metric
  readonly isCounter: boolean
  /** The point as a field of Gauge or Sum, with room for time and value. */
  readonly bytes: Uint8Array
  /** Where in `bytes` the time begins; nine bytes on, the value. */
  readonly timeAt: number
}

const asInt = 0x31
const two32 = 4294967296
const nothing = new Uint8Array(0)
/** Names remembered; then they are learned again. Exporters may bring any number. */
const mostMetrics = 20_000

export type MetricsEncoder = (samples: readonly Sample[], distributions?: readonly Distribution[]) => Uint8Array

/**
 * Makes the encoder of one resource. It gives the bytes of one request, gauges as Gauge, counters as cumulative
 * monotonic Sum, a counter's whole numbers as integers, distributions as cumulative Histogram and as Summary. The bytes
 * live until the next call.
 * @throws Refused, before anything is encoded, on a value or time that OTLP cannot hold.
 */
export function metricsEncoder(resource: Attributes): MetricsEncoder {
  const resourceField = encodeResource(resource)
  const scopeField = Buffer.from('\x0a\x0b\x0a\x09fieldline', 'latin1')
  const metrics = new Map<string, Metric>()
  const known = new WeakMap<Series, Point>()
  const store = shelf()
  const points: Point[] = []
  const used: Metric[] = []
  const out = new RequestBuffer()
  const encodeDistributions = distributionsEncoder()

  const pointOf = (series: Series): Point => {
    const key = `${series.kind} ${series.unit} ${series.name}`
    const metric = metrics.get(key) ?? newMetric(series)
    const point = newPoint(series, metric, store)
    if (metrics.size >= mostMetrics) metrics.clear()
    metrics.set(key, metric)
    known.set(series, point)
    return point
  }

  return (samples, distributions) => {
    const others =
      distributions === undefined || distributions.length === 0 ? nothing : encodeDistributions(distributions)
    for (let n = 0; n < samples.length; n++) {
      const sample = samples[n]!
      check(sample)
      points[n] = known.get(sample.series) ?? pointOf(sample.series)
    }
    used.length = 0
    for (let n = 0; n < samples.length; n++) {
      const { metric, bytes } = points[n]!
      if (metric.size === 0) used.push(metric)
      metric.size += bytes.length
    }
    const length = layOut(out, resourceField, scopeField, used, others)
    for (let n = 0; n < samples.length; n++) out.point(points[n]!, samples[n]!)
    return out.buffer.subarray(0, length)
  }
}

function check(sample: Sample): void {
  const { time, value, series } = sample
  if (!Number.isFinite(value)) throw new Refused(`otlp: ${series.name}: value ${value} is not finite`)
  checkTime(time, series.name)
}

function encodeResource(resource: Attributes): Uint8Array {
  const out = new ProtoWriter(256)
  const start = out.open(1)
  writeAttributes(out, 1, resource)
  out.close(start)
  return out.finish()
}

function newMetric(series: Series): Metric {
  const head = new ProtoWriter(64)
  head.string(1, series.name)
  head.string(3, series.unit)
  // aggregation_temporality 2 = CUMULATIVE, is_monotonic 3 = true
  const tail = series.kind === 'counter' ? Uint8Array.of(0x10, 0x02, 0x18, 0x01) : new Uint8Array(0)
  return { head: Uint8Array.from(head.finish()), tag: series.kind === 'counter' ? 0x3a : 0x2a, tail, size: 0, at: 0 }
}

const shelfSize = 16_384

/** Keeps small pieces of bytes together: an array buffer each would cost twice what it holds. */
function shelf(): (bytes: Uint8Array) => Uint8Array {
  let room = new Uint8Array(0)
  return bytes => {
    if (bytes.length > room.length) room = new Uint8Array(Math.max(bytes.length, shelfSize))
    const kept = room.subarray(0, bytes.length)
    kept.set(bytes)
    room = room.subarray(bytes.length)
    return kept
  }
}

function newPoint(series: Series, metric: Metric, store: (bytes: Uint8Array) => Uint8Array): Point {
  const out = new ProtoWriter(128)
  const start = out.open(1)
  out.fixed64(3, 0n)
  out.double(4, 0)
  writeAttributes(out, 7, series.attributes)
  const size = out.length - start
  out.close(start)
  const bytes = store(out.finish())
  return { metric, isCounter: series.kind === 'counter', bytes, timeAt: bytes.length - size + 1 }
}

/**
 * Writes everything but the points, leaves each metric's `at` where its points go, and gives the whole length. `others`:
 * Metric fields that are whole already.
 */
function layOut(
  out: RequestBuffer,
  resourceField: Uint8Array,
  scopeField: Uint8Array,
  used: readonly Metric[],
  others: Uint8Array,
): number {
  let scopeSize = scopeField.length + others.length
  for (const metric of used) {
    const size = metricSize(metric)
    scopeSize += 1 + varintSize(size) + size
  }
  const resourceSize = resourceField.length + 1 + varintSize(scopeSize) + scopeSize
  out.begin(1 + varintSize(resourceSize) + resourceSize)
  out.tag(0x0a, resourceSize)
  out.raw(resourceField)
  out.tag(0x12, scopeSize)
  out.raw(scopeField)
  for (const metric of used) out.metric(metric, metricSize(metric))
  out.raw(others)
  return out.length
}

function metricSize(metric: Metric): number {
  const data = metric.size + metric.tail.length
  return metric.head.length + 1 + varintSize(data) + data
}

/** The buffer of one request, kept and grown from request to request. */
class RequestBuffer {
  buffer = new Uint8Array(0)
  length = 0
  #view = new DataView(this.buffer.buffer)
  #time = -1
  #timeLow = 0
  #timeHigh = 0

  begin(length: number): void {
    this.length = 0
    if (length <= this.buffer.length) return
    this.buffer = new Uint8Array(Math.max(length, this.buffer.length * 2))
    this.#view = new DataView(this.buffer.buffer)
  }

  tag(tag: number, size: number): void {
    this.buffer[this.length++] = tag
    let rest = size
    for (; rest >= 0x80; rest >>>= 7) this.buffer[this.length++] = (rest & 0x7f) | 0x80
    this.buffer[this.length++] = rest
  }

  raw(bytes: Uint8Array): void {
    this.buffer.set(bytes, this.length)
    this.length += bytes.length
  }

  /** Writes what stands around the metric's points and steps over the points themselves. */
  metric(metric: Metric, size: number): void {
    this.tag(0x12, size)
    this.raw(metric.head)
    this.tag(metric.tag, metric.size + metric.tail.length)
    metric.at = this.length
    this.length += metric.size
    this.raw(metric.tail)
    metric.size = 0
  }

  point(point: Point, sample: Sample): void {
    const { metric, bytes } = point
    this.buffer.set(bytes, metric.at)
    const at = metric.at + point.timeAt
    metric.at += bytes.length
    if (sample.time !== this.#time) this.#setTime(sample.time)
    this.#view.setUint32(at, this.#timeLow, true)
    this.#view.setUint32(at + 4, this.#timeHigh, true)
    if (point.isCounter && Number.isSafeInteger(sample.value)) this.#int(at + 8, sample.value)
    else this.#view.setFloat64(at + 9, sample.value, true)
  }

  #int(at: number, value: number): void {
    const high = Math.floor(value / two32)
    this.buffer[at] = asInt
    this.#view.setUint32(at + 1, value - high * two32, true)
    this.#view.setInt32(at + 5, high, true)
  }

  /** Nanoseconds need more than 53 bits: in units of 65,536 ms and the rest, all products stay exact. */
  #setTime(time: number): void {
    this.#time = time
    const units = Math.floor(time / 65536) * 1e6
    const unitsHigh = Math.floor(units / 65536)
    const low = (units - unitsHigh * 65536) * 65536 + Math.round((time % 65536) * 1e6)
    this.#timeHigh = unitsHigh + Math.floor(low / two32)
    this.#timeLow = low % two32
  }
}
