// What systemd is told of a daemon, sd_notify(3). Node has no Unix datagram sockets, so the program systemd-notify says
// it (about 3 ms of CPU a call); the unit therefore has NotifyAccess=all. Without NOTIFY_SOCKET nothing is said.

import { execFile } from 'node:child_process'
import { reason } from './errors.ts'
import { type Say, troubles } from './log.ts'

const timeLimit = 5000

export interface Notifier {
  /** Resolves when systemd has it, or when that failed and was said. */
  tell(...assignments: readonly string[]): Promise<void>
  /** Keeps telling the watchdog that all is well while `healthy` says so; a blocked event loop tells nothing. */
  watch(healthy: () => boolean): NodeJS.Timeout | undefined
}

export function notifier(env: NodeJS.ProcessEnv, say: Say): Notifier {
  const trouble = troubles(say)
  const tell = async (...assignments: readonly string[]): Promise<void> => {
    if (!env.NOTIFY_SOCKET) return
    trouble('systemd-notify', await run(assignments))
  }
  const watch = (healthy: () => boolean): NodeJS.Timeout | undefined => {
    const period = watchdogPeriod(env)
    if (period === undefined) return undefined
    let busy = false
    return setInterval(() => {
      const well = healthy()
      trouble('watchdog', well ? undefined : 'not fed, because a part of this daemon no longer works')
      if (!well || busy) return
      busy = true
      void tell('WATCHDOG=1').finally(() => {
        busy = false
      })
    }, period)
  }
  return { tell, watch }
}

/** Half of what the unit allows, ms; undefined where no watchdog watches this process, sd_watchdog_enabled(3). */
function watchdogPeriod(env: NodeJS.ProcessEnv): number | undefined {
  const us = Number(env.WATCHDOG_USEC)
  const mine = env.WATCHDOG_PID === undefined || Number(env.WATCHDOG_PID) === process.pid
  return mine && us > 0 ? Math.max(1, us / 2000) : undefined
}

/** What went wrong, if anything. */
function run(assignments: readonly string[]): Promise<string | undefined> {
  return new Promise(resolve => {
    execFile('systemd-notify', [...assignments], { timeout: timeLimit, killSignal: 'SIGKILL' }, error => {
      resolve(error === null ? undefined : reason(error))
    })
  })
}
