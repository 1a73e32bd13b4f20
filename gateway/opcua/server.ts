// A source that follows one server: connects, subscribes or polls, and when the connection is lost does so again. What it
// knows of nodes and of its subscription outlives connections.

import type { Emit, Running, Surroundings } from '../../agent/source.ts'
import { backoff } from '../../core/backoff.ts'
import { reason } from '../../core/errors.ts'
import type { Event } from '../../core/model.ts'
import { type Standing, Subscriptions } from './adopt.ts'
import { EmittingDesk } from './desk.ts'
import { Draft } from './draft.ts'
import type { Extra } from './extra.ts'
import { type Attempt, Finder } from './finder.ts'
import { Items } from './items.ts'
import { type Tracked, trackedNodes } from './nodes.ts'
import { readOnce } from './once.ts'
import type { OpcUaOptions } from './options.ts'
import { together } from './patience.ts'
import { Poll } from './poll.ts'
import { NoSubscriptions, SubscriptionGone } from './publish.ts'
import { connect, type Session } from './session.ts'
import type { Subscription } from './subscription.ts'

/** ms between two tries to connect, and how long a connection must last to be no failure. */
const pauses = { min: 1000, max: 30_000 }
const lasting = 30_000
const selfInterval = 10_000
/** ms until the first values of a subscription are there. */
const settling = 1000

interface Since {
  readonly node: Tracked
  readonly from: number
}

export function followServer(
  options: OpcUaOptions,
  at: Surroundings,
  folder: string,
  extras: readonly Extra[],
): Running {
  const actions = Object.assign({}, ...extras.map(extra => extra.actions ?? {}))
  return {
    run: (emit, signal) => new Server(options, at, folder, extras, emit, signal).run(),
    once: signal => readOnce(options, at, folder, signal),
    actions,
  }
}

class Server {
  readonly #options: OpcUaOptions
  readonly #at: Surroundings
  readonly #folder: string
  readonly #extras: readonly Extra[]
  readonly #emit: Emit
  readonly #signal: AbortSignal
  readonly #nodes: readonly Tracked[]
  readonly #finder: Finder
  readonly #items: Items
  readonly #desk: EmittingDesk
  readonly #subscriptions: Subscriptions
  /** Of each node up to when its values were safe before it was subscribed to, or polled, anew. */
  #before: readonly Since[] = []
  #polls: boolean
  /** Why there is no connection, as it was told. */
  #trouble: string | undefined
  #isUp = false

