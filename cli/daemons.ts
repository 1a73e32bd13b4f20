// The three daemons as the command knows them. Shapes and daemons load only when asked for.

import type { Config } from '../core/config.ts'
import { isMap, oneOf, type Shape } from '../core/shape.ts'

export const daemons = ['agent', 'gateway', 'collector'] as const
export type DaemonName = (typeof daemons)[number]

/** Which daemon a configuration is for. Throws ConfigError where it does not say. */
export function daemonOf(config: Config): DaemonName {
  const name = oneOf(daemons)
  return config.check({
    expects: name.expects,
    read: (raw, place) => name.read(isMap(raw) ? raw.daemon : undefined, place.at('daemon')),
  })
}

/** For `raw`, which a configuration holds; absent: for any. */
export async function agentShape(raw?: unknown) {
  const [{ agentConfig }, { sources }, { uplinks }, detectors] = await Promise.all([
    import('../agent/config.ts'),
    import('../agent/sources/index.ts'),
    import('../agent/uplinks/index.ts'),
    detectorsFor(raw),
  ])
  return agentConfig(sources, uplinks, detectors)
}

export async function gatewayShape(raw?: unknown) {
  const [{ gatewayConfig }, agent, gateway, { uplinks }, detectors] = await Promise.all([
    import('../gateway/config.ts'),
    import('../agent/sources/index.ts'),
    import('../gateway/sources/index.ts'),
    import('../agent/uplinks/index.ts'),
    detectorsFor(raw),
  ])
  return gatewayConfig([...agent.sources, ...gateway.sources], uplinks, detectors)
}

/** An edge that judges nothing does not load them. */
async function detectorsFor(raw: unknown) {
  if (isMap(raw) && raw.detectors === undefined) return []
  return (await import('../judge/index.ts')).detectors
}

export async function collectorShape() {
  const [{ collectorConfig }, { detectors, usualDetectors }] = await Promise.all([
    import('../collector/config.ts'),
    import('../judge/index.ts'),
  ])
  return collectorConfig(detectors, usualDetectors)
}

export const shapes: Readonly<Record<DaemonName, () => Promise<Shape<unknown>>>> = {
  agent: agentShape,
  gateway: gatewayShape,
  collector: collectorShape,
}
