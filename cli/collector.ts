import type { Command } from './command.ts'
import { collectorShape } from './daemons.ts'
import { runDaemon } from './run-daemon.ts'

export const collector: Command = {
  run: args => runDaemon('collector', args, collectorShape, () => import('../collector/main.ts')),
}
