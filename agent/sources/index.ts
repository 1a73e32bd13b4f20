// THE list of what an agent can read: one line each.

import type { Source } from '../source.ts'
import { bonding } from './bonding.ts'
import { cpu } from './cpu.ts'
import { diskIo } from './disk-io.ts'
import { ethtool } from './ethtool.ts'
import { filesystem } from './filesystem.ts'
import { infiniband } from './infiniband.ts'
import { load } from './load.ts'
import { memory } from './memory.ts'
import { network } from './network.ts'
import { nic } from './nic.ts'

export const sources: readonly Source<unknown>[] = [
  cpu,
  memory,
  load,
  diskIo,
  filesystem,
  nic,
  bonding,
  infiniband,
  ethtool,
  network,
]
