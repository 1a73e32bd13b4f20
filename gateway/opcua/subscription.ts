// One subscription, spoken without the library's own classes for it: a notification is acknowledged only when all of it
// is in the spool, so that what a crash interrupts is still the server's (OPC 10000-4, 5.14.5). As long as something is
// not in the spool no further notification is asked for: then the server's queues fill, and no memory here.

import { setTimeout as delay } from 'node:timers/promises'
import type {
  DataChangeNotification,
  DataValue,
  EventNotificationList,
  NodeId,
  NotificationMessage,
  StatusCode,
  Variant,
} from 'node-opcua-client'
import { inBatches } from './batches.ts'
import type { Draft } from './draft.ts'
import type { OpcUaOptions } from './options.ts'
import { within } from './patience.ts'
import { type Published, publish, republish, SubscriptionGone, TooManyRequests } from './publish.ts'
import type { Session } from './session.ts'
import { promoted } from './structures.ts'

/** Who takes what comes of something that is watched. */
export interface Taker {
  take?(value: DataValue, draft: Draft): void
  event?(fields: readonly Variant[], draft: Draft): void
}

/** What is to be watched. There may be 100,000: only their takers are kept. */
export interface Item {
  readonly taker: Taker
  /** What the server calls it by in notifications; given out in turn, above `ownHandles`, where absent. */
  readonly handle?: number
  readonly nodeId: NodeId
  readonly attributeId: number
  /** ms; -1 as often as is published. */
  readonly sampling: number
  readonly queue: number
  /** A DataChangeFilter or an EventFilter of the library. */
  readonly filter?: object
}

export type SubscriptionOptions = Pick<
  OpcUaOptions,
  'interval' | 'discard' | 'lifetime' | 'timeout' | 'limits' | 'keep_alive'
>

/** What a gateway remembers a subscription by. */
export interface Identity {
  readonly id: number
  /** ms between two signs of life. */
  readonly quiet: number
  /**
   * Given by the gateway that made it. Its notifications are known by it: a server may give the same id again, and small ones
   * start at the same time whenever they are switched on.
   */
  readonly born: string
}

/** Makes a draft for what came now, and takes it when it is filled: resolves when all of it is safe. */
export interface Desk {
  /** `once` is what the notification is known by: one that is not acknowledged comes again. */
  draft(once: string): Draft
  commit(draft: Draft): Promise<void>
  /** A notification is lost for good. */
  missed(): void
}

/** Publish requests that wait at the server: one to be answered, one behind it while the first answer travels. */
const outstanding = 2
const mostMissing = 1000
/** Configured nodes have handles below. */
const ownHandles = 1_000_000_000

export class Subscription {
  readonly identity: Identity
  readonly #options: SubscriptionOptions
  /** By client handle. */
  readonly #items = new Map<number, { readonly taker: Taker; id: number }>()
  #nextHandle = ownHandles
  /** Of the notification that comes next; 0 when that is not known. */
  #expected = 1
  /** In the spool, and still to be said to the server. */
  #safe: number[] = []
  /** Begun and not yet in the spool. */
  readonly #begun = new Set<number>()

  /** `unacknowledged` are notifications that an earlier gateway did not get into its spool. */
  constructor(identity: Identity, options: SubscriptionOptions, unacknowledged?: readonly number[]) {
    this.identity = identity
    if (unacknowledged !== undefined) this.#expected = unacknowledged.length > 0 ? Math.min(...unacknowledged) : 0
    this.#options = options
  }

  get id(): number {
    return this.identity.id
  }

