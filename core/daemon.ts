// The life of a daemon: start, tell systemd, run until a signal, drain, end. Whatever nobody handled ends it with
// status 1 and the cause, and the unit's Restart= starts it anew: a half-dead daemon is worse than a restart.

import { constants } from 'node:os'
import { reason } from './errors.ts'
import { leave } from './leave.ts'
import type { Say } from './log.ts'
import { notifier } from './notify.ts'

/** A drain that takes longer than this, ms, is given up; what is in the spool or the inbox is safe there. */
const drainLimit = 10_000

export interface Started {
  /** Stops taking work, finishes what is begun. */
  stop(): Promise<void>
  /** Whether the watchdog may be told that all is well; asked often, must be cheap. */
  healthy?(): boolean
}

/**
 * Runs a daemon and ends the process: status 0 after a drain, 1 where it could not start, drain or go on.
 * The first SIGTERM or SIGINT aborts `signal` and drains; the second ends at once.
 */
export async function daemon(name: string, say: Say, start: (signal: AbortSignal) => Promise<Started>): Promise<never> {
  const die = (what: string, error: unknown): never => {
    say('critical', `${name}: ${what}: ${reason(error)}`)
    leave(1)
  }
  process.on('uncaughtException', error => die('ended by an error that nobody handled', error))
  // The process lives until a signal, whatever its parts hold open.
  setInterval(() => {}, 2 ** 30)
  const asked = stopSignal()
  const systemd = notifier(process.env, say)
  const started = await start(asked.signal).catch((error: unknown) => die('cannot start', error))
  await systemd.tell('READY=1')
  const watchdog = systemd.watch(() => started.healthy?.() ?? true)
  await asked.stopped
  clearInterval(watchdog)
  const giveUp = setTimeout(() => die('drain given up', `still busy after ${drainLimit / 1000} s`), drainLimit)
  await Promise.all([systemd.tell('STOPPING=1'), started.stop()]).catch((error: unknown) => die('drain failed', error))
  clearTimeout(giveUp)
  leave(0)
}

/** The first signal stops; from the second on the process ends as the signal would have ended it. */
function stopSignal(): { signal: AbortSignal; stopped: Promise<void> } {
  const controller = new AbortController()
  const { promise, resolve } = Promise.withResolvers<void>()
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) leave(128 + constants.signals[name])
      controller.abort()
      resolve()
    })
  }
  return { signal: controller.signal, stopped: promise }
}
