// THE list of what rides on a session, one line each.

import type { Surroundings } from '../../agent/source.ts'
import type { Extra } from './extra.ts'
import type { OpcUaOptions } from './options.ts'

export function extrasOf(_options: OpcUaOptions, _at: Surroundings): readonly Extra[] {
  return []
}
