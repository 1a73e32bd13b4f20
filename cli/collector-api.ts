// Asking a collector's API (docs/api.md): the one that a configuration is of, by default that of this host.

import { existsSync } from 'node:fs'
import { collectorListen } from '../collector/config.ts'
import { reason } from '../core/errors.ts'
import { Usage } from './arguments.ts'
import { checked } from './check.ts'
import { collectorShape } from './daemons.ts'
import { texts } from './texts.ts'

const timeLimit = 10_000
const usual = '/etc/fieldline/collector.yaml'

export interface CollectorApi {
  /** Undefined where there is no such thing. @throws Error that says what to do. */
  get<T>(path: string): Promise<T | undefined>
}

export async function collectorApi(config: string | undefined): Promise<CollectorApi> {
  const address = reachable(await addressOf(config))
  return { get: path => get(address, path) }
}

async function addressOf(file = existsSync(usual) ? usual : undefined): Promise<string> {
  if (file === undefined) return collectorListen
  const { daemon, config } = await checked(file)
  if (daemon !== 'collector') throw new Usage(texts(process.env).said.notACollector(file))
  return config.check(await collectorShape()).listen
}

/** A daemon that listens everywhere is asked on loopback. */
export function reachable(address: string): string {
  return address.replace(/^0\.0\.0\.0:/, '127.0.0.1:').replace(/^\[::\]:/, '[::1]:')
}

async function get<T>(address: string, path: string): Promise<T | undefined> {
  const answer = await ask(`http://${address}${path}`).catch((error: unknown) => {
    const { said } = texts(process.env)
    throw new Error(`${said.notRunning('collector', address, reason(error))}\n${said.whatToDo('collector', undefined)}`)
  })
  if (answer.status === 404) return undefined
  if (!answer.ok) throw new Error(`http://${address}${path}: HTTP ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as T
}

function ask(url: string): Promise<Response> {
  return fetch(url, { signal: AbortSignal.timeout(timeLimit) })
}
