// The gateway's sources; beside them it has all of the agent's.

import type { Source } from '../../agent/source.ts'
import { modbus } from './modbus.ts'

export const sources = [modbus] as const satisfies readonly Source<unknown>[]
