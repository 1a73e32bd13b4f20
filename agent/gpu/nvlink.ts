// The links between NVIDIA GPUs: `nvidia-smi nvlink -s` and `-e`, asked seldom because each is a process of its own.

import { reason } from '../../core/errors.ts'
import type { Host } from '../../core/host.ts'
import type { Trouble } from '../../core/log.ts'

export interface Link {
  /** The GPU's uuid. */
  readonly gpu: string
  readonly link: number
  /** By/s; undefined while it is not active. */
  readonly speed: number | undefined
  /** By kind: `replay`, `recovery`, `crc`. */
  readonly errors: ReadonlyMap<string, number>
}

const every = 60_000
/** Where there are no links at all. */
const seldom = 3_600_000
const patience = 10_000
const mostLinks = 1024

/** Asks when it is due; nothing in between, and nothing where the program has no answer. */
export function openNvlink(host: Host, trouble: Trouble) {
  let due = Number.NEGATIVE_INFINITY

  const ask = async (flag: '-s' | '-e', signal: AbortSignal): Promise<string> => {
    const answer = await host.run('nvidia-smi', ['nvlink', flag], { timeout: patience, signal })
    return answer?.status === 0 ? answer.stdout.toString('utf8') : ''
  }

  return async (signal: AbortSignal): Promise<readonly Link[]> => {
    if (host.monotonic() < due) return []
    due = host.monotonic() + every
    try {
      const status = await ask('-s', signal)
      const links = parseNvlink(status, /Link \d/.test(status) ? await ask('-e', signal) : '')
      if (links.length === 0) due += seldom - every
      trouble('nvidia-smi nvlink', undefined)
      return links
    } catch (error) {
      if (!signal.aborted) trouble('nvidia-smi nvlink', reason(error))
      return []
    }
  }
}

/**
 * `GPU 0: NVIDIA A100 (UUID: GPU-...)` and below it `Link 0: 25 GB/s` or `Link 0: <inactive>`; of errors
 * `Link 0: Replay Errors: 0`. Other lines are passed over: each generation has some of its own.
 */
export function parseNvlink(status: string, errors: string): readonly Link[] {
  const links = new Map<string, { gpu: string; link: number; speed: number | undefined; errors: Map<string, number> }>()
  for (const { gpu, link, rest } of lines(status)) {
    const speed = /^(\d+(?:\.\d+)?) GB\/s$/.exec(rest)
    if (links.size < mostLinks && (speed || /^<?inactive>?$/i.test(rest)))
      links.set(`${gpu} ${link}`, { gpu, link, speed: speed ? Number(speed[1]) * 1e9 : undefined, errors: new Map() })
  }
  for (const { gpu, link, rest } of lines(errors)) {
    const m = /^([A-Za-z][A-Za-z ]{0,30}?) Errors: (\d{1,20})$/.exec(rest)
    if (m) links.get(`${gpu} ${link}`)?.errors.set(m[1]!.toLowerCase().replaceAll(' ', '_'), Number(m[2]))
  }
  return [...links.values()]
}

function* lines(text: string): Iterable<{ readonly gpu: string; readonly link: number; readonly rest: string }> {
  let gpu: string | undefined
  for (const line of text.split('\n')) {
    const head = /^GPU \d+:.*\(UUID: (\S+)\)\s*$/.exec(line)
    if (head) gpu = head[1]
    const m = /^\s+Link (\d{1,3}): (.*\S)\s*$/.exec(line)
    if (m && gpu !== undefined) yield { gpu, link: Number(m[1]), rest: m[2]! }
  }
}
