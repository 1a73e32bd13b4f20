// The crash proof: three edges, a broker and a collector as processes of their own, SIGKILLed at random moments while data
// flows and started again at once. How far apart goes by how long this machine takes until something is committed. Afterwards what the edges' sources were told is safe is compared with history.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { build } from 'esbuild'
import { History } from '../../collector/store/history.ts'
import { freePort } from '../../core/free-port.ts'
import type { Random } from '../random.ts'

export interface CrashOptions {
  readonly folder: string
  readonly kills: number
  readonly random: Random
  /** Told of the progress, about once a second. */
  progress?(kills: number): void
}

export interface CrashResult {
  readonly kills: number
  readonly told: number
  /** Samples in history. */
  readonly committed: number
  /** Told and not in history. */
  readonly lost: number
  /** In history more than once. */
  readonly duplicated: number
  /** The longest from a kill to the next commit. */
  readonly worst_recovery_ms: number
  /** What was said beyond lost and found connections: none of it should be. */
  readonly errors: readonly string[]
}

const edges = ['edge-0', 'edge-1', 'edge-2'] as const
/** How long everything may take to arrive once nobody is killed any more, ms. */
const patience = 60_000

export async function crash({ folder, kills, random, progress }: CrashOptions): Promise<CrashResult> {
  const programs = await bundle()
  const port = await freePort()
  const url = `mqtt://127.0.0.1:${port}`
  const watch = recovery()
  const broker = new Victim(programs.broker, () => [`${port}`])
  const collector = new Victim(
    programs.collector,
    () => [join(folder, 'collector'), url],
    () => watch.committed(),
  )
  const all = edges.map(node => new Victim(programs.edge, n => [folder, url, node, `${n}`]))
  const victims = [...all, ...all, collector, collector, broker]
  try {
    const begun = performance.now()
    for (const victim of [broker, collector, ...all]) victim.start()
    await watch.first
    const apart = Math.min(1000, Math.max(400, (performance.now() - begun) / 2))
    for (let n = 1; n <= kills; n++) {
      await delay(random() * apart)
      watch.killed()
      await random.pick(victims).restart()
      if (n % 10 === 0) progress?.(n)
    }
    await Promise.all(all.map(edge => edge.finish()))
    await collector.finish()
  } finally {
    for (const victim of [broker, collector, ...all]) await victim.kill()
  }
  const errors = [broker, collector, ...all]
    .flatMap(v => v.said)
    .filter(text => /^(error|critical)|salvage|Error/.test(text))
  return { kills, ...compare(folder), worst_recovery_ms: Math.round(watch.worst()), errors }
}

/** A process that is killed and started again; `args` of its n-th start. */
class Victim {
  readonly #program: string
  readonly #args: (incarnation: number) => readonly string[]
  readonly #onMessage: ((message: unknown) => void) | undefined
  /** What its incarnations said. */
  readonly said: string[] = []
  #incarnation = 0
  #child: ChildProcess | undefined

  constructor(
    program: string,
    args: (incarnation: number) => readonly string[],
    onMessage?: (message: unknown) => void,
  ) {
    this.#program = program
    this.#args = args
    this.#onMessage = onMessage
  }

  start(): void {
    const child = fork(this.#program, this.#args(this.#incarnation++), { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    child.stderr?.on('data', (text: Buffer) => this.said.push(text.toString().trimEnd()))
    child.on('message', message => message === 'committed' && this.#onMessage?.(message))
    this.#child = child
  }

  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  async restart(): Promise<void> {
    if (this.#child!.exitCode !== null)
      throw new Error(`${this.#program} ended by itself with ${this.#child!.exitCode}`)
    await this.kill()
    this.start()
  }

  /** Asks it to finish its work and end. */
  async finish(): Promise<void> {
    const child = this.#child!
    child.send('finish')
    const [code] = await Promise.race([
      once(child, 'exit'),
      delay(patience, ['nothing within its time'], { ref: false }),
    ])
    if (code !== 0) throw new Error(`${this.#program} did not finish its work: ${code}`)
  }
}

/** The longest wait of anyone killed for the next commit. */
function recovery() {
  let since: number | undefined
  let worst = 0
  const { promise: first, resolve } = Promise.withResolvers<void>()
  return {
    first,
    killed(): void {
      since ??= performance.now()
    },
    committed(): void {
      resolve()
      if (since !== undefined) worst = Math.max(worst, performance.now() - since)
      since = undefined
    },
    worst: (): number => worst,
  }
}

function compare(folder: string): Pick<CrashResult, 'told' | 'committed' | 'lost' | 'duplicated'> {
  const history = new History({ folder: join(folder, 'collector'), say: () => undefined, now: Date.now })
  const sum = { told: 0, committed: 0, lost: 0, duplicated: 0 }
  for (const node of edges) {
    const told = toldTo(join(folder, `${node}.told`))
    const refs = history.find({ node, name: 'witness' })
    const stored = refs.flatMap(ref => [...history.range(ref, 0, Number.MAX_SAFE_INTEGER).values])
    const distinct = new Set(stored)
    sum.told += told.length
    sum.committed += stored.length
    sum.lost += told.filter(value => !distinct.has(value)).length
    sum.duplicated += stored.length - distinct.size
  }
  history.close()
  return sum
}

function toldTo(file: string): number[] {
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').map(Number) : []
}

/** Children start in a third of the time when our own code is one file each. */
async function bundle(): Promise<Record<'edge' | 'broker' | 'collector', string>> {
  const outdir = join('node_modules', '.cache', `fieldline-crash-${process.pid}`)
  mkdirSync(outdir, { recursive: true })
  const entryPoints = ['edge', 'broker', 'collector'].map(name => join('test', 'crash', `${name}.ts`))
  await build({ entryPoints, outdir, bundle: true, platform: 'node', format: 'esm', packages: 'external' })
  const at = (name: string): string => join(outdir, `${name}.js`)
  return { edge: at('edge'), broker: at('broker'), collector: at('collector') }
}
