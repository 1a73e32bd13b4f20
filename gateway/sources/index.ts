// The gateway's sources; beside them it has all of the agent's.

import type { Source } from '../../agent/source.ts'
import { hl7 } from './hl7.ts'
import { modbus } from './modbus.ts'
import { opcua } from './opcua.ts'

export const sources = [hl7, modbus, opcua] as const satisfies readonly Source<unknown>[]
