// Walks an ExportMetricsServiceRequest and collects its samples.
// Fields may stand in any order, so each message is walked twice: once for what its parts need to know of it (the
// resource, the metric's name and kind), once for the parts. Skipping a part costs a few bytes.

import type { Attributes } from '../model.ts'
import { ProtoReader } from '../protobuf.ts'
import type { Batch, Slot } from './batch.ts'
import { type Intern, type Item, Key } from './intern.ts'
import {
  attributesOf,
  DistributionReader,
  isDistribution,
  type Metric,
  noRecordedValue,
  summary,
} from './read-distributions.ts'
import { readResource } from './values.ts'

/** The fields of Metric that hold points; the others see read-distributions.ts. */
const gauge = 5
const sum = 7

const cumulative = 2

export class MetricReader<Ref> {
  readonly #known: Intern
  readonly #batch: Batch<Ref>
  readonly #distributions: DistributionReader<Ref>
  #input = new ProtoReader(new Uint8Array(0))
  #key = new Key(new Uint8Array(0))

  constructor(known: Intern, batch: Batch<Ref>) {
    this.#known = known
    this.#batch = batch
    this.#distributions = new DistributionReader(known, batch)
  }

  read(bytes: Uint8Array): void {
    const input = new ProtoReader(bytes)
    this.#input = input
    this.#key = new Key(bytes)
    let last: Item<Attributes> | undefined
    for (let field = input.next(); field !== 0; field = input.next()) {
      if (field === 1) last = this.#resourceMetrics(last)
      else input.skip()
    }
  }

  #resourceMetrics(last: Item<Attributes> | undefined): Item<Attributes> {
    const input = this.#input
    const outer = input.enter()
    const resource = this.#resource(last)
    let metric: Item<Metric> | undefined
    for (let field = input.next(); field !== 0; field = input.next()) {
      if (field === 2) metric = this.#scopeMetrics(resource, metric)
      else input.skip()
    }
    input.leave(outer)
    return resource
  }

  #resource(last: Item<Attributes> | undefined): Item<Attributes> {
    const input = this.#input
    const start = input.at
    this.#key.clear()
    for (let field = input.next(); field !== 0; field = input.next()) {
      input.skip()
      if (field === 1) this.#key.add(input.fieldAt, input.at)
    }
    input.rewind(start)
    const { root } = this.#known
    const found = this.#known.find(root, last, 0, this.#key)
    return found ?? this.#known.add(root, last, 0, this.#key, resourceOf(this.#key))
  }

  #scopeMetrics(resource: Item<Attributes>, last: Item<Metric> | undefined): Item<Metric> | undefined {
    const input = this.#input
    const outer = input.enter()
    let metric = last
    for (let field = input.next(); field !== 0; field = input.next()) {
      if (field === 2) metric = this.#metric(resource, metric)
      else input.skip()
    }
    input.leave(outer)
    return metric
  }

  #metric(resource: Item<Attributes>, last: Item<Metric> | undefined): Item<Metric> | undefined {
    const input = this.#input
    const outer = input.enter()
    let data = 0
    let dataAt = 0
    this.#key.clear()
    for (let field = input.next(); field !== 0; field = input.next()) {
      input.skip()
      if (field <= 3) this.#key.add(input.fieldAt, input.at)
      else if (field >= gauge && field <= summary) {
        data = field
        dataAt = input.fieldAt
      }
    }
    const end = input.at
    let metric = last
    if (data !== 0) {
      input.rewind(dataAt)
      metric = this.#data(resource, last, input.next())
      input.rewind(end)
    }
    input.leave(outer)
    return metric
  }

  #data(resource: Item<Attributes>, last: Item<Metric> | undefined, field: number): Item<Metric> {
    const input = this.#input
    const outer = input.enter()
    const start = input.at
    const isCounter = field === summary || (field !== gauge && this.#isCounter(field))
    input.rewind(start)
    const shape = field * 2 + (isCounter ? 1 : 0)
    const metric =
      this.#known.find(resource, last, shape, this.#key) ??
      this.#known.add(resource, last, shape, this.#key, metricOf(resource.value, this.#key, isCounter))
    if (field === gauge || field === sum) this.#numbers(metric)
    else if (isDistribution(field)) this.#distributions.read(input, this.#key, metric, field)
    input.leave(outer)
    return metric
  }

  /** Sum: aggregation_temporality 2, is_monotonic 3. Histograms: aggregation_temporality 2. */
  #isCounter(field: number): boolean {
    const input = this.#input
    let temporality = 0
    let isMonotonic = field !== sum
    for (let part = input.next(); part !== 0; part = input.next()) {
      if (part === 2) temporality = input.uint()
      else if (part === 3 && field === sum) isMonotonic = input.uint() !== 0
      else input.skip()
    }
    return temporality === cumulative && isMonotonic
  }

  #numbers(metric: Item<Metric>): void {
    const input = this.#input
    let last: Item<Slot<Ref>> | undefined
    for (let field = input.next(); field !== 0; field = input.next()) {
      if (field === 1) last = this.#number(metric, last)
      else input.skip()
    }
  }

  /** NumberDataPoint: time 3, as_double 4, as_int 6, attributes 7, flags 8. */
  #number(metric: Item<Metric>, last: Item<Slot<Ref>> | undefined): Item<Slot<Ref>> | undefined {
    const input = this.#input
    const key = this.#key
    const outer = input.enter()
    let time = 0
    let value = Number.NaN
    let flags = 0
    key.clear()
    for (let field = input.next(); field !== 0; field = input.next()) {
      if (field === 3) time = input.fixed64Millis()
      else if (field === 4) value = input.double()
      else if (field === 6) value = input.sfixed64Number()
      else if (field === 8) flags = input.uint()
      else {
        input.skip()
        if (field === 7) key.add(input.fieldAt, input.at)
      }
    }
    input.leave(outer)
    if (!Number.isFinite(value) || (flags & noRecordedValue) !== 0) return last
    const point = this.#known.find(metric, last, 0, key) ?? this.#newNumber(metric, last)
    this.#batch.add(point.value, time, value)
    return point
  }

  #newNumber(metric: Item<Metric>, last: Item<Slot<Ref>> | undefined): Item<Slot<Ref>> {
    const { resource, name, unit, kind } = metric.value
    const slot = this.#batch.newSlot(resource, { name, unit, kind, attributes: attributesOf(this.#key, 7) })
    return this.#known.add(metric, last, 0, this.#key, slot)
  }
}

/** A Resource field given several times is merged, as protobuf wants. */
function resourceOf(key: Key): Attributes {
  const input = new ProtoReader(key.copy())
  let resource: Attributes = {}
  while (input.next() !== 0) resource = { ...resource, ...readResource(input) }
  return resource
}

/** Metric: name 1, description 2, unit 3. */
function metricOf(resource: Attributes, key: Key, isCounter: boolean): Metric {
  const input = new ProtoReader(key.copy())
  let [name, unit] = ['', '']
  for (let field = input.next(); field !== 0; field = input.next()) {
    if (field === 1) name = input.string()
    else if (field === 3) unit = input.string()
    else input.skip()
  }
  if (name === '') throw new RangeError('otlp: a metric has no name')
  return { resource, name, unit, kind: isCounter ? 'counter' : 'gauge' }
}
