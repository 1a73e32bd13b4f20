// Collects the samples of histograms and summaries: several series to a point.

import type { Attributes, Json, Series, SeriesKind } from '../model.ts'
import { ProtoReader } from '../protobuf.ts'
import type { Batch, Slot } from './batch.ts'
import { type Intern, type Item, Key } from './intern.ts'
import { append, readKeyValue, toAttributes } from './values.ts'

/** The fields of Metric that hold such points. */
const histogram = 9
const exponentialHistogram = 10
export const summary = 11

/** Bit 0 of a point's flags: it says that there is no value. */
export const noRecordedValue = 1
/** More buckets or quantiles in one point are refused. */
const mostParts = 1000

export interface Metric {
  readonly resource: Attributes
  readonly name: string
  readonly unit: string
  readonly kind: SeriesKind
}

/** The series of one histogram or summary; `parts` by their bound or quantile. */
interface Distribution<Ref> {
  readonly attributes: Attributes
  readonly count: Slot<Ref>
  readonly sum: Slot<Ref>
  readonly parts: Map<number, Slot<Ref>>
}

/** Where attributes and flags stand in the points of each kind. */
const attributesFields = { [histogram]: 9, [exponentialHistogram]: 1, [summary]: 7 } as const
const flagsFields = { [histogram]: 10, [exponentialHistogram]: 10, [summary]: 8 } as const
type DistributionField = keyof typeof flagsFields

export class DistributionReader<Ref> {
  readonly #known: Intern
  readonly #batch: Batch<Ref>
  #input = new ProtoReader(new Uint8Array(0))
  #key = new Key(new Uint8Array(0))
  readonly #bounds: number[] = []
  readonly #counts: number[] = []

  constructor(known: Intern, batch: Batch<Ref>) {
    this.#known = known
    this.#batch = batch
  }

  read(input: ProtoReader, key: Key, metric: Item<Metric>, kind: DistributionField): void {
    this.#input = input
    this.#key = key
    let last: Item<Distribution<Ref>> | undefined
    for (let field = input.next(); field !== 0; field = input.next()) {
      if (field === 1) last = this.#distribution(metric, last, kind)
      else input.skip()
    }
  }

