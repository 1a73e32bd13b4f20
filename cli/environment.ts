// The agent's configuration from the environment, with what the container's own files tell of it as attributes.

import { ownContainer } from '../agent/cgroup/identity.ts'
import { type FromEnvironment, fromEnvironment } from '../agent/environment.ts'
import { realHost } from '../core/host.ts'
import { agentShape } from './daemons.ts'

/** @throws Error with every mistake. */
export async function agentEnvironment(env: NodeJS.ProcessEnv): Promise<FromEnvironment> {
  const [{ sources }, { uplinks }] = await Promise.all([
    import('../agent/sources/index.ts'),
    import('../agent/uplinks/index.ts'),
  ])
  const host = realHost()
  // Each text before the next read: they share a buffer.
  const cgroups = host.read('/proc/self/cgroup')?.toString('utf8') ?? ''
  const own = ownContainer(cgroups, host.read('/proc/self/mountinfo')?.toString('utf8') ?? '')
  return fromEnvironment(env, { shape: await agentShape({}), sources, uplinks }, own)
}
