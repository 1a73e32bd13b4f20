// THE list of detectors: one line each.

import { silence } from './detect/silence.ts'
import { threshold } from './detect/threshold.ts'
import type { DetectorType } from './detector.ts'

/** Each `open` is only ever given what its own `options` made. */
export const detectors: readonly DetectorType<unknown>[] = [
  threshold, //
  silence,
]
