// Sleeping: everyone who waits for the same moment shares one timer. All sources of a host read at the same ticks, and a
// timer with its signal costs more than many a reading.

/** Resolves after `ms`, or at once when the signal aborts; never rejects. */
export type SleepFor = (ms: number, signal: AbortSignal) => Promise<void>

export function sharedSleep(now: () => number): SleepFor {
  const sleeps = new WeakMap<AbortSignal, Map<number, Promise<void>>>()

  const begin = (due: number, ms: number, signal: AbortSignal, known: Map<number, Promise<void>>): Promise<void> => {
    const { promise: over, resolve } = Promise.withResolvers<void>()
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      known.delete(due)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
    return over
  }

  return (ms, signal) => {
    if (signal.aborted) return Promise.resolve()
    const known = sleeps.get(signal) ?? new Map<number, Promise<void>>()
    sleeps.set(signal, known)
    const due = Math.round(now() + ms)
    const sleep = known.get(due) ?? begin(due, ms, signal, known)
    known.set(due, sleep)
    return sleep
  }
}
