// The demo as a user starts it: a process of its own.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'

export interface Demo {
  readonly child: ChildProcess
  readonly lines: string[]
  readonly errors: string[]
  /** Resolves when a line matches. */
  line(pattern: RegExp): Promise<string>
  ended: Promise<number | null>
}

export function demo(t: Test, state: string, ...args: string[]): Demo {
  const command = new URL('../../fieldline.ts', import.meta.url).pathname
  const child = spawn(process.execPath, [command, 'demo', '--state', state, ...args], {
    env: { PATH: process.env.PATH },
  })
  const lines: string[] = []
  const errors: string[] = []
  const output = createInterface({ input: child.stdout }).on('line', text => lines.push(text))
  child.stderr.on('data', (text: Buffer) => errors.push(text.toString()))
  const ended = once(child, 'close').then(([code]) => code as number | null)
  t.teardown(() => child.kill('SIGKILL'))
  const line = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const found = lines.find(l => pattern.test(l))
      if (found !== undefined) return found
      await Promise.race([once(output, 'line'), ended.then(() => Promise.reject(new Error(errors.join(''))))])
    }
  }
  return { child, lines, errors, line, ended }
}
