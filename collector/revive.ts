// Puts the collector together, and anew when a part of it asks for that because its file is damaged: opening the file
// salvages it, and what is in memory comes again from the inbox. Edges notice a short outage.

import { setTimeout as delay } from 'node:timers/promises'
import { backoff } from '../core/backoff.ts'
import { reason } from '../core/errors.ts'
import type { Say } from '../core/log.ts'

export interface Mortal {
  stop(): Promise<void>
}

export interface Revived<T extends Mortal> extends Mortal {
  /** What runs now, or ran last. */
  readonly current: T
}

/**
 * `start` is given what asks for a new start. The first start throws what stands in its way; a later one is tried again
 * until it succeeds.
 */
export async function reviving<T extends Mortal>(
  start: (ask: () => void) => Promise<T>,
  say: Say,
): Promise<Revived<T>> {
  const pause = backoff({ min: 50, max: 60_000 })
  let stopped = false
  let asked: Promise<void> | undefined
  const ask = (): void => {
    asked ??= running
      .then(revive, () => undefined)
      .finally(() => {
        asked = undefined
      })
  }

  const revive = async (): Promise<void> => {
    if (stopped) return
    await end(current)
    while (!stopped) {
      await delay(pause.next())
      try {
        current = await start(ask)
        return
      } catch (error) {
        say('error', `collector: cannot start again, it is tried until it can: ${reason(error)}`)
      }
    }
  }

  const end = async (parts: T): Promise<void> => {
    // Its last fold fails on the damaged file; the rows behind it are in the inbox.
    await parts.stop().catch((error: unknown) => say('info', `collector: ended to start again: ${reason(error)}`))
  }

  const running = start(ask)
  let current = await running
  return {
    get current() {
      return current
    },
    async stop() {
      stopped = true
      await asked
      await current.stop()
    },
  }
}
