// THE list of detectors: one line each.

import { anomaly } from './detect/anomaly.ts'
import { host } from './detect/host.ts'
import { remainingUsefulLife } from './detect/remaining-useful-life.ts'
import { silence } from './detect/silence.ts'
import { threshold } from './detect/threshold.ts'
import type { DetectorType } from './detector.ts'

/** Each `open` is only ever given what its own `options` made. */
export const detectors: readonly DetectorType<unknown>[] = [
  threshold, //
  silence,
  anomaly,
  host,
  remainingUsefulLife,
]

/** What is judged where nothing is configured, as it would stand in a configuration. */
export const usualDetectors: readonly Readonly<Record<string, unknown>>[] = [
  { type: 'silence', name: 'node-silent' },
  {
    type: 'threshold',
    name: 'filesystem-nearly-full',
    metric: 'system.filesystem.utilization',
    where: { 'system.filesystem.state': 'used' },
    above: 0.95,
    clear: 0.93,
    for: '5m',
  },
]