  /** Creates items within the server's limits; the status of each, in order. */
  async monitor(session: Session, items: readonly Item[]): Promise<readonly StatusCode[]> {
    return await inBatches(items, session.limits.monitor, some => this.#create(session, some))
  }

  /** An item that the server has already. */
  attach(handle: number, taker: Taker, id: number): void {
    this.#items.set(handle, { taker, id })
  }

  has(handle: number): boolean {
    return this.#items.has(handle)
  }

  /** Takes out what these take; what the server says to it changes nothing. */
  async forget(session: Session, takers: ReadonlySet<Taker>): Promise<void> {
    const found = [...this.#items].filter(([, { taker }]) => takers.has(taker))
    for (const [handle] of found) this.#items.delete(handle)
    await this.discard(
      session,
      found.map(([, { id }]) => id),
    )
  }

  /** Takes out what the server calls by these numbers. */
  async discard(session: Session, ids: readonly number[]): Promise<void> {
    await inBatches(ids, session.limits.monitor, async some => {
      const request = { subscriptionId: this.id, monitoredItemIds: [...some] }
      await within(this.#options.timeout, 'taking out monitored items', session.client.deleteMonitoredItems(request))
      return []
    })
  }

  async #create(session: Session, items: readonly Item[]): Promise<readonly StatusCode[]> {
    const { library, client } = session
    const handles = items.map(({ handle }) => handle ?? this.#nextHandle++)
    // Values may come before the answer does.
    for (const [n, { taker }] of items.entries()) this.#items.set(handles[n]!, { taker, id: 0 })
    const request = {
      subscriptionId: this.id,
      timestampsToReturn: library.TimestampsToReturn.Both,
      itemsToCreate: items.map((item, n) => this.#asked(session, item, handles[n]!)),
    }
    const answered = client.createMonitoredItems(new library.CreateMonitoredItemsRequest(request))
    const { results } = await within(this.#options.timeout, 'creating monitored items', answered)
    return items.map((_, n) => {
      const result = results?.[n]
      const made = this.#items.get(handles[n]!)
      if (result !== undefined && made !== undefined && result.statusCode.isGood()) made.id = result.monitoredItemId
      else this.#items.delete(handles[n]!)
      return result?.statusCode ?? library.StatusCodes.BadUnexpectedError
    })
  }

  #asked({ library }: Session, { nodeId, attributeId, sampling, queue, filter }: Item, clientHandle: number) {
    const discardOldest = this.#options.discard === 'oldest'
    return {
      itemToMonitor: { nodeId, attributeId },
      monitoringMode: library.MonitoringMode.Reporting,
      requestedParameters: {
        clientHandle,
        samplingInterval: sampling,
        queueSize: queue,
        discardOldest,
        filter: (filter ?? null) as null,
      },
    }
  }

  /** Takes notifications until the session is lost or the server has no such subscription any more; throws then. */
  async follow(session: Session, desk: Desk): Promise<never> {
    const patience = (outstanding + 1) * this.identity.quiet + this.#options.timeout
    let running = outstanding
    let turn: Promise<unknown> = Promise.resolve()
    const one = async (): Promise<void> => {
      while (true) {
        const answer = await this.#published(session, patience, running > 1)
        if (answer === undefined) return void running--
        // Filled one after the other as they came; they may be on their way into the spool together.
        const filled = turn.then(() => this.#fill(session, desk, answer))
        turn = filled.catch(() => {})
        await (await filled)()
      }
    }
    const ends = await Promise.allSettled(Array.from({ length: outstanding }, one))
    throw ends.find(end => end.status === 'rejected')!.reason
  }

  /** Undefined where the server takes fewer requests at a time, and another one waits there already. */
  async #published(session: Session, patience: number, others: boolean): Promise<Published | undefined> {
    const acknowledged = this.#safe
    this.#safe = []
    const subscriptionId = this.id
    const acknowledgements = acknowledged.map(sequenceNumber => ({ subscriptionId, sequenceNumber }))
    try {
      return await publish(session, acknowledgements, patience)
    } catch (error) {
      this.#safe.push(...acknowledged)
      if (!(error instanceof TooManyRequests)) throw error
      if (others) return undefined
      await delay(this.#options.interval)
      return this.#published(session, patience, others)
    }
  }

  /** Gives what remains to be waited for: until all of it is in the spool. */
  async #fill(session: Session, desk: Desk, answer: Published): Promise<() => Promise<void>> {
    const { notificationMessage: message, availableSequenceNumbers } = answer
    if (answer.subscriptionId !== this.id) return async () => {}
    const late = await this.#again(session, this.#missing(message.sequenceNumber), availableSequenceNumbers ?? [], desk)
    // A message without notifications is a sign of life; its number is the next one's.
    const isEmpty = (message.notificationData ?? []).length === 0
    const messages = isEmpty ? late : [...late, message]
    this.#expected = isEmpty ? message.sequenceNumber : next(message.sequenceNumber)
    const drafts: Draft[] = []
    const ends: string[] = []
    for (const one of messages) {
      const draft = desk.draft(`${this.identity.born} ${one.sequenceNumber}`)
      drafts.push(draft)
      ends.push(...(await this.#take(session, one, draft)))
    }
    return async () => {
      await Promise.all(drafts.map(draft => desk.commit(draft)))
      for (const { sequenceNumber } of messages) this.#done(sequenceNumber)
      if (ends[0] !== undefined) throw new SubscriptionGone(ends[0])
    }
  }

  #missing(sequence: number): readonly number[] {
    const missing: number[] = []
    if (this.#expected === 0) return missing
    for (let n = this.#expected; n !== sequence && n < sequence && missing.length < mostMissing; n = next(n))
      missing.push(n)
    return missing.filter(n => !this.#begun.has(n))
  }

  /** Asks for notifications again that were sent and did not arrive (5.14.6). */
  async #again(
    session: Session,
    wanted: readonly number[],
    kept: readonly number[],
    desk: Desk,
  ): Promise<readonly NotificationMessage[]> {
    const found: NotificationMessage[] = []
    for (const sequence of wanted.filter(n => kept.includes(n))) {
      const message = await republish(session, this.id, sequence, this.#options.timeout)
      if (message !== undefined) found.push(message)
    }
    if (found.length < wanted.length) desk.missed()
    return found
  }

  /** Why the subscription is over, if the message says so. */
  async #take(session: Session, message: NotificationMessage, draft: Draft): Promise<readonly string[]> {
    this.#begun.add(message.sequenceNumber)
    const { DataChangeNotification, EventNotificationList, StatusChangeNotification } = session.library
    const ends: string[] = []
    for (const data of message.notificationData ?? []) {
      if (data instanceof DataChangeNotification) await this.#values(session, data, draft)
      else if (data instanceof EventNotificationList) this.#events(data, draft)
      else if (data instanceof StatusChangeNotification) ends.push(`the server ended it: ${data.status.name}`)
    }
    return ends
  }

  async #values(session: Session, { monitoredItems }: DataChangeNotification, draft: Draft): Promise<void> {
    const all = monitoredItems ?? []
    await promoted(session, all, this.#options.timeout)
    for (const { clientHandle, value } of all) this.#items.get(clientHandle)?.taker.take?.(value, draft)
  }

  #events({ events }: EventNotificationList, draft: Draft): void {
    for (const { clientHandle, eventFields } of events ?? [])
      this.#items.get(clientHandle)?.taker.event?.(eventFields ?? [], draft)
  }

  #done(sequence: number): void {
    this.#begun.delete(sequence)
    this.#safe.push(sequence)
  }
}

/** Numbers begin anew at 1 after the highest (5.14.1.1). */
function next(sequence: number): number {
  return sequence >= 0xffff_ffff ? 1 : sequence + 1
}
