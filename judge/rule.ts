// Whether a rule's condition holds, from samples as they come. Pure: the caller gives the time, and keeps the state, which
// is plain data.
//
// Two times: a sample's own, by which its series is put in order and its rate is taken, and `now`, when it came, by which
// is judged how long something lasts or is missing. So a device whose clock is wrong delays no alarm, and a value that is
// told only when it changes goes on holding. Any clock that is not set will do for `now`.

import type { Series } from '../core/model.ts'
import { type Condition, isGroup, type Leaf } from './condition.ts'
import { silence } from './detect/silence.ts'
import { threshold } from './detect/threshold.ts'
import type { Detector, Verdict } from './detector.ts'
import { follow, type Order } from './in-order.ts'
import { selectsSeries } from './select.ts'

export interface RuleState {
  readonly began: number
  /** One for each condition of the tree, groups before their parts. */
  readonly parts: readonly PartState[]
}

interface PartState {
  /** By the series' label. */
  readonly series: Record<string, SeriesState>
  /** Since when it holds. */
  since: number | null
  /** It was decided once. */
  known: boolean
}

interface SeriesState extends Order {
  /** Of the newest sample. */
  value: number
  /** Whether it is as the condition says; null while that cannot be told. */
  level: boolean | null
  state: unknown
}

/** Of one condition; more are not looked at. */
const mostSeries = 1000
/** As evidence. */
const mostShown = 50

interface Part {
  readonly n: number
  readonly for: number
  readonly leaf?: Leaf
  readonly selects?: (node: string, series: Series) => boolean
  readonly detector?: Detector<unknown>
  readonly of?: 'all' | 'any'
  readonly parts: readonly Part[]
}

export class Rule {
  readonly #root: Part
  readonly #all: Part[] = []

  constructor(condition: Condition) {
    this.#root = this.#open(condition)
  }

  #open(condition: Condition): Part {
    const n = this.#all.length
    // Its place is taken before its parts have theirs.
    this.#all.length++
    const part: Part = isGroup(condition)
      ? { n, for: condition.for, of: condition.of, parts: condition.parts.map(p => this.#open(p)) }
      : { n, for: condition.for, ...leafPart(condition), parts: [] }
    this.#all[n] = part
    return part
  }

  start(now: number): RuleState {
    return { began: now, parts: this.#all.map(() => ({ series: {}, since: null, known: false })) }
  }

  /** Which of its conditions look at the series; asked once a series. */
  watches(source: string, series: Series): readonly number[] {
    const fits = ({ leaf, selects }: Part): boolean =>
      leaf !== undefined && (leaf.source ?? source) === source && selects!('', series)
    return this.#all.filter(fits).map(({ n }) => n)
  }

  /** One sample of a series that the condition watches; one that comes late is not looked at. */
  see(
    state: RuleState,
    condition: number,
    label: string,
    series: Series,
    time: number,
    value: number,
    now: number,
  ): void {
    const { leaf, detector } = this.#all[condition]!
    const known = state.parts[condition]!.series
    if (known[label] === undefined && Object.keys(known).length >= mostSeries) return
    const isNew = known[label] === undefined
    known[label] ??= { last: time, behind: null, value, level: null, state: detector!.start(series) }
    const one = known[label]
    const place = follow(one, time, now)
    if (place === 'late') return
    one.value = value
    const isRate = leaf!.per !== undefined || (series.kind === 'counter' && leaf!.silent_for === undefined)
    // A rate begins anew; everything else does not go by the clock of the samples.
    if (place === 'back' && isRate) Object.assign(one, { level: null, state: detector!.start(series) })
    const verdict = detector!.step(one.state, leaf!.silent_for === undefined ? time : now, value)
    take(one, verdict, !(isRate && (isNew || place === 'back')))
  }

  /** Undefined while it cannot be told. To be asked after each sample, and now and then for what lasts or is missing. */
  holds(state: RuleState, now: number): boolean | undefined {
    return this.#holds(state, this.#root, now)
  }

  /** The newest values of the series that are as their conditions say; of all, where none is. */
  evidence(state: RuleState): Readonly<Record<string, number>> {
    const all = state.parts.flatMap(({ series }) => Object.entries(series))
    const those = all.filter(([, { level }]) => level)
    const shown = (those.length > 0 ? those : all).slice(0, mostShown)
    return Object.fromEntries(shown.map(([label, { value }]) => [label, value]))
  }

  #holds(state: RuleState, part: Part, now: number): boolean | undefined {
    const own = state.parts[part.n]!
    const holds = part.leaf === undefined ? this.#group(state, part, now) : leafHolds(state, part, own, now)
    if (holds !== true) own.since = null
    else own.since ??= now
    const lasted = own.since === null ? holds : now - own.since >= part.for || (own.known ? false : undefined)
    own.known ||= lasted !== undefined
    return lasted
  }

  /** As far as one part decides it, the others need not be known; but all are asked, for each keeps its time. */
  #group(state: RuleState, { of, parts }: Part, now: number): boolean | undefined {
    const all = parts.map(part => this.#holds(state, part, now))
    const deciding = of === 'any'
    if (all.includes(deciding)) return deciding
    return all.includes(undefined) ? undefined : !deciding
  }
}

function leafHolds(state: RuleState, { leaf, detector }: Part, own: PartState, now: number): boolean | undefined {
  const all = Object.values(own.series)
  if (leaf!.silent_for !== undefined) {
    for (const one of all) take(one, detector!.idle!(one.state, now), true)
    if (all.length === 0) return now - state.began >= leaf!.silent_for || undefined
  }
  if (all.some(({ level }) => level)) return true
  return all.some(({ level }) => level !== null) ? false : undefined
}

function take(one: SeriesState, verdict: Verdict, isKnown: boolean): void {
  if (verdict !== undefined) one.level = 'since' in verdict
  else if (isKnown) one.level ??= false
}

function leafPart(leaf: Leaf): Pick<Part, 'leaf' | 'selects' | 'detector'> {
  return { leaf, selects: selectsSeries(leaf), detector: detectorOf(leaf) }
}

/** The same detectors run in the collector. */
function detectorOf(leaf: Leaf): Detector<unknown> {
  const { metric, above, below, clear, per, silent_for } = leaf
  if (silent_for !== undefined) return silence.open({ metric, after: silent_for, severity: 'warning' })
  return threshold.open({ metric, above, below, clear, per, for: 0, severity: 'warning' }) as Detector<unknown>
}

/** `spo2{bed=2, source=monitor-2}`: tells one series from another, for people too. */
export function labelOf({ name, attributes }: Series): string {
  const entries = Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1))
  return entries.length === 0 ? name : `${name}{${entries.map(([key, value]) => `${key}=${value}`).join(', ')}}`
}
