// What `fieldline agent`, `gateway` and `collector` share: the configuration from a child, then the daemon's life.

import { loadConfig } from '../core/config-child.ts'
import { daemon, type Started } from '../core/daemon.ts'
import { log, type Say } from '../core/log.ts'
import type { Shape } from '../core/shape.ts'
import { readArguments } from './arguments.ts'
import type { DaemonName } from './daemons.ts'

/** `main` is the daemon's main.ts. */
export interface Main<T> {
  start(config: T, say: Say, signal: AbortSignal): Promise<Started>
}

/** `environment` gives the configuration where it is in the environment instead of a file. */
export async function runDaemon<T>(
  name: DaemonName,
  args: readonly string[],
  shape: (raw: unknown) => Promise<Shape<T>>,
  main: () => Promise<Main<T>>,
  environment?: () => Promise<T>,
): Promise<never> {
  const { values } = readArguments(args, { config: { type: 'string' } })
  const file = values.config ?? `/etc/fieldline/${name}.yaml`
  const config =
    values.config === undefined && environment !== undefined
      ? await environment()
      : await loadConfig(process.argv[1]!, name, file, shape)
  const { start } = await main()
  const say = log()
  return daemon(`fieldline ${name}`, say, signal => start(config, say, signal))
}
