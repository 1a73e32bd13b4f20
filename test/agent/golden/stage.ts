// Time for a whole agent: it passes only when the test says so, and only while every source sleeps or has told what it read.

import type { Source } from '../../../agent/source.ts'
import type { Host } from '../../../core/host.ts'
import { until } from '../../brokers.ts'

export interface Stage extends Pick<Host, 'now' | 'monotonic' | 'sleep'> {
  /** The source as one of those that are waited for. */
  watched(source: Source<unknown>): Source<unknown>
  /** Wakes whoever sleeps until then, and resolves when they are done. Throws, after a while, naming who is not. */
  pass(ms: number): Promise<void>
}

interface Sleeper {
  readonly due: number
  wake(): void
}

/** `start`: ms since the epoch. */
export function openStage(start: number): Stage {
  const sleepers = new Set<Sleeper>()
  const busy = new Set<string>()
  let passed = 0

  const sleepOf =
    (who: string): Host['sleep'] =>
    (ms, signal) => {
      busy.delete(who)
      if (signal.aborted) return Promise.resolve()
      return new Promise(resolve => {
        const wake = (): void => {
          busy.add(who)
          sleepers.delete(sleeper)
          signal.removeEventListener('abort', wake)
          resolve()
        }
        const sleeper = { due: passed + ms, wake }
        sleepers.add(sleeper)
        signal.addEventListener('abort', wake)
      })
    }

  const watched: Stage['watched'] = source => ({
    ...source,
    open(options, at) {
      busy.add(at.name)
      const running = source.open(options, { ...at, host: Object.assign({}, at.host, { sleep: sleepOf(at.name) }) })
      return {
        run: (emit, signal) =>
          running.run(async observation => {
            await emit(observation)
            busy.delete(at.name)
          }, signal),
      }
    },
  })

  const quiet = (): Promise<void> =>
    until('all are done', () => busy.size === 0, 30_000).catch(cause => {
      throw new Error(`${[...busy].join(', ')}: neither asleep nor done`, { cause })
    })

  const pass = async (ms: number): Promise<void> => {
    await quiet()
    passed += ms
    for (const sleeper of [...sleepers]) if (sleeper.due <= passed) sleeper.wake()
    await quiet()
  }

  return { now: () => start + passed, monotonic: () => passed, sleep: sleepOf('fieldline'), watched, pass }
}
