// One target's samples: what each line of its exposition becomes, made once and kept by Exposition, and what one reading
// of all lines gives. A reading that fails gives nothing, not what it met before it failed.

import type { Attributes, Distribution, Sample, Series, SeriesKind } from '../../core/model.ts'
import type { Feed } from './derive.ts'
import { Gathering, type Role } from './distributions.ts'
import { Exposition, type Family, type Format, type NewSample } from './exposition.ts'
import { type Labels, numberOf } from './line.ts'
import { nameLabel, type Rule, relabel } from './relabel.ts'
import { unitOf } from './units.ts'

export interface ScrapeOptions {
  /** For errors. */
  readonly origin: string
  /** Labels of the target; one of the same name that the endpoint gives becomes `exported_...`. */
  readonly labels: Readonly<Record<string, string>>
  /** What tells the target apart, beside its labels. */
  readonly attributes: Attributes
  readonly rules: readonly Rule[]
  /** Whether a metric is sent. */
  chosen(name: string): boolean
  /** Who computes with a series. */
  feeds(name: string, attributes: Attributes): readonly Feed[]
  /** Numbers that a reading may hold. */
  readonly maxSamples: number
  /** Whether the timestamps it gives count, instead of the time of the reading. */
  readonly honorTimestamps: boolean
}

export interface Scraped {
  readonly samples: readonly Sample[]
  readonly distributions: readonly Distribution[]
  /** Numbers met, those only computed with among them. */
  readonly count: number
  /** What was met and could not be taken, in words; undefined where there is none. */
  readonly odd: string | undefined
}

interface Plain {
  readonly series: Series
  readonly sent: boolean
  readonly feeds: readonly Feed[]
  /** In which reading it was met last, and the time it was given then. */
  reading: number
  time: number
}

interface Spread {
  readonly gathering: Gathering
  readonly sent: boolean
  readonly feeds: { readonly whole: readonly Feed[]; readonly count: readonly Feed[]; readonly sum: readonly Feed[] }
}

/** Nothing where it was dropped. */
type Made = Plain | { readonly spread: Spread; readonly role: Role } | undefined

/** Characters of a name or a value; more is an error, as no series can be known by it. */
const mostCharacters = 4096
/** A timestamp further ahead of the reading, ms, is not one. */
const ahead = 3_600_000
const partLabels = { histogram: 'le', summary: 'quantile' } as const

export class Scrape {
  readonly #options: ScrapeOptions
  readonly #exposition: Exposition<Made>
  /** What was made, by name, labels and kind: lines may write the same labels in another order. */
  readonly #known = new Map<string, WeakRef<Plain | Spread>>()
  #reading = 0

  constructor(options: ScrapeOptions) {
    this.#options = options
    this.#exposition = new Exposition(options.origin, sample => this.#make(sample))
  }

