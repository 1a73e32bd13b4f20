// THE list of what an agent can read: one line each.

import type { Source } from '../source.ts'
import { cgroup } from './cgroup.ts'
import { cpu } from './cpu.ts'
import { diskIo } from './disk-io.ts'
import { filesystem } from './filesystem.ts'
import { load } from './load.ts'
import { memory } from './memory.ts'
import { nic } from './nic.ts'
import { processes } from './process.ts'
import { systemd } from './systemd.ts'

export const sources: readonly Source<unknown>[] = [
  cpu,
  memory,
  load,
  diskIo,
  filesystem,
  nic,
  processes,
  cgroup,
  systemd,
]
