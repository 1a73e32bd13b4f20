// All rules in the order they are tried: what one device family says in words of its own before what all say alike.

import type { EventKind } from '../metric.ts'
import { ata } from './ata.ts'
import { block } from './block.ts'
import { kinds } from './events.ts'
import { filesystem } from './filesystem.ts'
import { gpu } from './gpu.ts'
import { hardware } from './hardware.ts'
import { memory } from './memory.ts'
import { network } from './network.ts'
import { nvidia } from './nvidia.ts'
import { nvme } from './nvme.ts'
import { pcie } from './pcie.ts'
import { raid } from './raid.ts'
import { attributeOf, type Rule } from './rule.ts'
import { stall } from './stall.ts'
import { thermal } from './thermal.ts'
import { usb } from './usb.ts'

export const rules: readonly Rule[] = [
  ...nvidia,
  ...gpu,
  ...hardware,
  ...pcie,
  ...nvme,
  ...ata,
  ...raid,
  ...block,
  ...memory,
  ...stall,
  ...filesystem,
  ...network,
  ...thermal,
  ...usb,
]

/** Told by others than the rules. */
const others = { 'kernel.gpu.recovered': ['hw.id'], 'kernel.device_error': ['hw.id'], 'kernel.emergency': [] }

/** For docs/metrics.md: an event has the attributes that its rules take from a message. */
export const events: readonly EventKind[] = kinds.map(([name, brief]) => {
  const patterns = rules.filter(rule => rule.event === name).flatMap(({ pattern, more = [] }) => [pattern, ...more])
  const taken = Object.entries(attributeOf).filter(([group]) => patterns.some(p => p.source.includes(`(?<${group}>`)))
  const attributes = patterns.length > 0 ? taken.map(([, key]) => key) : others[name as keyof typeof others]
  return { name, attributes, origin: '/dev/kmsg, journalctl', brief }
})