  /** `time`: ms since the epoch of the reading. @throws Error that names the origin. */
  read(bytes: Buffer, format: Format, time: number): Scraped {
    const { origin, maxSamples, honorTimestamps } = this.#options
    this.#reading++
    const samples: Sample[] = []
    const fed: { readonly to: readonly Feed[]; readonly series: Series; readonly value: number }[] = []
    const dated: { readonly made: Plain; readonly at: number }[] = []
    const spreads: Spread[] = []
    let count = 0
    let odd: string | undefined
    const take = (made: Made, value: number, given: number | undefined): void => {
      if (made === undefined) return
      if (++count > maxSamples) throw new Error(`${origin}: exposes more than max_samples, ${maxSamples}`)
      const at = honorTimestamps && given !== undefined ? given : time
      if (!(at > 0 && at <= time + ahead)) odd = 'gives a timestamp that cannot be true'
      else if ('spread' in made) {
        if (made.spread.gathering.begin(this.#reading, at)) spreads.push(made.spread)
        if (!made.spread.gathering.tell(made.role, value)) odd = `gives ${made.spread.gathering.series.name} twice`
      } else if (made.reading === this.#reading) odd = `gives ${made.series.name} twice with the same labels`
      else {
        made.reading = this.#reading
        // NaN and infinities are no value.
        if (Number.isFinite(value)) plain(made, value, at)
      }
    }
    const plain = (made: Plain, value: number, at: number): void => {
      if (made.feeds.length > 0) fed.push({ to: made.feeds, series: made.series, value })
      // A timestamp met before tells the same again.
      if (at !== time && at === made.time) return
      if (at !== time) dated.push({ made, at })
      if (made.sent) samples.push({ series: made.series, time: at, value })
    }
    this.#exposition.read(bytes, format, take)
    this.#sweep(count)
    for (const { made, at } of dated) made.time = at
    for (const { to, series, value } of fed)
      for (const feed of to) feed.elements.push({ attributes: series.attributes, value })
    const distributions = spreads.flatMap(spread => {
      const value = finished(spread)
      if (value === undefined) odd = `contradicts itself in ${spread.gathering.series.name}, or lacks its count`
      return value === undefined || !spread.sent ? [] : [value]
    })
    return { samples, distributions, count, odd }
  }

  #make({ name, labels, family }: NewSample): Made {
    const { origin, rules } = this.#options
    const all = this.#labelsOf(name, labels)
    if (isDropped(name, family) || !relabel(rules, all)) return undefined
    const called = all.get(nameLabel)
    if (called === undefined) throw new Error(`${origin}: a rule of relabel takes the name of ${name} away`)
    for (const label of all.keys()) if (label.startsWith('__')) all.delete(label)
    const part = partOf(name, called, all, family)
    return part === undefined ? this.#plain(called, all, family) : this.#part(part, all, family)
  }

  /** With those of the target, as rules see them. */
  #labelsOf(name: string, labels: Labels): Map<string, string> {
    const all = new Map([[nameLabel, name]])
    for (const [label, value] of labels) {
      if (Math.max(name.length, label.length, value.length) > mostCharacters) {
        throw new Error(
          `${this.#options.origin}: a label of ${name.slice(0, 60)} is longer than ${mostCharacters} characters`,
        )
      }
      if (value !== '') all.set(Object.hasOwn(this.#options.labels, label) ? `exported_${label}` : label, value)
    }
    for (const [label, value] of Object.entries(this.#options.labels)) all.set(label, value)
    return all
  }

  /** A line of a histogram or a summary. */
  #part({ kind, base, role }: PartOf, labels: Map<string, string>, family: Family | undefined): Made {
    labels.delete(partLabels[kind])
    const series = this.#series(base, 'counter', labels, family)
    const key = keyOf(kind, series)
    const known = this.#known.get(key)?.deref()
    const spread = known !== undefined && 'gathering' in known ? known : this.#newSpread(kind, series)
    if (!spread.sent && Object.values(spread.feeds).every(feeds => feeds.length === 0)) return undefined
    this.#known.set(key, new WeakRef(spread))
    return { spread, role }
  }

  #newSpread(kind: 'histogram' | 'summary', series: Series): Spread {
    const { chosen, feeds } = this.#options
    const to = (name: string): readonly Feed[] => feeds(name, series.attributes)
    return {
      gathering: new Gathering(kind, series),
      sent: chosen(series.name),
      feeds: { whole: to(series.name), count: to(`${series.name}_count`), sum: to(`${series.name}_sum`) },
    }
  }

  #plain(name: string, labels: ReadonlyMap<string, string>, family: Family | undefined): Made {
    const { chosen, feeds } = this.#options
    const series = this.#series(name, family?.type === 'counter' ? 'counter' : 'gauge', labels, family)
    const key = keyOf(series.kind, series)
    const known = this.#known.get(key)?.deref()
    if (known !== undefined && 'series' in known) return known
    const plain = { series, sent: chosen(name), feeds: feeds(name, series.attributes), reading: 0, time: 0 }
    if (!plain.sent && plain.feeds.length === 0) return undefined
    this.#known.set(key, new WeakRef(plain))
    return plain
  }

  #series(name: string, kind: SeriesKind, labels: ReadonlyMap<string, string>, family: Family | undefined): Series {
    const attributes = { ...Object.fromEntries(labels), ...this.#options.attributes }
    return { name, unit: unitOf(name, family?.unit ?? ''), kind, attributes }
  }

  /** What Exposition no longer holds, nobody asks for. */
  #sweep(count: number): void {
    if (this.#known.size <= 4 * count + 1000) return
    for (const [key, known] of this.#known) if (known.deref() === undefined) this.#known.delete(key)
  }
}

/** When a counter began is no value of it; a histogram that may fall has no word in OpenTelemetry and is to be dropped. */
function isDropped(name: string, family: Family | undefined): boolean {
  if (family?.type === 'gaugehistogram') return true
  return family !== undefined && name.endsWith('_created') && name !== family.name && family.type !== 'gauge'
}

interface PartOf {
  readonly kind: 'histogram' | 'summary'
  /** The distribution's name. */
  readonly base: string
  readonly role: Role
}

/** What a line that was `name`, and is `called` so after relabelling, tells of its family's distribution, if anything. */
function partOf(
  name: string,
  called: string,
  labels: ReadonlyMap<string, string>,
  family: Family | undefined,
): PartOf | undefined {
  if (family?.type !== 'histogram' && family?.type !== 'summary') return undefined
  const kind = family.type
  const suffix = name.slice(family.name.length)
  if (!called.endsWith(suffix)) return undefined
  const base = called.slice(0, called.length - suffix.length)
  if (suffix === '_count' || suffix === '_sum') return { kind, base, role: { is: suffix === '_sum' ? 'sum' : 'count' } }
  if (suffix !== (kind === 'histogram' ? '_bucket' : '')) return undefined
  const at = numberOf(labels.get(partLabels[kind]) ?? '')
  // Some exporters write per cent where a quantile belongs: a gauge of its own, as it cannot be one of a summary.
  const fits = at !== undefined && (kind === 'histogram' ? !Number.isNaN(at) : at >= 0 && at <= 1)
  return fits ? { kind, base, role: { is: 'part', at } } : undefined
}

/** Feeds what is computed with it. */
function finished({ gathering, feeds }: Spread): Distribution | undefined {
  const value = gathering.finish()
  if (value === undefined) return undefined
  const { attributes } = gathering.series
  for (const feed of feeds.whole) feed.elements.push({ attributes, value })
  for (const feed of feeds.count) feed.elements.push({ attributes, value: value.count })
  const { sum } = value
  if (sum !== undefined) for (const feed of feeds.sum) feed.elements.push({ attributes, value: sum })
  return { series: gathering.series, time: gathering.time, value }
}

function keyOf(kind: string, { name, unit, attributes }: Series): string {
  return JSON.stringify([kind, name, unit, ...Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1))])
}