  /** All three kinds of point: time 3, count 4, sum 5; Histogram: bucket_counts 6, explicit_bounds 7; Summary: quantiles 6. */
  #distribution(metric: Item<Metric>, last: Item<Distribution<Ref>> | undefined, kind: DistributionField) {
    const input = this.#input
    const outer = input.enter()
    // A histogram may have no sum; a summary always has one, which is 0 where it is not written.
    let [time, flags, count, total] = [0, 0, 0, kind === summary ? 0 : Number.NaN]
    this.#key.clear()
    this.#counts.length = 0
    this.#bounds.length = 0
    for (let field = input.next(); field !== 0; field = input.next()) {
      if (field === 3) time = input.fixed64Millis()
      else if (field === 4) count = input.fixed64Number()
      else if (field === 5) total = input.double()
      else if (field === flagsFields[kind]) flags = input.uint()
      else this.#distributionPart(field, kind)
    }
    input.leave(outer)
    if ((flags & noRecordedValue) !== 0) return last
    const point = this.#known.find(metric, last, 0, this.#key) ?? this.#newDistribution(metric, last, kind)
    this.#batch.add(point.value.count, time, count)
    if (Number.isFinite(total)) this.#batch.add(point.value.sum, time, total)
    if (kind === histogram) this.#buckets(metric.value, point.value, time)
    if (kind === summary) this.#quantiles(metric.value, point.value, time)
    return point
  }

  #distributionPart(field: number, kind: DistributionField): void {
    const input = this.#input
    if (kind === histogram && field === 6) input.repeated(this.#counts, mostParts, 'fixed64')
    else if (kind === histogram && field === 7) input.repeated(this.#bounds, mostParts, 'double')
    else if (kind === summary && field === 6) this.#quantile()
    else {
      input.skip()
      if (field === attributesFields[kind]) this.#key.add(input.fieldAt, input.at)
    }
  }

  /** ValueAtQuantile: quantile 1, value 2. */
  #quantile(): void {
    const input = this.#input
    const outer = input.enter()
    let [quantile, value] = [0, 0]
    for (let field = input.next(); field !== 0; field = input.next()) {
      if (field === 1) quantile = input.double()
      else if (field === 2) value = input.double()
      else input.skip()
    }
    input.leave(outer)
    if (this.#bounds.push(quantile) > mostParts) throw new RangeError(`otlp: more than ${mostParts} quantiles`)
    this.#counts.push(value)
  }

  #slot({ resource }: Metric, series: Series): Slot<Ref> {
    return this.#batch.newSlot(resource, series)
  }

  #newDistribution(
    metric: Item<Metric>,
    last: Item<Distribution<Ref>> | undefined,
    kind: DistributionField,
  ): Item<Distribution<Ref>> {
    const { name, unit, kind: seriesKind } = metric.value
    const attributes = attributesOf(this.#key, attributesFields[kind])
    const base = { kind: seriesKind, attributes }
    const count = this.#slot(metric.value, { ...base, name: `${name}.count`, unit: '1' })
    const total = this.#slot(metric.value, { ...base, name: `${name}.sum`, unit })
    return this.#known.add(metric, last, 0, this.#key, { attributes, count, sum: total, parts: new Map() })
  }

  #buckets(metric: Metric, point: Distribution<Ref>, time: number): void {
    const bounds = this.#bounds
    const counts = this.#counts
    if (counts.length !== 0 && counts.length !== bounds.length + 1)
      throw new RangeError(`otlp: ${metric.name}: ${counts.length} bucket counts for ${bounds.length} bounds`)
    let below = 0
    for (let n = 0; n < counts.length; n++) {
      below += counts[n]!
      const bound = bounds[n] ?? Number.POSITIVE_INFINITY
      const slot = point.parts.get(bound) ?? this.#bucket(metric, point, bound)
      this.#batch.add(slot, time, below)
    }
  }

  #bucket(metric: Metric, point: Distribution<Ref>, bound: number): Slot<Ref> {
    const le = bound === Number.POSITIVE_INFINITY ? '+Inf' : String(bound)
    const attributes = { ...point.attributes, le }
    const series = { name: `${metric.name}.bucket`, unit: '1', kind: metric.kind, attributes }
    return keep(point.parts, bound, this.#slot(metric, series))
  }

  #quantiles(metric: Metric, point: Distribution<Ref>, time: number): void {
    for (let n = 0; n < this.#bounds.length; n++) {
      if (!Number.isFinite(this.#counts[n])) continue
      const quantile = this.#bounds[n]!
      const slot = point.parts.get(quantile) ?? this.#quantileSlot(metric, point, quantile)
      this.#batch.add(slot, time, this.#counts[n]!)
    }
  }

  #quantileSlot(metric: Metric, point: Distribution<Ref>, quantile: number): Slot<Ref> {
    const attributes = { ...point.attributes, quantile: String(quantile) }
    const series = { name: metric.name, unit: metric.unit, kind: 'gauge', attributes } as const
    return keep(point.parts, quantile, this.#slot(metric, series))
  }
}

/** A point whose bounds keep changing does not pile them up. */
function keep<T>(parts: Map<number, T>, bound: number, part: T): T {
  if (parts.size >= mostParts) parts.clear()
  parts.set(bound, part)
  return part
}

export function isDistribution(field: number): field is DistributionField {
  return field === histogram || field === exponentialHistogram || field === summary
}

export function attributesOf(key: Key, attributesField: number): Attributes {
  const input = new ProtoReader(key.copy())
  const entries: [string, Json][] = []
  while (input.next() === attributesField) append(entries, readKeyValue(input))
  return toAttributes(entries)
}
