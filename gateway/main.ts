// A gateway is an agent that also speaks with devices.

import type { EdgeConfig } from '../agent/config.ts'
import { type RunningEdge, startEdge } from '../agent/main.ts'
import { sources as agentSources } from '../agent/sources/index.ts'
import { compact } from '../core/compact.ts'
import type { Say } from '../core/log.ts'
import { sources } from './sources/index.ts'

export async function start(config: EdgeConfig, say: Say, signal: AbortSignal): Promise<RunningEdge> {
  const running = await startEdge(config, [...agentSources, ...sources], say, signal)
  compact()
  return running
}
