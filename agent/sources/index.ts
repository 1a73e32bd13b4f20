// THE list of what an agent can read: one line each.

import type { Source } from '../source.ts'
import { cpu } from './cpu.ts'
import { diskIo } from './disk-io.ts'
import { edac } from './edac.ts'
import { filesystem } from './filesystem.ts'
import { hwmon } from './hwmon.ts'
import { load } from './load.ts'
import { md } from './md.ts'
import { memory } from './memory.ts'
import { nic } from './nic.ts'
import { zfs } from './zfs.ts'

export const sources: readonly Source<unknown>[] = [cpu, memory, load, diskIo, filesystem, nic, hwmon, edac, md, zfs]
