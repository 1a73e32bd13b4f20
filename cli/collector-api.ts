// Asking a collector's API (docs/api.md): the one named, the one that a configuration is of, or that of this host.

import { existsSync } from 'node:fs'
import { collectorListen } from '../collector/config.ts'
import { reason } from '../core/errors.ts'
import { checked } from './check.ts'
import { collectorShape } from './daemons.ts'
import { texts } from './texts.ts'

/** How a command is told which one. */
export const collectorOptions = { collector: { type: 'string' }, config: { type: 'string' } } as const

interface Which {
  readonly collector?: string | undefined
  readonly config?: string | undefined
}

const timeLimit = 10_000
const usual = '/etc/fieldline/collector.yaml'

/** Both throw Error that tells what is wrong: in the collector's words where it answers, else with what to do. */
export interface CollectorApi {
  ask<T>(path: string, init?: RequestInit): Promise<T>
  /** Undefined where there is no such thing. */
  find<T>(path: string): Promise<T | undefined>
}

export async function collectorApi(which: Which): Promise<CollectorApi> {
  const base = await addressOf(which)
  return {
    ask: async (path, init) => read(await ask(base, path, init)),
    find: async path => {
      const answer = await ask(base, path)
      return answer.status === 404 ? undefined : read(answer)
    },
  }
}

async function read<T>(answer: Response): Promise<T> {
  if (!answer.ok) throw new Error(await trouble(answer))
  return (await answer.json()) as T
}

async function addressOf({ collector, config }: Which): Promise<string> {
  if (collector !== undefined) return /^https?:\/\//.test(collector) ? collector : `http://${collector}`
  const file = config ?? (existsSync(usual) ? usual : undefined)
  if (file === undefined) return `http://${collectorListen}`
  const { listen } = (await checked(file, 'collector')).config.check(await collectorShape())
  return `http://${reachable(listen)}`
}

/** A daemon that listens everywhere is asked on loopback. */
export function reachable(address: string): string {
  return address.replace(/^0\.0\.0\.0:/, '127.0.0.1:').replace(/^\[::\]:/, '[::1]:')
}

function ask(base: string, path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(new URL(path, base), { ...init, signal: AbortSignal.timeout(timeLimit) }).catch((error: unknown) => {
    const { said } = texts(process.env)
    throw new Error(`${said.notRunning('collector', base, reason(error))}\n${said.whatToDo('collector', undefined)}`)
  })
}

/** A collector says what is wrong in `error`; whatever else answers there may say anything. */
async function trouble(answer: Response): Promise<string> {
  const text = await answer.text()
  const said = /^\{"error":/.test(text) ? (JSON.parse(text) as { error: string }).error : text.slice(0, 200)
  return said === '' ? `${answer.url}: HTTP ${answer.status}` : said
}
