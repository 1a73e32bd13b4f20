// The real command, as a user calls it.

import { spawn } from 'node:child_process'
import { once } from 'node:events'

const program = new URL('../../fieldline.ts', import.meta.url).pathname

export interface Outcome {
  readonly status: number | null
  readonly out: string
  readonly err: string
}

export async function fieldline(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, LC_ALL: 'C', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, err] = await Promise.all([child.stdout, child.stderr].map(stream => stream.toArray()))
  if (child.exitCode === null) await once(child, 'exit')
  return { status: child.exitCode, out: Buffer.concat(out!).toString(), err: Buffer.concat(err!).toString() }
}
