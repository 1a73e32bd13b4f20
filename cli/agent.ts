import type { Command } from './command.ts'
import { agentShape } from './daemons.ts'
import { runDaemon } from './run-daemon.ts'

export const agent: Command = {
  run: args => runDaemon('agent', args, agentShape, () => import('../agent/main.ts')),
}