  constructor(
    options: OpcUaOptions,
    at: Surroundings,
    folder: string,
    extras: readonly Extra[],
    emit: Emit,
    signal: AbortSignal,
  ) {
    this.#options = options
    this.#at = at
    this.#folder = folder
    this.#extras = extras
    this.#emit = emit
    this.#signal = signal
    this.#nodes = trackedNodes(options.nodes, { ...options, source: at.name })
    this.#finder = new Finder(this.#nodes, at.name, at.say)
    this.#items = new Items(this.#nodes, options)
    const { now, sleep } = at.host
    this.#desk = new EmittingDesk({
      source: at.name,
      max_skew: options.max_skew,
      emit,
      signal,
      say: at.say,
      now,
      sleep,
    })
    this.#subscriptions = new Subscriptions(options, at.keep, this.#items)
    this.#polls = options.mode === 'poll'
    for (const extra of extras) extra.starting?.(this.#nodes)
  }

  async run(): Promise<void> {
    const telling = this.#tellOfItself()
    const pause = backoff(pauses)
    while (!this.#signal.aborted) {
      const began = this.#at.host.monotonic()
      try {
        await this.#connected()
      } catch (error) {
        if (!this.#signal.aborted) await this.#down(reason(error))
      }
      if (this.#at.host.monotonic() - began > lasting) pause.reset()
      await this.#at.host.sleep(pause.next(), this.#signal)
    }
    await telling
    for (const extra of this.#extras) extra.stopped?.()
  }

  /** One connection, from its beginning to its end. */
  async #connected(): Promise<void> {
    const session = await connect(this.#options, { folder: this.#folder, now: this.#at.host.now }, this.#signal)
    const stop = (): void => session.lose('the gateway stops')
    this.#signal.addEventListener('abort', stop, { once: true })
    try {
      await this.#up()
      this.#polls = this.#options.mode === 'poll'
      for (const extra of this.#extras) await extra.connected?.(session)
      while (!session.lost.aborted) await (this.#polls ? this.#poll(session) : this.#subscribe(session))
      throw session.lost.reason
    } finally {
      this.#signal.removeEventListener('abort', stop)
      await session.close(this.#subscriptions.any)
    }
  }

  /** Until the session is lost, or the subscription is. */
  async #subscribe(session: Session): Promise<void> {
    try {
      const { subscription, how } = await this.#subscriptions.standing(session)
      if (how !== 'transferred') this.#beginAnew()
      const desk = {
        draft: (once: string) => this.#desk.draft(session.skew(), `${this.#at.name} opcua ${once}`),
        commit: (draft: Draft) => this.#commit(draft, session, subscription),
        missed: () => this.#missed(session, this.#since()),
      }
      await together(
        session.lost,
        () => subscription.follow(session, desk),
        ends => this.#find(session, { subscription, how }, ends),
      )
    } catch (error) {
      if (error instanceof NoSubscriptions && this.#options.mode === 'auto') return this.#fallBack(error)
      if (!(error instanceof SubscriptionGone)) throw error
      this.#subscriptions.drop()
    }
  }

  async #find(session: Session, { subscription, how }: Standing, ends: AbortSignal): Promise<never> {
    const attempt = this.#items.adding(session, subscription)
    await this.#look(session, attempt)
    if (how !== 'transferred') for (const extra of this.#extras) await extra.subscribed?.(session, subscription)
    // Also where nothing is missing now: what was not filled before goes on.
    this.#missed(session, how === 'new' ? this.#before : [])
    return await this.#lookAgain(session, attempt, ends)
  }

  async #poll(session: Session): Promise<void> {
    this.#beginAnew()
    const poll = new Poll(this.#options.timeout, this.#options.interval)
    await this.#look(session, poll.trying(session))
    this.#missed(session, this.#before)
    const again = async (ends: AbortSignal): Promise<never> => {
      while (true) {
        const draft = this.#desk.draft(session.skew())
        await poll.into(draft, session, this.#nodes)
        await this.#desk.commit(draft)
        for (const node of draft.gone) node.nodeId = undefined
        await this.#wait(this.#options.interval, ends)
      }
    }
    await together(session.lost, again, ends => this.#lookAgain(session, poll.trying(session), ends))
  }

  #fallBack(error: NoSubscriptions): void {
    const { name, say } = this.#at
    say('warning', `source ${name}: ${reason(error)}; it is polled instead`, { source: name })
    this.#polls = true
  }

  async #commit(draft: Draft, session: Session, subscription: Subscription): Promise<void> {
    await this.#desk.commit(draft)
    for (const extra of this.#extras) extra.committed?.()
    const gone = draft.gone.filter(node => node.nodeId !== undefined)
    for (const node of gone) node.nodeId = undefined
    if (gone.length > 0 && !session.lost.aborted) await subscription.forget(session, new Set(gone))
  }

  async #look(session: Session, attempt: Attempt): Promise<void> {
    const events = await this.#finder.look(session, this.#options.timeout, this.#at.host.now(), attempt)
    await this.#tell(events)
  }

  async #lookAgain(session: Session, attempt: Attempt, ends: AbortSignal): Promise<never> {
    while (true) {
      await this.#wait(this.#options.retry, ends)
      if (this.#nodes.every(({ nodeId }) => nodeId !== undefined)) continue
      await session.refresh()
      await this.#look(session, attempt)
    }
  }

  /** @throws when it ends meanwhile. */
  async #wait(ms: number, ends: AbortSignal): Promise<void> {
    await this.#at.host.sleep(ms, ends)
    ends.throwIfAborted()
  }

  #beginAnew(): void {
    this.#before = this.#since()
    for (const node of this.#nodes) node.nodeId = undefined
  }

  /** From now on the first value of each node counts as the one with which it goes on. */
  #since(): readonly Since[] {
    const since = this.#nodes.filter(({ latest }) => latest > 0).map(node => ({ node, from: node.latest }))
    for (const { node } of since) node.first = 0
    return since
  }

  /** Values between the last that is in the spool and the first that comes now may never have been sent. */
  #missed(session: Session, since: readonly Since[]): void {
    this.#fill(session, since).catch((error: unknown) => {
      const { name, say } = this.#at
      if (!session.lost.aborted)
        say('warning', `source ${name}: what was missed is not filled: ${reason(error)}`, { source: name })
    })
  }

  /**
   * Waits for the first values, which tell how far what is missing reaches. Where the session ends before, it is still to be
   * remembered what is missing.
   */
  async #fill(session: Session, since: readonly Since[]): Promise<void> {
    await this.#at.host.sleep(settling + 2 * this.#options.interval, session.lost)
    const to = this.#at.host.now()
    const nodes = since.map(({ node, from }) => ({ node, from, until: node.first === 0 ? to : node.first }))
    for (const extra of this.#extras) await extra.missed?.(session, { nodes, to }, this.#emit)
  }

  async #up(): Promise<void> {
    const { name, say } = this.#at
    if (this.#trouble !== undefined) say('info', `source ${name}: works again`, { source: name })
    if (!this.#isUp) await this.#tell([this.#link('opcua.connection.up', 'info', this.#options.url)])
    this.#trouble = undefined
    this.#isUp = true
  }

  async #down(why: string): Promise<void> {
    const { name, say } = this.#at
    if (this.#trouble !== why) say('error', `source ${name}: ${why}`, { source: name })
    if (this.#isUp || this.#trouble === undefined)
      await this.#tell([this.#link('opcua.connection.down', 'warning', why)])
    this.#trouble = why
    this.#isUp = false
  }

  #link(name: string, severity: Event['severity'], text: string): Event {
    const body = name === 'opcua.connection.up' ? { server: text } : { reason: text, server: this.#options.url }
    return { name, time: this.#at.host.now(), severity, body, attributes: { source: this.#at.name } }
  }

  async #tell(events: readonly Event[]): Promise<void> {
    if (events.length === 0) return
    const draft = this.#desk.draft(0)
    draft.events.push(...events)
    await this.#desk.commit(draft)
  }

  async #tellOfItself(): Promise<void> {
    const { host, name } = this.#at
    const attributes = { source: name }
    const success = { name: 'fieldline.source.success', unit: '1', kind: 'gauge', attributes } as const
    const lost = { name: 'fieldline.source.lost', unit: '{sample}', kind: 'counter', attributes } as const
    const absent = { name: 'opcua.nodes.unknown', unit: '{node}', kind: 'gauge', attributes } as const
    while (!this.#signal.aborted) {
      await host.sleep(selfInterval, this.#signal)
      const time = host.now()
      const draft = new Draft({ now: time, skew: 0, maxSkew: this.#options.max_skew })
      draft.samples.push({ series: success, time, value: Number(this.#isUp) })
      draft.samples.push({ series: absent, time, value: this.#finder.absent })
      if (this.#desk.lost > 0) draft.samples.push({ series: lost, time, value: this.#desk.lost })
      await this.#desk.commit(draft).catch(() => {})
    }
  }
}
