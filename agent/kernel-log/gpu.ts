// GPUs of others: amdgpu, i915 and xe, nouveau, and accelerators that speak alike.

import { type Fields, type Refined, type Rule, textOf } from './rule.ts'

const drivers = '(?<driver>amdgpu|radeon|i915|xe|nouveau|habanalabs|amdkfd|ast|mgag200|qaic|accel)'
const hw = '(?<hw>[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7])'

function refineReset(fields: Fields): Refined {
  return /fail|-\d+$|not/i.test(textOf(fields, 'what')) ? { severity: 'critical' } : {}
}

export const gpu: readonly Rule[] = [
  {
    event: 'kernel.gpu.reset',
    severity: 'warning',
    pattern: new RegExp(
      `^(?:\\[drm:.*?\\] )?${drivers} ${hw}:(?: amdgpu:)? (?:\\[drm\\] )?(?<what>(?:GPU|ASIC|gpu|MODE\\d|Resetting|resetting|GT\\d).*reset.*|GPU reset.*|Resetting (?:chip|rcs\\d|engine).*|device (?:lost|wedged).*)$`,
      'i',
    ),
    refine: refineReset,
  },
  {
    event: 'kernel.gpu.fault',
    severity: 'error',
    pattern: new RegExp(
      `${drivers} ${hw}:(?: amdgpu:)? (?:\\[drm\\][ :]*)?(?:\\*ERROR\\* )?(?<what>.*(?:ring \\S+ timeout|GPU HANG|GPU fault|page fault|uncorrectable|RAS|poison|\\bhang\\b|wedged|fifo:.*(?:fault|killed)|MMU fault|sched_error|SMU:.*(?:fail|stuck)|failed to (?:suspend|resume|load|init)|IP block.*failed).*)$`,
    ),
  },
  {
    event: 'kernel.gpu.fault',
    severity: 'error',
    pattern:
      /\[drm(?::\w+)?(?: \[(?<driver>\w+)\])?\]? \*ERROR\* (?<what>(?:ring \S+ timeout|GPU HANG|.*GPU hang|.*[Pp]age fault).*)$/,
  },
  {
    event: 'kernel.gpu.fault',
    severity: 'error',
    pattern:
      /^(?<driver>amdgpu|habanalabs) ?(?<hw>hl\d+)?:? (?<what>.*(?:page fault|[Ff]ailed to reset|hang|uncorrectable|[Hh]eartbeat).*)$/,
  },
  {
    event: 'kernel.gpu.fault',
    severity: 'critical',
    pattern: new RegExp(`^${hw}: (?<what>GPU has fallen off the bus.*)$`),
  },
]
