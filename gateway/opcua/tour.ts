// One look around a server: connect, walk, describe, leave.

import { type Described, describe } from './describe.ts'
import { connect, type SessionOptions } from './session.ts'
import { type Bounds, type Progress, type Walked, walk } from './walk.ts'

export interface Tour extends Omit<Walked, 'variables'> {
  readonly variables: readonly Described[]
}

/** `folder`: where certificates lie. @throws what keeps it from connecting, and a lost connection. */
export async function tour(
  options: SessionOptions,
  folder: string,
  from: string,
  bounds: Omit<Bounds, 'timeout'>,
  signal: AbortSignal,
  progress: Progress,
): Promise<Tour> {
  const session = await connect(options, { folder, now: Date.now }, signal)
  try {
    const { timeout } = options
    const walked = await walk(session, session.nodeId(from), { ...bounds, timeout }, signal, progress)
    return { ...walked, variables: await describe(session, walked.variables, timeout) }
  } finally {
    await session.close(false)
  }
}
