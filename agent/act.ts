// Has a running source do what an order or a rule says, within a time; what became of it is an outcome, and an event.

import { Refused, reason } from '../core/errors.ts'
import type { Event, Json, Order, Outcome, Severity } from '../core/model.ts'
import type { Act } from './source.ts'

/** What each source can do, by the source's configured name. */
export type Actions = ReadonlyMap<string, Readonly<Record<string, Act>>>

export const outcomeEvent = 'fieldline.order.outcome'

/** How long a device may take, ms; then nobody knows. */
const limit = 10_000

/** Never rejects. */
export async function perform(order: Order, actions: Actions, signal: AbortSignal): Promise<Outcome> {
  const { id, to, action, args } = order
  const known = actions.get(to) ?? {}
  if (!Object.hasOwn(known, action)) return { id, state: 'refused', reason: cannot(to, action, Object.keys(known)) }
  return attempt(id, signal, until => known[action]!(args, until))
}

/** What becomes of `act`, which is given up after a time. */
export async function attempt(
  id: string,
  signal: AbortSignal,
  act: (until: AbortSignal) => Promise<Json>,
): Promise<Outcome> {
  const until = AbortSignal.any([signal, AbortSignal.timeout(limit)])
  try {
    return { id, state: 'done', result: await Promise.race([act(until), aborted(until)]) }
  } catch (error) {
    return { id, state: error instanceof Refused ? 'refused' : 'unknown', reason: reason(error) }
  }
}

function cannot(to: string, action: string, known: readonly string[]): string {
  return `source ${to} cannot ${action}${known.length === 0 ? ': it takes no orders' : `; it can ${known.join(', ')}`}`
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => reject(new Error(`no answer within ${limit / 1000} s, or stopped`))
    if (signal.aborted) fail()
    else signal.addEventListener('abort', fail, { once: true })
  })
}

const severity = { done: 'info', refused: 'warning', unknown: 'error' } as const satisfies Record<
  Outcome['state'],
  Severity
>

export function outcomeToEvent(
  { id, to, action, args, from }: Order,
  { state, ...rest }: Outcome,
  time: number,
): Event {
  const { reason, result } = rest
  return {
    name: outcomeEvent,
    time,
    severity: severity[state],
    body: {
      id,
      to,
      action,
      args,
      from,
      state,
      ...(reason !== undefined && { reason }),
      ...(result !== undefined && { result }),
    },
    attributes: { order: id, source: to, action, from, state },
  }
}
