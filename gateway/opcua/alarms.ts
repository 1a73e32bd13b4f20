// Alarms and conditions of a server as events (OPC 10000-9): one monitored item on a notifier, and a refresh for each new
// subscription, because a condition is only told of when it changes (5.5.7). What was told of those that still matter is
// remembered over lost links and restarts, so that a refresh repeats nothing.

import type { Variant } from 'node-opcua-client'
import { type Keep, savedJson } from '../../agent/keep.ts'
import type { Surroundings } from '../../agent/source.ts'
import { reason } from '../../core/errors.ts'
import { integer, object, optional } from '../../core/shape.ts'
import { eventFilter, read, type Signal } from './alarm-fields.ts'
import { type Condition, Conditions } from './conditions.ts'
import type { Draft } from './draft.ts'
import type { Extra } from './extra.ts'
import { nodeIdText } from './node-id-text.ts'
import type { OpcUaOptions } from './options.ts'
import { within } from './patience.ts'
import type { Session } from './session.ts'

/** OPC 10000-6, Annex A: ConditionType and its method ConditionRefresh; the Server object. */
const ids = { conditionType: 2782, conditionRefresh: 3875, server: 'i=2253' } as const

export const alarmOptions = optional(
  object({
    /** Whose events are wanted, its own and those of all below it. */
    notifier: optional(nodeIdText, ids.server),
    /** Conditions less severe than this are left out. */
    severity: optional(integer(1, 1000), 1),
    /** Events that the server keeps between two notifications. */
    queue: optional(integer(1, 100_000), 1000),
  }),
)

export interface AlarmsOptions extends Pick<OpcUaOptions, 'timeout' | 'limits'> {
  readonly alarms: NonNullable<OpcUaOptions['alarms']>
}

export function alarms(options: AlarmsOptions, at: Surroundings): Extra {
  const { notifier, severity, queue } = options.alarms
  const { name, host, say } = at
  const keep = at.keep.part('alarms')
  let conditions = new Conditions(name, severity, load(keep))
  /** What of it is safe in the spool. */
  let safe = conditions.told
  let session: Session
  let subscriptionId = 0

  const take = (fields: readonly Variant[], draft: Draft): void => {
    const told = read(fields, id => session.nameOf(id), options.limits.text)
    if (told === undefined) return
    if (typeof told === 'string') signal(told, draft)
    else condition(told, draft)
  }

  const condition = (told: Condition, draft: Draft): void => {
    const event = conditions.take(told.time > 0 ? told : { ...told, time: host.now() })
    if (event === undefined) return
    draft.events.push(event)
    remember(draft)
  }

  const signal = (told: Signal, draft: Draft): void => {
    if (told === 'begins') conditions.refreshBegins()
    else if (told !== 'ends') refresh()
    else {
      draft.events.push(...conditions.refreshEnds(host.now()))
      remember(draft)
    }
  }

  const remember = (draft: Draft): void => {
    const { told } = conditions
    draft.whenSafe(() => {
      safe = told
      keep.save(JSON.stringify(safe))
    })
  }

  const refresh = async (): Promise<void> => {
    const { library, client, lost } = session
    const request = {
      objectId: library.coerceNodeId(ids.conditionType, 0),
      methodId: library.coerceNodeId(ids.conditionRefresh, 0),
      inputArguments: [{ dataType: library.DataType.UInt32, value: subscriptionId }],
    }
    try {
      const { statusCode } = await within(options.timeout, 'asking for alarms', client.call(request), lost)
      if (statusCode.isNotGood() && statusCode.name !== 'BadRefreshInProgress') throw new Error(statusCode.name)
    } catch (error) {
      if (lost.aborted) return
      const what = `source ${name}: the server does not tell which alarms there are already: ${reason(error)}`
      say('warning', what, { source: name })
    }
  }

  return {
    connected: async current => {
      session = current
      // What was not yet in the spool when the session before ended comes again.
      conditions = new Conditions(name, severity, safe)
    },
    subscribed: async (current, subscription) => {
      subscriptionId = subscription.id
      const item = {
        nodeId: current.nodeId(notifier),
        attributeId: current.library.AttributeIds.EventNotifier,
        sampling: 0,
        queue,
        filter: eventFilter(current.library),
        taker: { event: take },
      }
      const [status] = await subscription.monitor(current, [item])
      if (status?.isGood()) return refresh()
      say('warning', `source ${name}: no alarms from ${notifier}: ${status?.name}`, { source: name })
    },
  }
}

/** Without any they are told again. */
function load(keep: Keep): readonly Condition[] {
  const kept = savedJson(keep)
  return Array.isArray(kept) ? (kept as Condition[]) : []
}
