// The OpenTelemetry resource of everything an edge sends.

import { reason } from '../core/errors.ts'
import type { Host } from '../core/host.ts'
import type { Say } from '../core/log.ts'
import type { Attributes } from '../core/model.ts'
import { version } from '../core/version.ts'
import type { EdgeConfig } from './config.ts'
import type { Source } from './source.ts'

/** What the configuration says goes before what sources find. */
export function resourceOf(
  { node, attributes, daemon, sources }: Pick<EdgeConfig, 'node' | 'attributes' | 'daemon' | 'sources'>,
  known: readonly Source<unknown>[],
  host: Host,
  say: Say,
): Attributes {
  const found = sources.map(({ type, name }) => {
    try {
      return known.find(s => s.name === type)?.resource?.(host) ?? {}
    } catch (error) {
      say('warning', `source ${name}: no resource attributes: ${reason(error)}`, { source: name })
      return {}
    }
  })
  const own = { 'host.name': node, 'service.name': `fieldline-${daemon}`, 'service.version': version }
  return Object.assign({}, ...found, own, attributes)
}
