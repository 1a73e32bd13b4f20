// Events that acting at the edge must tell: each is tried until it is in the spool.

import { Refused, reason } from '../core/errors.ts'
import type { Host } from '../core/host.ts'
import type { Say } from '../core/log.ts'
import type { Event, Observation } from '../core/model.ts'
import type { Emit } from './source.ts'

/** How soon it is tried again, ms, and how many may wait for it. */
const again = 5000
const most = 1000

export interface TellerOptions {
  readonly emit: Emit
  readonly host: Pick<Host, 'sleep'>
  readonly say: Say
  /** What is not told then is given up. */
  readonly signal: AbortSignal
}

export interface Teller {
  /** Resolves when it is in the spool (true), or given up; `once` as of an observation. Never rejects. */
  tell(event: Event, once?: string): Promise<boolean>
  /** Resolves when nothing is waiting. */
  idle(): Promise<void>
}

export function teller(options: TellerOptions): Teller {
  const waiting = new Set<Promise<boolean>>()
  return {
    tell(event, once) {
      if (waiting.size >= most) {
        options.say('error', `event ${event.name} is lost: ${most} others wait already`)
        return Promise.resolve(false)
      }
      const told = until({ samples: [], events: [event], ...(once !== undefined && { once }) }, options).finally(() =>
        waiting.delete(told),
      )
      waiting.add(told)
      return told
    },
    idle: async () => void (await Promise.all(waiting)),
  }
}

async function until(told: Observation, { emit, host, say, signal }: TellerOptions): Promise<boolean> {
  for (let failed = false; ; failed = true) {
    try {
      await emit(told)
      return true
    } catch (error) {
      if (!failed) say('warning', `event ${told.events[0]!.name} waits: ${reason(error)}`)
      if (error instanceof Refused || signal.aborted) return false
      await host.sleep(again, signal)
    }
  }
}
