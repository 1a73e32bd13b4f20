// Time for a whole agent: it passes only when the test says so, and then until everyone who was woken sleeps again.

import type { Host } from '../../../core/host.ts'
import { until } from '../../brokers.ts'

export interface Stage extends Pick<Host, 'now' | 'monotonic' | 'sleep'> {
  /** Wakes whoever sleeps until then. Throws, after a while, when not as many sleep again. */
  pass(ms: number): Promise<void>
}

interface Sleeper {
  readonly due: number
  wake(): void
}

/** `start`: ms since the epoch. */
export function openStage(start: number): Stage {
  const sleepers = new Set<Sleeper>()
  let passed = 0

  const sleep: Host['sleep'] = (ms, signal) => {
    if (signal.aborted) return Promise.resolve()
    return new Promise(resolve => {
      const wake = (): void => {
        sleepers.delete(sleeper)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      const sleeper = { due: passed + ms, wake }
      sleepers.add(sleeper)
      signal.addEventListener('abort', wake)
    })
  }

  const pass = async (ms: number): Promise<void> => {
    const asleep = sleepers.size
    passed += ms
    for (const sleeper of [...sleepers]) if (sleeper.due <= passed) sleeper.wake()
    await until('everyone sleeps again', () => sleepers.size >= asleep, 30_000)
  }

  return { now: () => start + passed, monotonic: () => passed, sleep, pass }
}
