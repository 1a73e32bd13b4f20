// THE list of what rides on a session, one line each.

import type { Surroundings } from '../../agent/source.ts'
import { alarms } from './alarms.ts'
import { calls } from './call.ts'
import type { Extra } from './extra.ts'
import { history } from './history.ts'
import { latest } from './latest.ts'
import type { OpcUaOptions } from './options.ts'
import { writes } from './write.ts'

export function extrasOf(options: OpcUaOptions, at: Surroundings): readonly Extra[] {
  return [
    latest(at),
    history(options, at),
    ...(options.alarms === undefined ? [] : [alarms({ ...options, alarms: options.alarms }, at)]),
    writes(options, at),
    calls(options),
  ]
}
