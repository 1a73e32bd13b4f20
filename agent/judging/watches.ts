// The detectors' eyes on the series of this node: opened when a series is first seen, and asked about each sample once.

import { reason } from '../../core/errors.ts'
import type { FindingState } from '../../core/finding-event.ts'
import type { Host } from '../../core/host.ts'
import { type Say, type Trouble, troubles } from '../../core/log.ts'
import type { Finding, Sample, Series } from '../../core/model.ts'
import { follow } from '../../judge/in-order.ts'
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
  /** When its series was heard last, or could be heard again, by the monotonic clock; and for how long it was not before that. */
  came: number
  away: number
  finding: Finding | undefined
  /** When there was news of it last, by the monotonic clock. */
  told: number
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
  /** Sources make each series once: which watches it has is asked once. */
  #ofSeries = new WeakMap<Series, readonly EdgeWatch[]>()
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
    const own = finding && { ...finding, subject: { node, series } }
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
      for (const watch of this.#watchesOf(series)) this.#see(watch, time, value, now)
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

  #watchesOf(series: Series): readonly EdgeWatch[] {
    const known = this.#ofSeries.get(series)
    if (known !== undefined) return known
    const { node, rules } = this.#options
    const wanting = series.name === openSeries ? [] : rules.filter(rule => rule.detector.watches(node, series))
    const watches = wanting.flatMap(rule => {
      const same = this.#all.get(keyOf(rule.name, series))
      return same ?? (this.#hasRoom() ? this.#add(rule, series, undefined, 0) : [])
    })
    this.#ofSeries.set(series, watches)
    return watches
  }

  #hasRoom(): boolean {
    const hasRoom = this.#all.size < mostWatches
    if (!hasRoom) this.#trouble('detectors', `${mostWatches} series are watched already, further ones are not`)
    return hasRoom
  }

  #add(rule: WatchRule, series: Series, saved: Saved | undefined, away: number): EdgeWatch {
    const { node, host } = this.#options
    const now = host.monotonic()
    const watch = { ...openWatch(rule, { node, series }, saved), came: now, away, finding: undefined, told: now }
    const place = placeOf(rule.name, series)
    const before = this.#places.get(place)
    if (before !== undefined) this.#drop(before)
    this.#places.set(place, watch)
    this.#all.set(keyOf(rule.name, series), watch)
    return watch
  }

  #see(watch: EdgeWatch, time: number, value: number, now: number): void {
    const before = watch.last
    const place = follow(watch, time, now)
    if (place === 'late') {
      this.late++
      return
    }
    watch.came = now
    watch.away = 0
    this.changed = true
    this.steps++
    this.#judge(watch, () => step(watch, time, value, place === 'back' ? before : undefined))
  }

  #idle(watch: EdgeWatch, now: number): void {
    const { rule, last, came, finding } = watch
    if (rule.detector.idle !== undefined) this.#judge(watch, () => idle(watch, last + Math.max(0, this.#heard - came)))
    if (finding !== undefined && watch.finding === finding && now - watch.told >= again)
      this.#tell(watch, finding, 'updated')
    if (unheard(watch, now) >= gone) this.#drop(watch)
  }

  /** A detector that throws is said, and watches that series no longer. */
  #judge(watch: EdgeWatch, judge: () => News | undefined): void {
    try {
      const news = judge()
      if (news !== undefined) this.#take(watch, news)
    } catch (error) {
      const { rule, subject } = watch
      const about = { series: subject.series!.name }
      this.#options.say('error', `detector ${rule.name} failed and watches this no longer: ${reason(error)}`, about)
      const others = (this.#ofSeries.get(subject.series!) ?? []).filter(other => other !== watch)
      this.#drop(watch)
      this.#ofSeries.set(subject.series!, others)
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
    this.#all.delete(keyOf(rule.name, subject.series!))
    this.#places.delete(placeOf(rule.name, subject.series!))
    this.#ofSeries = new WeakMap()
    this.changed = true
  }
}

/** For how long nothing has come of its series, whatever became of the host's clock meanwhile. */
function unheard({ came, away }: EdgeWatch, now: number): number {
  return away + now - came
}

function toKept(watch: EdgeWatch, at: number): KeptWatch {
  const { rule, subject, last, finding } = watch
  const { name, definition } = rule
  const state = stateToSave(watch)
  return { rule: name, definition, series: subject.series!, state, last, at, ...(finding && { finding }) }
}
