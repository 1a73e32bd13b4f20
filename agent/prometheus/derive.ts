// Series computed from those of one reading: ratios, sums, rates and quantiles of what endpoints expose, so that a
// detector has a number to compare. What cannot be computed is absent: never 0, never infinite.

import type { Attributes, Sample, Series } from '../../core/model.ts'
import { list, matching, object, optional, type Shape, shape, text } from '../../core/shape.ts'
import { aggregate, compute, computeFrom, growth, quantileOf, type Value } from './compute.ts'
import { type Expression, type Grouping, type Operator, parseExpression, type Selector } from './expression.ts'

export interface Derivation {
  readonly name: string
  readonly unit: string
  readonly expr: Expression
}

const expression: Shape<Expression> = {
  expects: 'an expression such as used_bytes / limit_bytes',
  read(raw, place) {
    try {
      return parseExpression(text.read(raw, place) ?? '0')
    } catch (error) {
      place.wrong(`in this expression: ${error instanceof Error ? error.message : error}`)
      return { is: 'number', value: 0 }
    }
  },
}

const metricName = matching(/^[a-z][a-z0-9_.]{0,199}$/, 'a metric name such as rabbitmq.memory.utilization')
const unit = shape('a unit such as 1, By or s', raw => (typeof raw === 'string' && raw.length <= 63 ? raw : undefined))

export const derivations: Shape<readonly Derivation[]> = optional(
  list(object({ name: metricName, unit: optional(unit, '1'), expr: expression }), 200),
  [],
)

/** The attributes that tell targets apart. */
export const targetAttributes = ['server.address', 'server.port'] as const

interface Element {
  readonly attributes: Attributes
  readonly value: Value
}

/** What one selector has met in the reading at hand. */
export interface Feed {
  readonly selector: Selector
  readonly elements: Element[]
}

export interface Deriver {
  /** Where the values of a series go; asked once a series. */
  feeds(name: string, attributes: Attributes): readonly Feed[]
  /** Computes all, and forgets the values. `complete`: every target was read. */
  evaluate(time: number, complete: boolean): Sample[]
}

/** A scalar, or an element for each set of attributes. */
type Result = number | readonly Element[]
type Evaluate = (time: number, complete: boolean) => Result

/** Series of results kept, and values to compute rates from, at most. */
const mostKept = 20_000

export function openDeriver(all: readonly Derivation[]): Deriver {
  const feeds: Feed[] = []
  const compiled = all.map(({ name, unit, expr }) => ({
    evaluate: compile(expr, feeds),
    series: keptSeries(name, unit),
  }))
  return {
    feeds: (name, attributes) => feeds.filter(({ selector }) => selects(selector, name, attributes)),
    evaluate(time, complete) {
      const samples = compiled.flatMap(({ evaluate, series }) => {
        const result = evaluate(time, complete)
        const elements = typeof result === 'number' ? [{ attributes: {}, value: result }] : result
        return elements.flatMap(({ attributes, value }) =>
          typeof value === 'number' && Number.isFinite(value) ? [{ series: series(attributes), time, value }] : [],
        )
      })
      for (const feed of feeds) feed.elements.length = 0
      return samples
    },
  }
}

function selects({ name, matchers }: Selector, met: string, attributes: Attributes): boolean {
  return name === met && matchers.every(({ label, fits }) => fits(String(attributes[label] ?? '')))
}

function keptSeries(name: string, unit: string): (attributes: Attributes) => Series {
  const known = new Map<string, Series>()
  return attributes => {
    const key = keyOf(attributes)
    const series = known.get(key) ?? { name, unit, kind: 'gauge', attributes }
    if (known.size >= mostKept) known.clear()
    known.set(key, series)
    return series
  }
}

