// What a gateway's configuration may say: an agent's, with the gateway's sources beside the agent's.

import { type EdgeConfig, edgeConfig } from '../agent/config.ts'
import type { Publishing, Writable } from '../agent/config-acting.ts'
import type { Kind } from '../core/parts.ts'
import type { Shape } from '../core/shape.ts'
import type { DetectorType } from '../judge/detector.ts'

export const gatewayMetrics = '127.0.0.1:9465'

export function gatewayConfig(
  sources: readonly (Kind & Writable)[],
  uplinks: readonly (Kind & Publishing)[],
  detectors: readonly DetectorType<unknown>[] = [],
): Shape<EdgeConfig> {
  return edgeConfig({ daemon: 'gateway', metrics: gatewayMetrics, sources, uplinks, detectors })
}
