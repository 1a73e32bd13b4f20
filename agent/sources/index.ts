// THE list of what an agent can read: one line each.

import type { Source } from '../source.ts'
import { chrony } from './chrony.ts'
import { clock } from './clock.ts'
import { cpu } from './cpu.ts'
import { diskIo } from './disk-io.ts'
import { filesystem } from './filesystem.ts'
import { kernelLog } from './kernel-log.ts'
import { load } from './load.ts'
import { memory } from './memory.ts'
import { nic } from './nic.ts'
import { ptp } from './ptp.ts'

export const sources: readonly Source<unknown>[] = [
  cpu,
  memory,
  load,
  diskIo,
  filesystem,
  nic,
  kernelLog,
  clock,
  chrony,
  ptp,
]
