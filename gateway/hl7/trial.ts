// What arrives, for `fieldline test`: the first message and what it would be stored as. Its sender is asked to send it
// again, for nothing was kept.

import type { Emit, Surroundings } from '../../agent/source.ts'
import type { Observation } from '../../core/model.ts'
import { type ListenerOptions, listen } from './listener.ts'

/** @throws where it cannot listen, or nothing comes before the signal aborts. */
export async function firstMessage(
  options: ListenerOptions,
  at: Omit<Surroundings, 'keep' | 'folder'>,
  signal: AbortSignal,
): Promise<Observation> {
  const ending = new AbortController()
  const { promise: first, resolve, reject } = Promise.withResolvers<Observation>()
  const emit: Emit = async observation => {
    if (isOwn(observation)) return
    resolve(observation)
    throw new Error('this is a test: nothing is kept')
  }
  signal.addEventListener('abort', () => reject(new Error(`no message came to ${options.listen}`)))
  const say = (): void => at.say('info', `listening on ${options.listen} for the first message`, { source: at.name })
  const listening = listen(options, { ...at, folder: undefined }, emit, ending.signal, say)
  try {
    return await Promise.race([first, listening.then(() => first)])
  } finally {
    ending.abort()
    await listening.catch(() => undefined)
  }
}

/** What the source tells of itself. */
function isOwn({ samples }: Observation): boolean {
  return samples.some(({ series }) => series.name === 'fieldline.source.success')
}
