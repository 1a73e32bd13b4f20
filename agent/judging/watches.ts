// The detectors' eyes on the series of this node: opened when a series is first seen, and asked about each sample once.

import { reason } from '../../core/errors.ts'
import type { FindingState } from '../../core/finding-event.ts'
import type { Host } from '../../core/host.ts'
import { type Say, type Trouble, troubles } from '../../core/log.ts'
import type { Finding, Sample, Series } from '../../core/model.ts'
import { follow, type Order } from '../../judge/in-order.ts'
import {
  idle,
  type News,
  openWatch,
  type Saved,
  stateToSave,
  step,
  type Watch,
  type WatchRule,
} from '../../judge/watch.ts'
import { keyOf, placeOf } from './key.ts'
import type { KeptWatch } from './memory.ts'

export interface WatchesOptions {
  readonly node: string
  readonly rules: readonly WatchRule[]
  readonly host: Pick<Host, 'now' | 'monotonic'>
  readonly say: Say
  /** A finding began, changed or ended. */
  news(finding: Finding, state: FindingState): void
}

interface EdgeWatch extends Watch {
  /** Where it judges many series together: the order of each. */
  readonly orders: WeakMap<Series, Order>
  /** When its series was heard last, or could be heard again, by the monotonic clock; and for how long it was not before that. */
  came: number
  away: number
  finding: Finding | undefined
  /** When there was news of it last, by the monotonic clock. */
  told: number
}

/** What looks at one series: a watch of its own, which is in its order too, or that of all series judged together. */
interface Eye {
  readonly watch: EdgeWatch
  readonly order: Order
}

/** How many findings are open, by rule; a series of this node that no detector looks at. */
export const openSeries = 'fieldline.findings'
export const mostWatches = 5000
/** A series that was not heard for so long is gone, ms. */
const gone = 30 * 86_400_000
/** Open findings are told again so often: the collector ends what is not. */
const again = 3_600_000
/** And so soon after a start: who is started every half hour tells them too. */
const soon = 60_000

export class Watches {
  readonly #options: WatchesOptions
  readonly #trouble: Trouble
  readonly #all = new Map<string, EdgeWatch>()
  readonly #places = new Map<string, EdgeWatch>()
  /** Sources make each series once: who looks at it is asked once. */
  #ofSeries = new WeakMap<Series, readonly Eye[]>()
  /** Keys of watches whose detector threw. */
  readonly #failed = new Set<string>()
  /** When something became durable last, by the monotonic clock. */
  #heard: number
  /** Something was learned since this was made false. */
  changed = false
  steps = 0
  late = 0

  constructor(options: WatchesOptions) {
    this.#options = options
    this.#trouble = troubles(options.say)
    this.#heard = options.host.monotonic()
  }

  get size(): number {
    return this.#all.size
  }

