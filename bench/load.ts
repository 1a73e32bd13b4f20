// The agent, every source on at 1 s, for a minute on a machine that has no CPU to spare, thousands of processes and cgroups
// and hundreds of interfaces: in a namespace of its own, with the collector, so that nothing is left of it. Does each
// source keep its interval, or say what it skipped; and what does the agent cost?
// `--seconds N` (60), `--processes N` (10000), `--cgroups N` (2000), `--interfaces N` (500); `--profile FOLDER` writes the
// agent's CPU profile.

import { once } from 'node:events'
import { mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from '../packaging/build.ts'
import { makeCgroups, removeCgroups, withoutCgroups } from './load/cgroups.ts'
import type { Load, UnderLoad } from './load/inside.ts'
import { emptyFolder, inNamespace, withoutNamespace } from './load/namespace.ts'
import { table } from './process.ts'

export async function run(args: readonly string[]): Promise<Record<string, unknown>> {
  const number = (value: number) => ({ type: 'string', default: String(value) }) as const
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: number(60),
      processes: number(10_000),
      cgroups: number(2000),
      interfaces: number(500),
      profile: { type: 'string' },
    },
  })
  const why = withoutNamespace() ?? withoutCgroups()
  if (why !== undefined) throw new Error(`load: ${why}`)
  await build('dist')
  const { profile } = values
  const made = await busyMachine({
    seconds: Number(values.seconds),
    warm_up: 15,
    processes: Number(values.processes),
    cgroups: Number(values.cgroups),
    interfaces: Number(values.interfaces),
    // A profile is of use with the names of the source.
    command: [process.execPath, profile === undefined ? 'dist/fieldline.js' : 'fieldline.ts'],
    ...(profile !== undefined && { profile: resolve(profile) }),
  })
  table(Object.entries(made.readings).map(([source, readings]) => ({ source, ...readings })))
  return { ...made }
}

export interface Busy extends Omit<Load, 'folder' | 'slice'> {
  readonly cgroups: number
}

/** Makes the machine busy, and takes it all down again, also when this process is told to end. */
export async function busyMachine({ cgroups, ...load }: Busy): Promise<UnderLoad> {
  const top = emptyFolder()
  const [folder, mounts] = [join(top, 'daemons'), join(top, 'cgroups')]
  for (const one of [folder, mounts]) mkdirSync(one)
  const inside = resolve(import.meta.dirname, 'load/inside.ts')
  const stop = new AbortController()
  const stopped = (): void => stop.abort()
  process.on('SIGINT', stopped).on('SIGTERM', stopped)
  try {
    const told: Load = { ...load, folder, slice: makeCgroups(cgroups) }
    return await answerOf([process.execPath, inside, JSON.stringify(told)], mounts, stop.signal)
  } finally {
    removeCgroups()
    rmSync(top, { recursive: true, force: true })
    process.off('SIGINT', stopped).off('SIGTERM', stopped)
  }
}

/** What the child prints last. */
async function answerOf(command: readonly string[], mounts: string, signal: AbortSignal): Promise<UnderLoad> {
  signal.throwIfAborted()
  const child = inNamespace(mounts, command)
  // With the first of a namespace all its processes end.
  signal.addEventListener('abort', () => child.kill('SIGKILL'))
  let text = ''
  child.stdout!.on('data', piece => {
    text += piece
  })
  const [status] = await once(child, 'close')
  signal.throwIfAborted()
  if (status !== 0) throw new Error(`load: ${command.join(' ')} ended with ${status}`)
  return JSON.parse(text.trim().split('\n').at(-1)!) as UnderLoad
}