function compile(e: Expression, feeds: Feed[]): Evaluate {
  switch (e.is) {
    case 'number':
      return () => e.value
    case 'time':
      return time => time / 1000
    case 'selector': {
      const feed: Feed = { selector: e, elements: [] }
      feeds.push(feed)
      return () => feed.elements
    }
    case 'abs':
      return mapped(compile(e.of, feeds), value => (typeof value === 'number' ? Math.abs(value) : undefined))
    case 'histogram_quantile':
      return mapped(compile(e.of, feeds), value => quantileOf(e.quantile, value))
    case 'rate':
      return rated(compile(e.of, feeds))
    case 'aggregate':
      return aggregated(compile(e.of, feeds), e)
    case 'binary':
      return combined(compile(e.left, feeds), compile(e.right, feeds), e.operator)
  }
}

function mapped(of: Evaluate, change: (value: Value) => Value | undefined): Evaluate {
  return (time, complete) => {
    const result = of(time, complete)
    if (typeof result === 'number') return numberOr(change(result))
    return result.flatMap(({ attributes, value }) => {
      const changed = change(value)
      return changed === undefined ? [] : [{ attributes, value: changed }]
    })
  }
}

function numberOr(value: Value | undefined): Result {
  return typeof value === 'number' ? value : []
}

/** Per second since the reading before. A counter that began again, and a first reading, give none. */
function rated(of: Evaluate): Evaluate {
  let before = new Map<string, Value>()
  let then = 0
  return (time, complete) => {
    const result = of(time, complete)
    const seconds = (time - then) / 1000
    const now = new Map<string, Value>()
    const rates: Element[] = []
    for (const { attributes, value } of typeof result === 'number' ? [] : result) {
      const key = keyOf(attributes)
      const past = before.get(key)
      if (now.size < mostKept) now.set(key, value)
      const rate = past === undefined || seconds <= 0 ? undefined : growth(past, value, seconds)
      if (rate !== undefined) rates.push({ attributes, value: rate })
    }
    before = now
    then = time
    return rates
  }
}

function aggregated(of: Evaluate, e: Extract<Expression, { is: 'aggregate' }>): Evaluate {
  return (time, complete) => {
    const result = of(time, complete)
    // A sum over targets that leaves out those which did not answer would look like one over all.
    if (typeof result === 'number' || (!complete && mergesTargets(e.grouping))) return []
    const groups = new Map<string, { readonly attributes: Attributes; readonly values: number[] }>()
    for (const { attributes, value } of result) {
      if (typeof value !== 'number') continue
      const kept = groupOf(attributes, e.grouping)
      const key = keyOf(kept)
      const group = groups.get(key) ?? { attributes: kept, values: [] }
      groups.set(key, group)
      group.values.push(value)
    }
    return [...groups.values()].map(({ attributes, values }) => ({
      attributes,
      value: aggregate[e.how](values, e.quantile),
    }))
  }
}

function mergesTargets({ labels, without }: Grouping): boolean {
  return targetAttributes.some(name => labels.includes(name) === without)
}

function groupOf(attributes: Attributes, { labels, without }: Grouping): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => labels.includes(name) !== without))
}

/** Elements of equal attributes are joined; a scalar joins all. */
function combined(left: Evaluate, right: Evaluate, operator: Operator): Evaluate {
  return (time, complete) => {
    const [a, b] = [left(time, complete), right(time, complete)]
    if (typeof a === 'number' && typeof b === 'number') return compute(a, operator, b) ?? []
    if (typeof a === 'number') return each(b as readonly Element[], value => computeFrom(a, operator, value))
    if (typeof b === 'number') return each(a, value => compute(value, operator, b))
    const others = new Map(b.map(({ attributes, value }) => [keyOf(attributes), value]))
    return a.flatMap(({ attributes, value }) => {
      const other = others.get(keyOf(attributes))
      if (typeof value !== 'number' || typeof other !== 'number') return []
      const computed = compute(value, operator, other)
      return computed === undefined ? [] : [{ attributes, value: computed }]
    })
  }
}

function each(elements: readonly Element[], change: (value: number) => number | undefined): Element[] {
  return elements.flatMap(({ attributes, value }) => {
    const changed = typeof value === 'number' ? change(value) : undefined
    return changed === undefined ? [] : [{ attributes, value: changed }]
  })
}

function keyOf(attributes: Attributes): string {
  return JSON.stringify(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1)))
}
