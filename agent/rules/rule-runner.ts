// One rule at work: asks the judgement after each sample, and has its outputs follow.
//
// - Events and messages go at once. What is written to one device follows in order; what is over is not begun any more.
// - A write of which nobody knows whether it was done is tried again until it is, or the rule says otherwise.
// - The budget counts changes of outputs, over restarts too. Its last one is kept for `then`: a rule that flaps stands still
//   in its alarm, not out of it, until the budget allows more.
// - After a start the first judgement is written in any case; events and messages tell only what changed since the last
//   one that was told, by this process or by the one before.

import { backoff } from '../../core/backoff.ts'
import type { Host } from '../../core/host.ts'
import type { Outcome, Series } from '../../core/model.ts'
import { labelOf, Rule, type RuleState } from '../../judge/rule.ts'
import { left } from '../budget.ts'
import type { Teller } from '../teller.ts'
import type { Cause, Deeds } from './deeds.ts'
import type { Deed, DeedOf, RuleConfig } from './options.ts'
import { Relay } from './relay.ts'

export const spentEvent = 'fieldline.rule.spent'

/** What a rule knows after a restart. */
export interface Past {
  /** What was told last: that it holds, or not. */
  readonly holds?: boolean
  /** When outputs were changed, as far back as the budget looks. */
  readonly times: readonly number[]
}

export interface RunnerOptions {
  readonly config: RuleConfig
  readonly deeds: Deeds
  readonly teller: Teller
  readonly host: Pick<Host, 'now' | 'monotonic' | 'sleep'>
  /** Durable when it returns. */
  save(past: Past): void
  readonly signal: AbortSignal
}

/** One rule sees a sample of one series. */
export type Watching = (time: number, value: number) => void

export class RuleRunner {
  readonly #options: RunnerOptions
  readonly #rule: Rule | undefined
  readonly #state: RuleState | undefined
  readonly #relays: readonly Relay[]
  #past: Past
  /** What the judgement says, and what the outputs follow. */
  #wanted: boolean | undefined
  #done: boolean | undefined
  /** What is under way at each device, and all that is. */
  readonly #chains = new Map<string, Promise<void>>()
  readonly #pending = new Set<Promise<void>>()
  /** Ends what is tried again for a state that is over. */
  #turn = new AbortController()
  #spent = false

  constructor(options: RunnerOptions, past: Past) {
    const { config, deeds, host } = options
    this.#options = options
    this.#past = past
    this.#rule = config.when && new Rule(config.when)
    this.#state = this.#rule?.start(host.monotonic())
    const relays = config.then.filter((deed): deed is DeedOf<'relay'> => deed.kind === 'relay')
    this.#relays = relays.map(
      deed => new Relay({ deed, now: host.monotonic, write: value => deeds.write(deed, value) }),
    )
    if (config.start !== 'keep') this.#outputs(config.start === 'then')
  }

  /** How it sees the series; undefined where it does not look at it. */
  watch(source: string, series: Series): Watching | undefined {
    const relays = this.#relays.filter(relay => relay.watches(source, series))
    const conditions = this.#rule?.watches(source, series) ?? []
    if (relays.length + conditions.length === 0) return undefined
    const label = labelOf(series)
    return (time, value) => {
      const now = this.#options.host.monotonic()
      for (const relay of relays) relay.note(time, value)
      for (const n of conditions) this.#rule!.see(this.#state!, n, label, series, time, value, now)
      this.judge()
      for (const relay of relays) relay.go()
    }
  }

  /** To be called now and then, for what lasts, what is missing, and a budget that allows more. */
  tick(): void {
    this.judge()
    for (const relay of this.#relays) relay.go()
  }

  judge(): void {
    const holds = this.#rule === undefined || this.#rule.holds(this.#state!, this.#options.host.monotonic())
    if (holds === undefined) return
    if (holds !== this.#wanted) {
      this.#wanted = holds
      this.#turn.abort()
      this.#turn = new AbortController()
    }
    if (this.#done !== holds && this.#may(holds)) this.#follow(holds)
  }

  async idle(): Promise<void> {
    await Promise.all(this.#pending)
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#pending.delete(tracked))
    this.#pending.add(tracked)
  }

  #may(holds: boolean): boolean {
    const { config, host } = this.#options
    const room = left(config.budget, this.#past.times, host.now())
    const may = room > (holds ? 0 : 1)
    if (!may && !this.#spent) this.#tellSpent(holds)
    this.#spent = !may
    return may
  }

  #follow(holds: boolean): void {
    const { config, host, save } = this.#options
    const isNews = holds !== (this.#past.holds ?? false)
    const now = host.now()
    const times = this.#past.times.filter(time => Math.abs(now - time) < config.budget.within)
    this.#past = { holds, times: [...times, now] }
    save(this.#past)
    this.#done = holds
    if (isNews) this.#news(holds)
    this.#outputs(holds)
    for (const relay of this.#relays) relay.turn(holds)
  }

  /** Events and messages, and calls, which are never made twice. */
  #news(holds: boolean): void {
    const { deeds } = this.#options
    const cause: Cause = { holds, values: this.#evidence() }
    const turn = this.#turn.signal
    for (const deed of this.#deeds(holds)) {
      if (deed.kind === 'event') this.#track(deeds.event(deed, cause))
      if (deed.kind === 'publish') this.#track(this.#untilKnown(() => deeds.publish(deed, cause), turn))
      if (deed.kind === 'call') this.#track(deeds.call(deed).then(() => {}))
    }
  }

  /** What is written: in order at each device, and no device waits for another. */
  #outputs(holds: boolean): void {
    const turn = this.#turn.signal
    const writes = this.#deeds(holds).filter((deed): deed is DeedOf<'write'> => deed.kind === 'write')
    for (const [device, own] of Map.groupBy(writes, ({ source }) => source)) {
      const before = this.#chains.get(device) ?? Promise.resolve()
      const chain = before.then(() => this.#writeAll(own, turn))
      this.#chains.set(device, chain)
      this.#track(chain)
    }
  }

  async #writeAll(writes: readonly DeedOf<'write'>[], turn: AbortSignal): Promise<void> {
    for (const deed of writes) await this.#untilKnown(() => this.#options.deeds.write(deed, deed.value), turn)
  }

  async #untilKnown(act: () => Promise<Outcome>, turn: AbortSignal): Promise<void> {
    const { host, signal } = this.#options
    const pause = backoff({ min: 500, max: 30_000 })
    const over = AbortSignal.any([turn, signal])
    while (!over.aborted && (await act()).state === 'unknown') await host.sleep(pause.next(), over)
  }

  #evidence(): Cause['values'] {
    return this.#rule?.evidence(this.#state!) ?? {}
  }

  #deeds(holds: boolean): readonly Deed[] {
    const { config } = this.#options
    return holds ? config.then : config.otherwise
  }

  #tellSpent(holds: boolean): void {
    const { config, teller, host } = this.#options
    const { name, budget } = config
    const message = `it changed its outputs too often (${budget.most} in ${budget.within / 1000} s) and leaves them as they are`
    const body = { rule: name, holds, message, values: this.#evidence() }
    void teller.tell({ name: spentEvent, severity: 'error', time: host.now(), body, attributes: { rule: name } })
  }
}
