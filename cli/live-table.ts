// What the live table of `fieldline test` shows: the last value of each series, how old it is, and whether it can be
// believed. Pure: the caller gives the time.

import { oneLine } from '../core/log.ts'
import type { Event, Json, Observation, Sample, Series } from '../core/model.ts'
import { isMap } from '../core/shape.ts'
import { attributesText, eventText } from './observation-text.ts'
import { table } from './table.ts'
import { texts } from './texts.ts'

interface Row {
  readonly series: Pick<Series, 'name' | 'unit'>
  readonly attributes: string
  value: string
  /** When it came; undefined where none came yet. */
  at: number | undefined
  /** As the source told it last; undefined: good. */
  quality: string | undefined
}

/** Enough to see it move. */
const digits = 9
const mostRows = 5000
/** Of what happened, the newest. */
const mostEvents = 5
/** Lines beside the rows: the head, a gap, the hint at the end, and one that says how many more there are. */
const beside = 4

export class LiveTable {
  readonly #rows = new Map<string, Row>()
  #events: string[] = []
  #said: string | undefined

  take({ samples, events }: Pick<Observation, 'samples' | 'events'>, now: number): void {
    for (const event of events) this.#happened(event)
    for (const sample of samples) this.#sample(sample, now)
  }

  /** A word of the source about itself: the last one is shown. */
  say(message: string): void {
    this.#said = oneLine(message)
  }

  #sample({ series, value }: Sample, now: number): void {
    const attributes = attributesText(series.attributes)
    const key = `${series.name} ${attributes}`
    const row = this.#rows.get(key) ?? this.#add(key, { series, attributes, value: '', at: now, quality: undefined })
    // The name alone stood for it until its first value.
    if (attributes !== '') this.#rows.delete(series.name)
    row.value = String(Number(value.toPrecision(digits)))
    row.at = now
    if (row.quality !== undefined && !isUncertain(row.quality)) row.quality = undefined
  }

  #add(key: string, row: Row): Row {
    if (this.#rows.size < mostRows) this.#rows.set(key, row)
    return row
  }

  #happened(event: Event): void {
    this.#events = [...this.#events, eventText(event)].slice(-mostEvents)
    if (!/\bquality(\b|_)/.test(event.name)) return
    const body = isMap(event.body) ? event.body : {}
    const quality = String(body.quality ?? body.status ?? '')
    for (const name of namesIn(event, body)) this.#qualify(name, isGood(quality) ? undefined : quality)
  }

  #qualify(name: string, quality: string | undefined): void {
    const known = [...this.#rows.values()].filter(row => row.series.name === name)
    if (known.length === 0)
      this.#add(name, { series: { name, unit: '' }, attributes: '', value: '-', at: undefined, quality })
    for (const row of known) row.quality = quality
  }

  /** As many rows as fit into `lines`, each as wide as it is. */
  text(now: number, lines: number): string {
    const { said } = texts(process.env)
    const { column } = said
    const head = [column.name, column.value, column.unit, column.age, column.quality, column.attributes]
    const after = [...this.#events, ...(this.#said === undefined ? [] : [this.#said])]
    const room = Math.max(1, lines - beside - after.length)
    const rows = [...this.#rows.values()]
    const shown = rows.slice(0, room).map(row => cells(row, now, said.quality))
    const more = rows.length > room ? [said.moreRows(rows.length - room)] : []
    const body = rows.length === 0 ? [said.waiting] : [table([head, ...shown], [1, 3]), ...more]
    return [...body, '', ...after, said.ctrlC].join('\n')
  }
}

/** What a narrow terminal cuts off comes last. */
function cells(
  { series, attributes, value, at, quality }: Row,
  now: number,
  word: { readonly good: string },
): string[] {
  const old = at === undefined ? '-' : age(now - at)
  return [oneLine(series.name), value, series.unit, old, quality ?? word.good, attributes]
}

function age(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`
  return ms < 600_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`
}

function namesIn({ attributes }: Event, body: Readonly<Record<string, unknown>>): readonly string[] {
  const one: Json | undefined = attributes.register ?? attributes.node
  if (one !== undefined) return [String(one)]
  return Array.isArray(body.nodes) ? body.nodes.map(String) : []
}

function isGood(quality: string): boolean {
  return /^good/i.test(quality)
}

function isUncertain(quality: string): boolean {
  return /^uncertain/i.test(quality)
}
