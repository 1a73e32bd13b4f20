// A collector as a process of its own, for harm that only a process can come to.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Test } from 'tap'

const program = new URL('../crash/collector.ts', import.meta.url).pathname
/** For a child to start, or to end, ms. */
const patience = 20_000

/** Resolves when it listens. */
export async function startChild(t: Test, folder: string, broker: string): Promise<ChildProcess> {
  const child = fork(program, [folder, broker], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child, 'message', { signal: AbortSignal.timeout(patience) })
  return child
}

export async function ended(child: ChildProcess): Promise<void> {
  await once(child, 'exit', { signal: AbortSignal.timeout(patience) })
}
