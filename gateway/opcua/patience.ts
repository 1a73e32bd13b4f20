// Nothing is waited for without an end: what a server or the library does not answer in time is a failure.

/** What `asked` gives; throws after `ms`, or with the signal's reason when it aborts. A late answer is nobody's. */
export function within<T>(ms: number, what: string, asked: Promise<T>, signal?: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => end(() => reject(signal?.reason))
    const timer = setTimeout(() => end(() => reject(new Error(`${what}: no answer within ${ms / 1000} s`))), ms)
    const end = (settle: () => void): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
      settle()
    }
    asked.then(
      value => end(() => resolve(value)),
      error => end(() => reject(error)),
    )
    // A listener added to a signal that has aborted is never called.
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop)
  })
}

/** Runs parts until the first of them fails or `lost` aborts; throws why when all have ended. */
export async function together(
  lost: AbortSignal,
  ...parts: readonly ((ends: AbortSignal) => Promise<never>)[]
): Promise<never> {
  const over = new AbortController()
  const ends = AbortSignal.any([lost, over.signal])
  await Promise.allSettled(parts.map(part => part(ends).catch((error: unknown) => over.abort(error))))
  throw over.signal.reason
}
