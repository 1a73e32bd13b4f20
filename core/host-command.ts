// Programs of the machine that a source asks: bounded in time and output, and never more than one that hangs for each
// question. A program that is not installed is no data, like a file that is absent.

import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { isAbsolute, join } from 'node:path'

export interface CommandLimits {
  /** ms; then it is killed with all that it started, and the call rejects. */
  readonly timeout: number
  /** Of standard output; 4 MiB where not said. */
  readonly maxBytes?: number
  readonly signal?: AbortSignal
}

export interface CommandOutput {
  /** The exit status; many programs tell of a device's state by it. */
  readonly status: number
  readonly stdout: Buffer
  /** Its beginning, at most 4 KiB. */
  readonly stderr: string
}

export interface Commands {
  /**
   * What a program prints; undefined where it is not installed. `command` is a name looked up in the system's folders or
   * an absolute path. Rejects when it does not end in time, prints too much, was killed, or still hangs from before.
   */
  run(command: string, args: readonly string[], limits: CommandLimits): Promise<CommandOutput | undefined>
  /**
   * What a subcommand of this very program prints, in a child whose memory ends with it: for packages too heavy to stay.
   * Undefined where the root is another than this process's: the child would tell of the wrong machine.
   */
  own(args: readonly string[], limits: CommandLimits): Promise<CommandOutput | undefined>
  /**
   * What a program that goes on by itself prints, in pieces as they come; undefined where it is not installed. Ends when
   * it ends or the signal aborts; throws when it ended with another status than 0. Leaving the loop kills it.
   */
  stream(command: string, args: readonly string[], signal: AbortSignal): AsyncIterable<Buffer> | undefined
}

const folders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']
const usualBytes = 4 * 1024 ** 2
const stderrBytes = 4096

/** `here`: whether this process sees the machine that is read. */
export function commands(here: boolean): Commands {
  /** Killed, but the kernel holds them (a device that does not answer). */
  const hanging = new Set<string>()

  const run: Commands['run'] = async (command, args, limits) => {
    const file = find(command)
    if (file === undefined) return undefined
    const question = [command, ...args].join(' ')
    if (hanging.has(question)) throw new Error(`${question}: not asked, as an earlier one still hangs`)
    const child = start(file, args)
    hanging.add(question)
    child.once('close', () => hanging.delete(question))
    child.once('error', () => hanging.delete(question))
    return outputOf(child, question, limits)
  }

  const own: Commands['own'] = async (args, limits) =>
    here ? run(process.execPath, [...process.execArgv, process.argv[1]!, ...args], limits) : undefined

  const stream: Commands['stream'] = (command, args, signal) => {
    const file = find(command)
    return file === undefined ? undefined : pieces(file, args, signal, hanging)
  }

  return { run, own, stream }
}

function find(command: string): string | undefined {
  const places = isAbsolute(command) ? [command] : folders.map(folder => join(folder, command))
  return places.find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** In a process group of its own, so that what it starts ends with it. */
function start(file: string, args: readonly string[]): ChildProcess {
  const env = { PATH: folders.join(':'), LC_ALL: 'C' }
  return spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], env, detached: true })
}

function kill({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    // It ended by itself in this very moment.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

function outputOf(child: ChildProcess, question: string, limits: CommandLimits): Promise<CommandOutput> {
  const { timeout, maxBytes = usualBytes, signal } = limits
  const { promise, resolve, reject } = Promise.withResolvers<CommandOutput>()
  const pieces: Buffer[] = []
  let bytes = 0
  const stderr = beginningOf(child)
  const giveUp = (why: string): void => {
    kill(child)
    reject(new Error(`${question}: ${why}`))
  }
  const stopped = (): void => giveUp('stopped')
  const timer = setTimeout(() => giveUp(`no answer within ${timeout / 1000} s`), timeout)
  child.stdout!.on('data', (piece: Buffer) => {
    bytes += piece.length
    if (bytes > maxBytes) giveUp(`it printed more than ${maxBytes} bytes`)
    else pieces.push(piece)
  })
  child.once('error', cause => reject(new Error(`${question}: cannot be started`, { cause })))
  child.once('close', (status, killed) => {
    if (status === null) reject(new Error(`${question}: ended by ${killed}`))
    else resolve({ status, stdout: Buffer.concat(pieces), stderr: stderr() })
  })
  if (signal?.aborted) stopped()
  signal?.addEventListener('abort', stopped, { once: true })
  return promise.finally(() => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', stopped)
  })
}

function beginningOf(child: ChildProcess): () => string {
  let text = ''
  child.stderr!.on('data', (piece: Buffer) => {
    if (text.length < stderrBytes) text += piece.toString('utf8').slice(0, stderrBytes - text.length)
  })
  return () => text.trim()
}

async function* pieces(
  file: string,
  args: readonly string[],
  signal: AbortSignal,
  hanging: Set<string>,
): AsyncGenerator<Buffer> {
  if (signal.aborted) return
  const question = [file, ...args].join(' ')
  if (hanging.has(question)) throw new Error(`${question}: not started, as an earlier one still hangs`)
  const child = start(file, args)
  const stderr = beginningOf(child)
  const closed = new Promise<number | string | null>((resolve, reject) => {
    child.once('close', (status, killed) => resolve(status ?? killed))
    child.once('error', cause => reject(new Error(`${file}: cannot be started`, { cause })))
    signal.addEventListener('abort', () => resolve(null), { once: true })
  })
  // Awaited below; until then a start that fails must not count as a rejection that nobody handles.
  closed.catch(() => undefined)
  const stop = (): void => {
    kill(child)
    // Nobody waits for one that the kernel holds, neither for what it prints nor for its end.
    child.stdout!.destroy()
    child.unref()
  }
  signal.addEventListener('abort', stop, { once: true })
  try {
    yield* child.stdout as AsyncIterable<Buffer>
    const status = await closed
    if (status !== 0 && !signal.aborted) throw new Error(endOf(question, status, stderr()))
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    signal.removeEventListener('abort', stop)
    kill(child)
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      hanging.add(question)
      child.once('exit', () => hanging.delete(question))
    }
  }
}

function endOf(question: string, by: number | string | null, said: string): string {
  return `${question}: ended ${typeof by === 'number' ? 'with' : 'by'} ${by}${said === '' ? '' : `: ${said}`}`
}
