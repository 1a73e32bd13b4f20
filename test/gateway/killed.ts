// A gateway in a process of its own that is killed again and again, and starts again each time.

import { type ChildProcess, fork, type Serializable } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { build } from 'esbuild'
import type { Test } from 'tap'
import { History } from '../../collector/store/history.ts'

/** The program in one file: it starts in a third of the time when our own code is. */
export async function bundled(entry: URL, folder: string): Promise<string> {
  const outfile = join(folder, 'gateway-child.mjs')
  const entryPoints = [entry.pathname]
  await build({ entryPoints, outfile, bundle: true, platform: 'node', format: 'esm', packages: 'external' })
  return outfile
}

/** The values of each series of that name in a collector's history, in the order of their times. */
export function stored(folder: string, node: string, name: string): number[][] {
  const history = new History({ folder, say: () => undefined, now: Date.now })
  const refs = history.find({ node, name })
  const values = refs.map(ref => [...history.range(ref, 0, Number.MAX_SAFE_INTEGER).values])
  history.close()
  return values
}

export class Gateway {
  kills = 0
  readonly #program: string
  readonly #args: readonly string[]
  readonly #heard: (message: Serializable) => void
  #child: ChildProcess
  #ended = false

  /** `heard` is given what any of its processes sends. */
  constructor(
    t: Test,
    program: string,
    args: readonly string[],
    heard: (message: Serializable) => void = () => undefined,
  ) {
    this.#program = program
    this.#args = args
    this.#heard = heard
    this.#child = this.#start()
    t.teardown(() => {
      this.#ended = true
      this.#child.kill('SIGKILL')
    })
  }

  #start(): ChildProcess {
    const child = fork(this.#program, this.#args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    child.on('message', this.#heard)
    child.on('exit', () => {
      if (!this.#ended) this.#child = this.#start()
    })
    return child
  }

  send(message: Serializable): void {
    this.#child.send(message)
  }

  /** Lets what is in its spool arrive. */
  async finish(): Promise<number> {
    this.#ended = true
    this.#child.send('finish')
    const [code] = await once(this.#child, 'exit')
    return code
  }

  kill(): void {
    this.kills++
    this.#child.kill('SIGKILL')
  }
}
