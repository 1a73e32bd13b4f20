import type { Command } from './command.ts'
import { gatewayShape } from './daemons.ts'
import { runDaemon } from './run-daemon.ts'

export const gateway: Command = {
  run: args => runDaemon('gateway', args, gatewayShape, () => import('../gateway/main.ts')),
}
