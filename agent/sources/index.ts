// THE list of what an agent can read: one line each.

import type { Source } from '../source.ts'
import { amdGpu } from './amd-gpu.ts'
import { cpu } from './cpu.ts'
import { diskIo } from './disk-io.ts'
import { filesystem } from './filesystem.ts'
import { ipmi } from './ipmi.ts'
import { load } from './load.ts'
import { memory } from './memory.ts'
import { nic } from './nic.ts'
import { nvidia } from './nvidia.ts'
import { redfish } from './redfish.ts'

export const sources: readonly Source<unknown>[] = [
  cpu,
  memory,
  load,
  diskIo,
  filesystem,
  nic,
  nvidia,
  amdGpu,
  ipmi,
  redfish,
]