  /** For the memory. */
  kept(): readonly KeptWatch[] {
    const { host } = this.#options
    const [now, present] = [host.monotonic(), host.now()]
    return [...this.#all.values()].map(watch => toKept(watch, present - unheard(watch, now)))
  }

  /** Open findings by rule. */
  open(): ReadonlyMap<string, number> {
    const open = new Map(this.#options.rules.map(({ name }) => [name, 0]))
    for (const { finding, rule } of this.#all.values())
      if (finding !== undefined) open.set(rule.name, open.get(rule.name)! + 1)
    return open
  }

  /** One of an earlier run; what its rule no longer looks at, or cannot read, has ended. */
  restore({ rule: name, definition, series, finding, at, ...saved }: KeptWatch): void {
    const { node, rules, host, news } = this.#options
    const rule = rules.find(rule => rule.name === name && rule.definition === definition)
    const own = finding && { ...finding, subject: { node, ...(series && { series }) } }
    if (rule !== undefined && isGroup(rule) !== (series === undefined)) return // Damaged.
    const isWatched = rule?.detector.watches(node, series)
    const away = Math.max(0, host.now() - at)
    const watch = isWatched ? this.#add(rule!, series, { ...saved, since: own?.since }, away) : undefined
    if (watch?.since !== undefined) Object.assign(watch, { finding: own, told: host.monotonic() - again + soon })
    else if (own !== undefined) news({ ...own, until: Math.max(own.since, saved.last) }, 'closed')
  }

  /** Samples that have just become durable. */
  see(samples: readonly Sample[]): void {
    const now = this.#options.host.monotonic()
    this.#heard = now
    for (const { series, time, value } of samples)
      for (const eye of this.#eyesOn(series)) this.#see(eye, series, time, value, now)
  }

  /** To be called about once a second. While nothing at all becomes durable, nothing is called missing. */
  idle(): void {
    const now = this.#options.host.monotonic()
    for (const watch of this.#all.values()) this.#idle(watch, now)
  }

  /** This process was held still: that nothing came proves nothing. */
  deaf(): void {
    this.#heard = this.#options.host.monotonic()
    for (const watch of this.#all.values()) {
      watch.away = unheard(watch, this.#heard)
      watch.came = this.#heard
    }
  }

  #eyesOn(series: Series): readonly Eye[] {
    const known = this.#ofSeries.get(series)
    if (known !== undefined) return known
    const { node, rules } = this.#options
    const wanting = series.name === openSeries ? [] : rules.filter(rule => rule.detector.watches(node, series))
    const eyes = wanting.flatMap(rule => this.#eye(rule, series))
    this.#ofSeries.set(series, eyes)
    return eyes
  }

  #eye(rule: WatchRule, series: Series): readonly Eye[] {
    const about = isGroup(rule) ? undefined : series
    const key = keyOf(rule.name, about)
    if (this.#failed.has(key)) return []
    const watch = this.#all.get(key) ?? (this.#hasRoom() ? this.#add(rule, about, undefined, 0) : undefined)
    if (watch === undefined) return []
    const order = about === undefined ? orderOf(watch, series) : watch
    return [{ watch, order }]
  }

  #hasRoom(): boolean {
    const hasRoom = this.#all.size < mostWatches
    if (!hasRoom) this.#trouble('detectors', `${mostWatches} series are watched already, further ones are not`)
    return hasRoom
  }

  #add(rule: WatchRule, series: Series | undefined, saved: Saved | undefined, away: number): EdgeWatch {
    const { node, host } = this.#options
    const now = host.monotonic()
    const opened = openWatch(rule, { node, ...(series && { series }) }, saved)
    const watch = { ...opened, orders: new WeakMap<Series, Order>(), came: now, away, finding: undefined, told: now }
    if (series !== undefined) this.#takePlace(watch, placeOf(rule.name, series))
    this.#all.set(keyOf(rule.name, series), watch)
    return watch
  }

  #takePlace(watch: EdgeWatch, place: string): void {
    const before = this.#places.get(place)
    if (before !== undefined) this.#drop(before)
    this.#places.set(place, watch)
  }

  #see({ watch, order }: Eye, series: Series, time: number, value: number, now: number): void {
    const before = order.last
    const place = follow(order, time, now)
    if (place === 'late') {
      this.late++
      return
    }
    Object.assign(watch, { last: order.last, came: now, away: 0 })
    this.changed = true
    this.steps++
    this.#judge(watch, () => step(watch, time, value, place === 'back' ? before : undefined, series))
  }

  #idle(watch: EdgeWatch, now: number): void {
    const { rule, last, came, finding } = watch
    if (rule.detector.idle !== undefined) this.#judge(watch, () => idle(watch, last + Math.max(0, this.#heard - came)))
    if (finding !== undefined && watch.finding === finding && now - watch.told >= again)
      this.#tell(watch, finding, 'updated')
    if (unheard(watch, now) >= gone) this.#drop(watch)
  }

  /** A detector that throws is said, and watches that no longer. */
  #judge(watch: EdgeWatch, judge: () => News | undefined): void {
    try {
      const news = judge()
      if (news !== undefined) this.#take(watch, news)
    } catch (error) {
      const { rule, subject } = watch
      const about = { series: subject.series?.name ?? '' }
      this.#options.say('error', `detector ${rule.name} failed and watches this no longer: ${reason(error)}`, about)
      this.#failed.add(keyOf(rule.name, subject.series))
      this.#drop(watch)
    }
  }

  #take(watch: EdgeWatch, { ended, found }: News): void {
    if (ended !== undefined) this.#close(watch, ended.until)
    if (found === undefined) return
    const state = watch.finding === undefined ? 'opened' : 'updated'
    watch.finding = found
    this.#tell(watch, found, state)
  }

  #close(watch: EdgeWatch, until: number): void {
    const { finding } = watch
    watch.finding = undefined
    if (finding !== undefined) this.#tell(watch, { ...finding, until: Math.max(finding.since, until) }, 'closed')
  }

  #tell(watch: EdgeWatch, finding: Finding, state: FindingState): void {
    this.changed = true
    watch.told = this.#options.host.monotonic()
    this.#options.news(finding, state)
  }

  #drop(watch: EdgeWatch): void {
    this.#close(watch, watch.last)
    const { rule, subject } = watch
    this.#all.delete(keyOf(rule.name, subject.series))
    if (subject.series !== undefined) this.#places.delete(placeOf(rule.name, subject.series))
    this.#ofSeries = new WeakMap()
    this.changed = true
  }
}

/** For how long nothing has come of its series, whatever became of the host's clock meanwhile. */
function unheard({ came, away }: EdgeWatch, now: number): number {
  return away + now - came
}

function orderOf({ orders }: EdgeWatch, series: Series): Order {
  const order = orders.get(series) ?? { last: Number.NEGATIVE_INFINITY, behind: null }
  orders.set(series, order)
  return order
}

function isGroup({ detector }: WatchRule): boolean {
  return detector.scope === 'group'
}

function toKept(watch: EdgeWatch, at: number): KeptWatch {
  const { rule, subject, last, finding } = watch
  const { name, definition } = rule
  const state = stateToSave(watch)
  const about = subject.series === undefined ? {} : { series: subject.series }
  return { rule: name, definition, ...about, state, last, at, ...(finding && { finding }) }
}
