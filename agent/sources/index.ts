// THE list of what an agent can read: one line each.

import type { Source } from '../source.ts'
import { amdGpu } from './amd-gpu.ts'
import { bonding } from './bonding.ts'
import { cgroup } from './cgroup.ts'
import { chrony } from './chrony.ts'
import { clock } from './clock.ts'
import { cpu } from './cpu.ts'
import { cpuFrequency } from './cpu-frequency.ts'
import { diskIo } from './disk-io.ts'
import { edac } from './edac.ts'
import { ethtool } from './ethtool.ts'
import { filesystem } from './filesystem.ts'
import { hwmon } from './hwmon.ts'
import { infiniband } from './infiniband.ts'
import { inventory } from './inventory.ts'
import { ipmi } from './ipmi.ts'
import { kernel } from './kernel.ts'
import { kernelLog } from './kernel-log.ts'
import { load } from './load.ts'
import { md } from './md.ts'
import { memory } from './memory.ts'
import { network } from './network.ts'
import { nic } from './nic.ts'
import { numa } from './numa.ts'
import { nvidia } from './nvidia.ts'
import { pressure } from './pressure.ts'
import { processes } from './process.ts'
import { prometheus } from './prometheus.ts'
import { ptp } from './ptp.ts'
import { redfish } from './redfish.ts'
import { smart } from './smart.ts'
import { systemd } from './systemd.ts'
import { zfs } from './zfs.ts'

export const sources: readonly Source<unknown>[] = [
  cpu,
  memory,
  load,
  diskIo,
  filesystem,
  nic,
  amdGpu,
  bonding,
  cgroup,
  chrony,
  clock,
  cpuFrequency,
  edac,
  ethtool,
  hwmon,
  infiniband,
  inventory,
  ipmi,
  kernelLog,
  kernel,
  md,
  network,
  numa,
  nvidia,
  pressure,
  processes,
  prometheus,
  ptp,
  redfish,
  smart,
  systemd,
  zfs,
]
