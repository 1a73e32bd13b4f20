// `fieldline check FILE`: everything that is wrong with a configuration, without side effects. With --resolved it prints
// what the daemon then reads: plain JSON, values as written, templates filled in. `--for` is how a daemon says which one it is. With --env it is
// the environment that is checked.

import { type Config, readConfig } from '../core/config.ts'
import { isMap } from '../core/shape.ts'
import { readArguments } from './arguments.ts'
import { type Command, print, status } from './command.ts'
import { type DaemonName, daemonOf, shapes } from './daemons.ts'
import { texts } from './texts.ts'

export const check: Command = {
  async run(args) {
    const options = { resolved: { type: 'boolean' }, for: { type: 'string' }, env: { type: 'boolean' } } as const
    const { values, positionals } = readArguments(args, options, args.includes('--env') ? [] : ['FILE'])
    if (values.env) return checkEnvironment(values.resolved === true)
    const file = positionals[0]!
    const { daemon, config } = await checked(file, values.for)
    if (values.resolved) print(JSON.stringify(config.plain))
    else print(texts(process.env).said.configRight(file, daemon, count(config, 'sources'), count(config, 'uplinks')))
    return status.ok
  },
}

async function checkEnvironment(isResolved: boolean): Promise<number> {
  const { plain, config } = await (await import('./environment.ts')).agentEnvironment(process.env)
  const { said } = texts(process.env)
  const { sources, uplinks } = config
  print(isResolved ? JSON.stringify(plain) : said.configRight('FIELDLINE_*', 'agent', sources.length, uplinks.length))
  return status.ok
}

/** @throws ConfigError with every problem of the file. */
export async function checked(file: string, wanted?: string): Promise<{ daemon: DaemonName; config: Config }> {
  const read = readConfig(file)
  const daemon = daemonOf(read)
  if (wanted !== undefined && wanted !== daemon) {
    throw read.wrong({ path: ['daemon'], message: `this file is for: fieldline ${daemon} --config ${file}` })
  }
  const config = daemon === 'gateway' ? await filledIn(read) : read
  config.check(await shapes[daemon]())
  return { daemon, config }
}

async function filledIn(config: Config): Promise<Config> {
  const [{ expanded }, { sources }] = await Promise.all([
    import('../gateway/expand.ts'),
    import('../gateway/sources/index.ts'),
  ])
  return expanded(config, sources, readConfig)
}

function count({ plain }: Config, list: 'sources' | 'uplinks'): number {
  const value = isMap(plain) ? plain[list] : undefined
  return Array.isArray(value) ? value.length : 0
}
