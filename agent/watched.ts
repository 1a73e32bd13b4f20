// A program that goes on by itself, ended when it falls silent: a driver that hangs holds its program with it.

/**
 * What `start` gives, with a signal that ends it. Throws when nothing came for `patience` ms while more was waited for;
 * undefined where the program is not installed.
 */
export function watched(
  signal: AbortSignal,
  patience: number,
  start: (signal: AbortSignal) => AsyncIterable<Buffer> | undefined,
): AsyncIterable<Buffer> | undefined {
  const silence = new AbortController()
  const pieces = start(AbortSignal.any([signal, silence.signal]))
  return pieces && untilSilent(pieces, patience, silence, signal)
}

async function* untilSilent(
  pieces: AsyncIterable<Buffer>,
  patience: number,
  silence: AbortController,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const wait = (): NodeJS.Timeout => setTimeout(() => silence.abort(), patience)
  let timer = wait()
  try {
    for await (const piece of pieces) {
      clearTimeout(timer)
      yield piece
      timer = wait()
    }
  } finally {
    clearTimeout(timer)
  }
  if (silence.signal.aborted && !signal.aborted) throw new Error(`nothing printed for ${patience / 1000} s: ended`)
}
