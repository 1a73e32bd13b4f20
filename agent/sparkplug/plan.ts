// From samples and events to what a host is told of them: which of them are of the present, which are history, and which say
// nothing new. Samples keep the order in which they came; nothing but what a host knows already is left out.

import type { Event, Sample } from '../../core/model.ts'
import type { Opened } from '../uplinks/opened.ts'
import type { Catalogue } from './catalogue.ts'
import type { Value } from './payload.ts'
import { eventText, fits, type Owner, type Tag } from './tag.ts'

export interface Row {
  readonly tag: Tag
  readonly time: number
  readonly value: Exclude<Value, null>
  isHistorical: boolean
}

export interface PlanOptions {
  readonly catalogue: Catalogue
  /** Leave out a value that is the same as the one before (clause principles-rbe-recommended). */
  readonly by_exception: boolean
  /** Characters that the text of an event may have. */
  readonly most_text: number
  readonly now: number
}

export class Plan {
  readonly rows = new Map<Owner, Row[]>()
  readonly #options: PlanOptions

  constructor(options: PlanOptions) {
    this.#options = options
  }

  /** Takes up an envelope; answers how much of it cannot be told: beyond the limit of metrics, or too large. */
  add({ resource, samples, events }: Opened, isBacklog: boolean): number {
    const { catalogue, now } = this.#options
    catalogue.describe(resource, now)
    let left = 0
    for (const sample of samples) if (!this.#sample(sample, isBacklog)) left++
    for (const event of events) if (!this.#event(event, isBacklog)) left++
    return left
  }

  #sample({ series, time, value }: Sample, isBacklog: boolean): boolean {
    const { catalogue, by_exception, now } = this.#options
    const tag = catalogue.ofSeries(series, value, now)
    if (tag === undefined) return false
    if (!fits(tag.type, value)) widen(tag)
    tag.heard = now
    if (tag.life !== undefined) tag.life.heard = now
    if (tag.value !== null && (isBacklog || time < tag.time)) {
      if (time !== tag.time || value !== tag.value) this.#push(tag, time, value, true)
      return true
    }
    if (tag.isPulse && tag.life !== undefined && !isBacklog) tag.life.works = value !== 0
    const isSame = tag.value === value && (by_exception || tag.time === time)
    tag.value = value
    tag.time = time
    if (!isSame) this.#push(tag, time, value, isBacklog)
    return true
  }

  #event(event: Event, isBacklog: boolean): boolean {
    const { catalogue, most_text, now } = this.#options
    const text = eventText(event)
    const tag = Buffer.byteLength(text) > most_text ? undefined : catalogue.ofEvent(event, now)
    if (tag === undefined) return false
    const isHistorical = isBacklog || event.time < tag.time
    if (!isHistorical) tag.time = event.time
    tag.heard = now
    this.#push(tag, event.time, text, isHistorical)
    return true
  }

  #push(tag: Tag, time: number, value: Exclude<Value, null>, isHistorical: boolean): void {
    const rows = this.rows.get(tag.owner)
    const row = { tag, time, value, isHistorical }
    if (rows === undefined) this.rows.set(tag.owner, [row])
    else rows.push(row)
  }
}

/** A count that turned out to be no whole number: births have to tell it otherwise. */
function widen(tag: Tag): void {
  tag.type = 'Double'
  tag.owner.isChanged = true
}

/**
 * What is still to be told when a birth has told of the newest value of each metric: that one no more, and those before it
 * as history, so that what is of the present stays in the order of time (clauses operational-behavior-data-publish-*-order).
 */
export function behindBirth(rows: readonly Row[]): Row[] {
  const left: Row[] = []
  for (const row of rows) {
    const { tag, time, value } = row
    if (!tag.isEvent && time === tag.time && value === tag.value) continue
    left.push(tag.isEvent ? row : { ...row, isHistorical: true })
  }
  return left
}

/** The same in the order of time, those of one moment in the order in which they came. */
export function inOrder(rows: readonly Row[]): readonly Row[] {
  for (let n = 1; n < rows.length; n++)
    if (rows[n]!.time < rows[n - 1]!.time) return rows.toSorted((a, b) => a.time - b.time)
  return rows
}
