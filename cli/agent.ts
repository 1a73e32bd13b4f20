import { existsSync } from 'node:fs'
import { isConfigured } from '../agent/environment.ts'
import { Usage } from './arguments.ts'
import type { Command } from './command.ts'
import { agentShape } from './daemons.ts'
import { runDaemon } from './run-daemon.ts'
import { texts } from './texts.ts'

const file = '/etc/fieldline/agent.yaml'

export const agent: Command = {
  run: args =>
    runDaemon(
      'agent',
      args,
      agentShape,
      () => import('../agent/main.ts'),
      isConfigured(process.env) ? environment : undefined,
    ),
}

async function environment() {
  if (existsSync(file)) throw new Usage(texts(process.env).said.twoConfigurations(file))
  return (await (await import('./environment.ts')).agentEnvironment(process.env)).config
}
