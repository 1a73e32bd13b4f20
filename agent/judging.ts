// Judgement at the edge: the collector's detectors over the series of this node, whoever is away. docs/detectors.md.
//
// - It sees each sample once, when it is durable, in the order in which it became so.
// - Findings travel as events: first what is news is remembered (judging/memory.ts), then it is told (judging/news.ts), so that
//   a crash in between neither loses nor repeats it. What was only learned is saved seldom enough to spare the disk, and a
//   crash costs what was learned since.

import { Refused, reason } from '../core/errors.ts'
import type { FindingState } from '../core/finding-event.ts'
import type { Host } from '../core/host.ts'
import { type Say, type Trouble, troubles } from '../core/log.ts'
import type { Finding, Observation, Sample, Series } from '../core/model.ts'
import type { Part } from '../core/parts.ts'
import { detectors } from '../judge/index.ts'
import { openRule } from '../judge/watch.ts'
import { memoryText, readMemory, type Told } from './judging/memory.ts'
import { mostUntold, News, observationOf } from './judging/news.ts'
import { openSeries, Watches } from './judging/watches.ts'
import type { Keep } from './keep.ts'
import type { Emit, Running } from './source.ts'

export interface JudgingOptions {
  readonly node: string
  readonly rules: readonly Part[]
  readonly keep: Keep
  readonly host: Pick<Host, 'now' | 'monotonic' | 'sleep'>
  readonly say: Say
}

export interface JudgingStats {
  readonly watches: number
  /** Samples judged, once for each detector. */
  readonly steps: number
  readonly late: number
  /** Open findings by rule. */
  readonly open: ReadonlyMap<string, number>
}

const second = 1000
const countsEvery = 10_000
/** Without a tick for so long, this process itself was held still. */
const heldStill = 30_000
/** Bytes a second that may be written: where there is news, and of what was only learned. */
const pace = { news: 64 * 1024, learned: 8 * 1024 } as const
const leastPause = 5000
/** Lines of the log about findings in one second. */
const mostLines = 20

/** To the edge it is a source: of what it finds. */
export class Judging implements Running {
  readonly #options: JudgingOptions
  readonly #trouble: Trouble
  readonly #watches: Watches
  readonly #news: News
  readonly #series: ReadonlyMap<string, Series>
  // By the monotonic clock.
  #ticked: number
  #saved = Number.NEGATIVE_INFINITY
  #counted = Number.NEGATIVE_INFINITY
  #counts = ''
  /** Of the memory. */
  #bytes = 0
  #lines = 0

  constructor(options: JudgingOptions) {
    const { rules, keep, host, say } = options
    this.#options = options
    this.#trouble = troubles(say)
    this.#ticked = host.monotonic()
    this.#series = new Map(rules.map(({ name }) => [name, countSeries(name)]))
    this.#watches = new Watches({
      ...options,
      rules: rules.map(part => openRule(part, detectors)),
      news: (finding, state) => this.#take(finding, state),
    })
    const { watches, untold } = readMemory(keep)
    this.#news = new News(untold)
    for (const kept of watches) this.#watches.restore(kept)
  }

  /** What has just become durable. */
  see({ samples }: Observation): void {
    this.#watches.see(samples)
  }

  async run(emit: Emit, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#tick(emit)
      await this.#options.host.sleep(second, signal)
    }
    this.#saved = Number.NEGATIVE_INFINITY
    await this.#tell(emit)
  }

  stats(): JudgingStats {
    const { size, steps, late } = this.#watches
    return { watches: size, steps, late, open: this.#watches.open() }
  }

  #take(finding: Finding, state: FindingState): void {
    const { host } = this.#options
    this.#news.add(finding, state, host.now(), host.monotonic())
    if (state === 'updated') return
    this.#lines++
    const ended = state === 'closed' ? ' ended' : ''
    if (this.#lines <= mostLines) this.#options.say('warning', `finding ${finding.rule}${ended}: ${finding.message}`)
  }

  async #tick(emit: Emit): Promise<void> {
    const now = this.#options.host.monotonic()
    if (now - this.#ticked > heldStill) this.#watches.deaf()
    this.#ticked = now
    this.#watches.idle()
    const unsaid = this.#lines - mostLines
    this.#lines = 0
    if (unsaid > 0) this.#options.say('warning', `${unsaid} more findings began or ended`)
    const lost = this.#news.lost()
    if (lost > 0) this.#options.say('error', `news of ${lost} findings is lost: ${mostUntold} others wait already`)
    await this.#tell(emit)
    await this.#count(emit, now)
  }

  /** Remembers what is news and what was learned, as far as the disk is to be burdened, and then tells what is news. */
  async #tell(emit: Emit): Promise<void> {
    const now = this.#options.host.monotonic()
    const due = this.#news.due(now)
    if (due.length === 0 && !this.#watches.changed) return
    const [bytesASecond, least] = due.length > 0 ? [pace.news, 0] : [pace.learned, leastPause]
    if (now - this.#saved < Math.max(least, (this.#bytes / bytesASecond) * second)) return
    this.#save(now)
    const results = await Promise.allSettled(due.map(told => emit(observationOf(told))))
    const failures = results.flatMap((result, n) => this.#failureOf(result, due[n]!, now))
    this.#trouble('findings', failures[0] && `they wait: ${failures[0]}`)
  }

  #failureOf(result: PromiseSettledResult<void>, told: Told, now: number): readonly string[] {
    const isRejected = result.status === 'rejected'
    if (isRejected && !(result.reason instanceof Refused)) {
      this.#news.later(told, now)
      return [reason(result.reason)]
    }
    if (isRejected) this.#options.say('error', `a finding of ${told.finding.rule} is lost: ${reason(result.reason)}`)
    this.#news.done(told, now)
    this.#watches.changed = true
    return []
  }

  /** A finding is told also where the disk takes nothing any more. */
  #save(now: number): void {
    const text = memoryText({ watches: this.#watches.kept(), untold: this.#news.untold() })
    this.#saved = now
    this.#bytes = text.length
    try {
      this.#options.keep.save(text)
      this.#watches.changed = false
      this.#trouble('detectors', undefined)
    } catch (error) {
      this.#trouble('detectors', `what they know cannot be remembered: ${reason(error)}`)
    }
  }

  /** When it changes, and every ten seconds. What cannot be kept now is told by the next. */
  async #count(emit: Emit, now: number): Promise<void> {
    const open = this.#watches.open()
    const counts = [...open.values()].join()
    if (open.size === 0 || (counts === this.#counts && now - this.#counted < countsEvery)) return
    const time = this.#options.host.now()
    const samples: Sample[] = [...open].map(([name, value]) => ({ series: this.#series.get(name)!, time, value }))
    try {
      await emit({ samples, events: [] })
      this.#counts = counts
      this.#counted = now
      this.#trouble('counts of findings', undefined)
    } catch (error) {
      this.#trouble('counts of findings', `they cannot be told: ${reason(error)}`)
    }
  }
}

function countSeries(rule: string): Series {
  return { name: openSeries, unit: '{finding}', kind: 'gauge', attributes: { rule } }
}
