// The services around a subscription (OPC 10000-4, 5.14), each one request and one answer.

import { randomUUID } from 'node:crypto'
import type {
  NotificationMessage,
  PublishResponse,
  RepublishResponse,
  TransferSubscriptionsResponse,
} from 'node-opcua-client'
import { reason } from '../../core/errors.ts'
import { within } from './patience.ts'
import type { Session } from './session.ts'
import { Subscription, type SubscriptionOptions } from './subscription.ts'

export type Published = PublishResponse

export interface Acknowledgement {
  readonly subscriptionId: number
  readonly sequenceNumber: number
}

/** The server has no such subscription, or none any more: another one is to be made. */
export class SubscriptionGone extends Error {
  override readonly name = 'SubscriptionGone'
}

/** The server makes no subscriptions. */
export class NoSubscriptions extends Error {
  override readonly name = 'NoSubscriptions'
}

/** The server keeps fewer publish requests than it was sent. */
export class TooManyRequests extends Error {
  override readonly name = 'TooManyRequests'
}

const refusals = /BadServiceUnsupported|BadTooManySubscriptions|BadNotSupported|BadNotImplemented/
const least = { keepAlive: 3, lifetime: 3 }

/** @throws NoSubscriptions where only polling is left. */
export async function createSubscription(session: Session, options: SubscriptionOptions): Promise<Subscription> {
  const { interval, lifetime, keep_alive, timeout, limits } = options
  const requestedMaxKeepAliveCount = Math.max(least.keepAlive, Math.round(keep_alive / interval))
  const request = {
    requestedPublishingInterval: interval,
    requestedMaxKeepAliveCount,
    requestedLifetimeCount: Math.max(least.lifetime * requestedMaxKeepAliveCount, Math.ceil(lifetime / interval)),
    maxNotificationsPerPublish: limits.notification,
    publishingEnabled: true,
    priority: 0,
  }
  try {
    const made = await within(timeout, 'creating a subscription', session.client.createSubscription(request))
    const quiet = made.revisedPublishingInterval * made.revisedMaxKeepAliveCount
    return new Subscription({ id: made.subscriptionId, quiet, born: randomUUID() }, options)
  } catch (cause) {
    if (refusals.test(reason(cause))) throw new NoSubscriptions('the server makes no subscriptions', { cause })
    throw cause
  }
}

/** Makes the subscription of an earlier session this one's (5.14.7): which notifications it still keeps, if that worked. */
export async function transferSubscription(
  session: Session,
  id: number,
  timeout: number,
): Promise<readonly number[] | undefined> {
  const request = { subscriptionIds: [id], sendInitialValues: false }
  try {
    const asked = answered<TransferSubscriptionsResponse>(then => session.client.transferSubscriptions(request, then))
    const { results } = await within(timeout, 'transferring', asked, session.lost)
    return results?.[0]?.statusCode.isGood() ? [...(results[0].availableSequenceNumbers ?? [])] : undefined
  } catch (error) {
    if (session.lost.aborted) throw error
    // Servers without the service answer in various ways; what they all mean is that another one is to be made.
    return undefined
  }
}

/** The next notification, or sign of life. A server that is silent for longer than `patience` is lost. */
export async function publish(
  session: Session,
  subscriptionAcknowledgements: readonly Acknowledgement[],
  patience: number,
): Promise<Published> {
  const { PublishRequest } = session.library
  const request = new PublishRequest({
    requestHeader: { timeoutHint: patience },
    subscriptionAcknowledgements: [...subscriptionAcknowledgements],
  })
  const asked = answered<Published>(then => session.client.publish(request, then))
  try {
    return await within(patience, 'publishing', asked, session.lost)
  } catch (error) {
    const text = reason(error)
    if (/BadNoSubscription|BadSubscriptionIdInvalid/.test(text)) throw new SubscriptionGone(text)
    if (/BadTooManyPublishRequests/.test(text)) throw new TooManyRequests(text)
    session.lose(`no notifications come: ${text}`)
    throw error
  }
}

/** A notification that was sent and not acknowledged; undefined where the server has it no more. */
export async function republish(
  session: Session,
  subscriptionId: number,
  retransmitSequenceNumber: number,
  timeout: number,
): Promise<NotificationMessage | undefined> {
  const request = new session.library.RepublishRequest({ subscriptionId, retransmitSequenceNumber })
  const asked = answered<RepublishResponse>(then => session.client.republish(request, then))
  try {
    return (await within(timeout, 'asking for a notification again', asked, session.lost)).notificationMessage
  } catch (error) {
    if (/BadMessageNotAvailable|BadSubscriptionIdInvalid/.test(reason(error))) return undefined
    throw error
  }
}

function answered<T>(ask: (then: (error: Error | null, answer?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) =>
    ask((error, answer) => {
      if (answer !== undefined && !error) resolve(answer)
      else reject(error ?? new Error('the answer is empty'))
    }),
  )
}
